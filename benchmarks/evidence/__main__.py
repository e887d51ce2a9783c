"""`python -m benchmarks.evidence [ID …]`; in the environment `D=ID`, `PART=NAME`, `FULL=1`, `BREAK=1`."""

from __future__ import annotations

import os
import sys

from benchmarks.evidence import (
    crash_ledger,
    intents,
    judges,
    leak_audit,
    main_job,
    mixing,
    programs,
    rare_class,
    seeds_in_eval,
    sft,
    variety,
    word_problems,
)
from benchmarks.evidence.datasets import ROOT
from benchmarks.evidence.runner import chosen, chosen_part, run, switched_on

DEMONSTRATIONS = {
    module.DEMONSTRATION.id: module.DEMONSTRATION
    for module in (
        leak_audit,
        seeds_in_eval,
        mixing,
        main_job,
        rare_class,
        intents,
        word_problems,
        sft,
        programs,
        judges,
        crash_ledger,
        variety,
    )
}


def main() -> int:
    """Exit codes: 0 all hold, 1 one does not, 2 an unknown name of a demonstration or part."""
    try:
        demonstrations = chosen(DEMONSTRATIONS, sys.argv[1:], os.environ)
        part = chosen_part(demonstrations, os.environ)
    except KeyError as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 2
    holds = run(
        demonstrations,
        broken=switched_on(os.environ, "BREAK"),
        full=switched_on(os.environ, "FULL"),
        document=ROOT / "docs" / "evidence.md",
        order=list(DEMONSTRATIONS),
        part=part,
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
