"""A cell of a method of the contract, with replies given by hand in the order of its questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seedbed.core.cell import Cell
from seedbed.core.record import Record
from tests.generate.bench import CLEAN, Asked, Bench, Done, saying

Said = str | Mapping[str, Any]


def answered(bench: Bench, cell: Cell, *said: Said) -> Done:
    """The cell, its k-th question answered by `said[k]`."""
    (done,) = bench.make([cell], lambda: Asked(saying(*said)))
    return done


def one_record(done: Done) -> Record:
    (record,) = done.records
    return record


def bench_of(method: str, folder: Path, overrides: Sequence[str] = ()) -> Bench:
    return Bench.of(method, folder / "bench", (*CLEAN, *overrides))
