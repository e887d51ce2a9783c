"""`python -m benchmarks.filters [NAME …] [--write]`: one table of how good the filters are.

`--write` puts the table of all of them into `docs/filters.md`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import re
import sys
import time
from collections.abc import Sequence

from benchmarks.evidence.datasets import ROOT, DataMissing
from benchmarks.filters import MODULES
from benchmarks.filters.figure import Figure, table

PAGE = ROOT / "docs" / "filters.md"
_MEASURED = re.compile(r"(?<=<!-- measured -->\n).*(?=<!-- end of measured -->)", re.DOTALL)


def measured(names: Sequence[str]) -> str:
    """When and on what, and the table. Raises DataMissing."""
    figures: list[Figure] = []
    for name in names:
        figures += importlib.import_module(f"benchmarks.filters.{name}").measure()
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    return f"Measured on {time.strftime('%d %B %Y')}, {machine}.\n\n{table(figures)}"


def main() -> int:
    """Exit codes: 0 measured, 2 an unknown filter or no data."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filters", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(MODULES)} (default: all)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/filters.md")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.names if name not in MODULES]:
        parser.error(f"there is no benchmark of {unknown[0]!r}; there are: {', '.join(MODULES)}")
    if chosen.write and chosen.names:
        parser.error("--write replaces the whole table; name no filter with it")
    try:
        text = measured(chosen.names or MODULES)
    except DataMissing as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(text)
    if chosen.write:
        PAGE.write_text(_MEASURED.sub(lambda _: f"\n{text}\n", PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
