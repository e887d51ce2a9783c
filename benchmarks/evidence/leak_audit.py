"""D1: an audit finds every eval row that stands in train, and drops what leaks."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import data, read_rows, write_jsonl
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.product import seedbed_expecting

_ENDS = (0, 3)  # without and with leaks


def measure(setting: Setting) -> Figures:
    """Audit both sets, drop the leaks, audit what is left."""
    banking = data("banking77") / "banking_data"
    return setting.steps(
        {
            "banking77": lambda folder: _audit(
                banking / "train.csv", banking / "test.csv", folder, setting.broken
            ),
            "clinc150": lambda folder: _audit(*clinc_files(folder), folder, setting.broken),
        }
    )


def clinc_files(folder: Path) -> tuple[Path, Path]:
    """CLINC150's train and test, which come as lists of [text, label] in one file."""
    parts = json.loads((data("clinc150") / "data" / "data_full.json").read_text(encoding="utf-8"))
    train, test = (
        write_jsonl(
            folder / f"clinc-{name}.jsonl", ({"text": text, "label": label} for text, label in parts[name])
        )
        for name in ("train", "test")
    )
    return train, test


def _audit(train: Path, test: Path, folder: Path, broken: bool) -> dict[str, Any]:
    """Broken: the first audit is not told of the eval set, and so cannot drop anything."""
    against = () if broken else ("--against", test)
    first = seedbed_expecting(_ENDS, "audit", train, *against)
    clean, seconds = train, [first.seconds]
    if not broken:
        clean = folder / f"clean{train.suffix}"
        dropping = seedbed_expecting(_ENDS, "audit", train, *against, "--drop", clean)
        seconds.append(dropping.seconds)
    second = seedbed_expecting(_ENDS, "audit", clean, "--against", test)
    leaks = first.value["leaks"]
    found = {(leak["row"], leak["eval_row"], leak["text"]) for leak in leaks}
    return {
        "rows": first.value["rows"],
        "pairs": len(leaks),
        "eval_rows": len({leak["eval_row"] for leak in leaks}),
        "pairs_are_those_counted_by_hand": found == _pairs_by_hand(_texts(train), _texts(test)),
        "near_pairs": len(first.value["near"]),
        # Of the two audits of the same file the one that the machine disturbed less.
        "seconds": round(min(seconds), 1),
        "exit": first.exit,
        "rows_after_drop": second.value["rows"],
        "pairs_after_drop": len(second.value["leaks"]),
        "exit_after_drop": second.exit,
    }


def _texts(path: Path) -> list[str]:
    return [row["text"] for row in read_rows(path)]


def _pairs_by_hand(train: Sequence[str], test: Sequence[str]) -> set[tuple[int, int, str]]:
    """(row, eval row, text of the row) of every equal pair, by the definition and without the product."""
    rows_of: dict[str, list[int]] = {}
    for number, text in enumerate(test):
        rows_of.setdefault(_normal_form(text), []).append(number)
    return {
        (row, eval_row, text)
        for row, text in enumerate(train)
        for eval_row in rows_of.get(_normal_form(text), ())
    }


def _normal_form(text: str) -> str:
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


DEMONSTRATION = Demonstration(
    id="D1",
    title="leak audit",
    shows=(
        "`seedbed audit train --against test` finds the test rows that stand in the published train files of "
        "BANKING77 and CLINC150 (equal after normalising, labels ignored), and `--drop` leaves none. Near "
        "matches are listed apart and are no leaks."
    ),
    broken="the audit is not told of the eval set",
    sets=("banking77", "clinc150"),
    measure=measure,
    parts=("banking77", "clinc150"),
)
