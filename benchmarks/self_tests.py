"""What each filter finds of the faults that are planted for it: `python -m benchmarks.self_tests [FOLDER]`.

Starter recipes are rehearsed below FOLDER (default: build/self-tests), each with the filters that its task
has a use for, and the self-tests of their reports become one table. `make demo` ends with it. What filters
find on data that nobody here wrote is for `python -m benchmarks.filters`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed import InputError, Recipe, run
from seedbed.filters import DEFAULT_FILTERS

# Of a rehearsal a model's opinion is made up, and no text keeps to a constraint: nothing is planted for them.
NOTHING_PLANTED = ("judge", "constraints")


@dataclass(frozen=True)
class Rehearsal:
    """A starter recipe with these filters, and what else it takes to try them."""

    example: str
    filters: Sequence[str | Mapping[str, Any]]
    settings: Mapping[str, Any] | None = None

    def names(self) -> list[str]:
        return [name for entry in self.filters for name in ([entry] if isinstance(entry, str) else entry)]


REHEARSALS = (
    Rehearsal(
        "support-tickets",
        [
            "default",
            "label_agreement",
            "language",
            {"forbidden": {"phrases": ["free of charge", "by return"]}},
        ],
    ),
    Rehearsal(
        "word-problems",
        ["default", "verify"],
        {"generate.methods": ["template"], "roles.teacher": {"rehearsal": {"wrong_sum": 0.2}}},
    ),
    Rehearsal(
        "python-tasks",
        ["default", "verify"],
        {"roles.teacher": {"rehearsal": {"wrong_program": 0.2}}},
    ),
    Rehearsal("codebase-instructions", ["default", "-near_duplicates", "rouge_l"]),
)
_ALSO: Mapping[str, Any] = {"student": None, "mix": None, "export": []}


def self_test(rehearsal: Rehearsal, folder: Path) -> list[dict[str, Any]]:
    """One entry a filter, as `selftest.filters` of a report has it. Raises InputError where it cannot run."""
    place = folder / rehearsal.example
    init = [sys.executable, "-m", "seedbed.cli", "init", str(place), "--example", rehearsal.example]
    subprocess.run(init, check=True, stderr=subprocess.DEVNULL)
    recipe = Recipe.load(place, {**_ALSO, "filters": list(rehearsal.filters), **(rehearsal.settings or {})})
    filters: list[dict[str, Any]] = run(recipe).summary()["selftest"]["filters"]
    return filters


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.self_tests", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/self-tests"))
    folder: Path = parser.parse_args().folder
    shutil.rmtree(folder, ignore_errors=True)
    print(_ROW.format("filter", "rehearsal", "planted", "caught", "share", "95 % interval", "clean dropped"))
    for rehearsal in REHEARSALS:
        try:
            entries = self_test(rehearsal, folder)
        except InputError as error:  # no sandbox for programs, say
            print(f"{rehearsal.example} cannot be rehearsed here: {error}")
            continue
        own = set(rehearsal.names()) | (set(DEFAULT_FILTERS) if rehearsal is REHEARSALS[0] else set())
        for entry in entries:
            if entry["filter"] in own:
                print(_line(rehearsal.example, entry), flush=True)


_ROW = "{:<20} {:<21} {:>7} {:>6} {:>6}  {:<13} {:>13}"


def _line(example: str, entry: Mapping[str, Any]) -> str:
    clean = f"{entry['dropped_clean']:,} of {entry['clean']:,}"
    if not entry["planted"]:
        return _ROW.format(entry["filter"], example, 0, "–", "–", "–", clean)
    share = f"{100 * entry['catch_rate']:.0f} %"
    interval = f"{100 * entry['low']:.0f} – {100 * entry['high']:.0f} %"
    return _ROW.format(entry["filter"], example, entry["planted"], entry["caught"], share, interval, clean)


if __name__ == "__main__":
    main()
