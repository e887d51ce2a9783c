"""Run demonstrations: one JSON line each on stdout, everything else on stderr, the document at the end."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.evidence.datasets import ROOT, DataMissing, commit
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.document import section, write_plots, write_section
from benchmarks.evidence.expected import FILE, misses, read_expected
from benchmarks.evidence.product import CommandFailed

_FALSE = ("", "0", "false", "no")


def chosen(
    known: Mapping[str, Demonstration], arguments: Sequence[str], environ: Mapping[str, str]
) -> list[Demonstration]:
    """The demonstrations named by arguments or `D`, in any case; all where none is named.

    Raises KeyError with the names there are.
    """
    names = list(arguments) or environ.get("D", "").replace(",", " ").split()
    by_name = {name.lower().removeprefix("d-"): entry for name, entry in known.items()}
    found = []
    for name in names or known:
        entry = by_name.get(name.lower().removeprefix("d-"))
        if entry is None:
            raise KeyError(f"no demonstration is called {name!r}; there are: {', '.join(known)}")
        found.append(entry)
    return found


def chosen_part(demonstrations: Sequence[Demonstration], environ: Mapping[str, str]) -> str | None:
    """The part that `PART` names; None where it names none.

    Raises KeyError with the names there are where one of the demonstrations has no such part.
    """
    part = environ.get("PART", "").strip() or None
    for entry in demonstrations if part else ():
        if part not in entry.parts:
            there = f"there are: {', '.join(entry.parts)}" if entry.parts else "it has none"
            raise KeyError(f"{entry.id} has no part called {part!r}; {there}")
    return part


def switched_on(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip().lower() not in _FALSE


def run(
    demonstrations: Sequence[Demonstration],
    *,
    broken: bool,
    full: bool,
    document: Path | None,
    order: Sequence[str],
    expected_file: Path = FILE,
    part: str | None = None,
) -> bool:
    """Run each, or that part of each, and tell; returns whether all hold.

    `document` is left alone where `broken`, and for a part: its section is about the whole.

    A demonstration whose data is missing, or whose commands end as they never should, has no
    figures and does not hold.
    """
    all_hold = True
    for demonstration in demonstrations:
        expected = read_expected(demonstration.id, expected_file, part)
        began = time.monotonic()
        figures: Figures
        try:
            for name in demonstration.sets:
                commit(name)
            with _work_folder(demonstration.id, full=full and not broken) as folder:
                setting = Setting(folder, broken=broken, full=full and not broken, part=part)
                figures = demonstration.measure(setting)
        except (DataMissing, CommandFailed, subprocess.TimeoutExpired) as error:
            figures, missed = {}, [str(error)]
        else:
            missed = misses(figures, expected)
        line = {"id": demonstration.id, "figures": figures, "holds": not missed}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        _tell(demonstration, missed, time.monotonic() - began)
        all_hold = all_hold and not missed
        if document is not None and figures and not broken and part is None:
            write_section(document, section(demonstration, figures, expected, missed, full=full), order)
            write_plots(document, demonstration.plots(figures))
    return all_hold


def _tell(demonstration: Demonstration, missed: Sequence[str], seconds: float) -> None:
    outcome = "does not hold" if missed else "holds"
    sys.stderr.write(f"{demonstration.id} ({demonstration.title}) {outcome}, {seconds:.0f} s\n")
    for miss in missed:
        sys.stderr.write(f"  {miss}\n")
    sys.stderr.flush()


@contextmanager
def _work_folder(name: str, *, full: bool) -> Iterator[Path]:
    """A temporary folder; for the long form one that stays, as long as the code stays the same."""
    if full:
        kept = ROOT / "build" / "evidence" / f"{name}-{_code_hash()}"
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    folder = Path(tempfile.mkdtemp(prefix=f"seedbed-{name.lower()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _code_hash() -> str:
    """So that figures of other code are never taken for this one's."""
    total = hashlib.sha256()
    for part in ("src", "benchmarks"):
        for path in sorted((ROOT / part).rglob("*")):
            if path.is_file() and path.suffix in (".py", ".j2"):
                total.update(path.read_bytes())
    return total.hexdigest()[:12]
