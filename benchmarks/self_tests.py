"""What each filter finds of the faults that are planted for it: `python -m benchmarks.self_tests [FOLDER]`.

Starter recipes are rehearsed below FOLDER (default: build/self-tests), each with the filters that its task
has a use for, and the self-tests of their reports become one table. `make demo` ends with it. What filters
find on data that nobody here wrote is for `python -m benchmarks.filters`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedbed import InputError, Recipe, run
from seedbed.filters import DEFAULT_FILTERS

# Of a rehearsal a model's opinion is made up, and no text keeps to a constraint: nothing is planted for them.
NOTHING_PLANTED = ("judge", "guard", "faithfulness", "constraints")
_ALONE: Mapping[str, Any] = {"student": None, "mix": None, "export": []}


def starter(name: str, folder: Path) -> None:
    """The starter recipe of this name."""
    command = [sys.executable, "-m", "seedbed.cli", "init", str(folder), "--example", name]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def notes(name: str, folder: Path) -> None:
    """Questions that a note answers: no starter has answers with their context."""
    rows = [
        {
            "question": f"What does the note of day {at} say about the {thing}?",
            "context": f"On day {at} the {thing} was brought back: its {part} had come off again.",
            "answer": f"The {part} of the {thing} had come off, as the note says.",
        }
        for at in range(1, 5)
        for thing in ("lamp", "chair", "kettle", "radio")
        for part in ("handle", "switch", "cover", "plate")
    ]
    recipe = {
        "name": name,
        "task": {"kind": "instruction", "prompt": "question", "context": "context", "answer": "answer"},
        "sources": {"real": {"path": "notes.jsonl"}},
        "generate": {"target": 100, "methods": ["direct"]},
    }
    folder.mkdir(parents=True)
    (folder / "notes.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    # JSON is YAML.
    (folder / "recipe.yaml").write_text(json.dumps(recipe), "utf-8")


@dataclass(frozen=True)
class Rehearsal:
    """A recipe with these filters, and with more of a kind of fault than it has by default."""

    name: str
    filters: Sequence[str | Mapping[str, Any]]
    faults: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    make: Callable[[str, Path], None] = starter

    def shown(self) -> set[str]:
        """The filters that have their rows: those that are named, and the default ones the first time."""
        named = {name for entry in self.filters for name in ([entry] if isinstance(entry, str) else entry)}
        return named | set(DEFAULT_FILTERS if self is REHEARSALS[0] else ())

    def entries(self, folder: Path) -> list[dict[str, Any]]:
        """`selftest.filters` of its report. Raises InputError where it cannot be rehearsed here."""
        self.make(self.name, folder)
        teacher = {"rehearsal": dict(self.faults)}
        changed = {**_ALONE, "filters": list(self.filters), "roles.teacher": teacher, **self.settings}
        filters: list[dict[str, Any]] = run(Recipe.load(folder, changed)).summary()["selftest"]["filters"]
        return [entry for entry in filters if entry["filter"] in self.shown()]


REHEARSALS = (
    Rehearsal("support-tickets", ["default", "label_agreement"]),
    Rehearsal(
        "support-tickets",
        [
            "default",
            "semantic_duplicates",
            "memorised",
            {"forbidden": {"phrases": ["money back", "by return"]}},
        ],
        {"copy": 0.2, "memorised": 0.1, "forbidden": 0.1},
    ),
    Rehearsal("word-problems", ["default", "verify"], {"wrong_sum": 0.2}, {"generate.methods": ["template"]}),
    Rehearsal(
        "python-tasks",
        ["default", "verify"],
        {"wrong_program": 0.2},
        {"generate.methods": ["template"], "generate.target": 100},
    ),
    Rehearsal("codebase-instructions", ["default", "-near_duplicates", "rouge_l"], {"copy": 0.2}),
    # Without the extra that it needs it says so, and the others have had their turn.
    Rehearsal("support-tickets", ["default", "language"], {"wrong_language": 0.2}),
    Rehearsal("notes", ["default", "-near_duplicates", "groundedness"], {"unsupported": 0.3}, make=notes),
)

_ROW = "{:<20} {:<21} {:>7} {:>6} {:>6}  {:<13} {:>13}"


def _line(name: str, entry: Mapping[str, Any]) -> str:
    clean = f"{entry['dropped_clean']:,} of {entry['clean']:,}"
    if not entry["planted"]:
        return _ROW.format(entry["filter"], name, 0, "–", "–", "–", clean)
    share = f"{100 * entry['catch_rate']:.0f} %"
    interval = f"{100 * entry['low']:.0f} – {100 * entry['high']:.0f} %"
    return _ROW.format(entry["filter"], name, entry["planted"], entry["caught"], share, interval, clean)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.self_tests", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/self-tests"))
    folder: Path = parser.parse_args().folder
    shutil.rmtree(folder, ignore_errors=True)
    print(_ROW.format("filter", "rehearsal", "planted", "caught", "share", "95 % interval", "clean dropped"))
    for number, rehearsal in enumerate(REHEARSALS, start=1):
        try:
            entries = rehearsal.entries(folder / f"{number}-{rehearsal.name}")
        except InputError as error:  # without a sandbox no program is run, without its extra no language told
            print(f"{', '.join(sorted(rehearsal.shown() - {'default'}))}: left out here. {error}")
            continue
        for entry in entries:
            print(_line(rehearsal.name, entry), flush=True)


if __name__ == "__main__":
    main()
