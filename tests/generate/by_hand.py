"""A cell of a method of the contract, with replies given by hand in the order of its questions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seedbed.core.cell import Cell
from seedbed.core.chat import Choice, LoggedReply
from seedbed.core.record import Record
from tests.generate.bench import CLEAN, Asked, Bench, Done

Said = str | Mapping[str, Any]


def reply_of(said: Said) -> Choice:
    return Choice(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))


def answered(bench: Bench, cell: Cell, *said: Said) -> Done:
    """The cell, its k-th question answered by `said[k]`."""

    def spoil(at: int, reply: LoggedReply) -> LoggedReply:
        return replace(reply, choice=reply_of(said[at])) if at < len(said) else reply

    (done,) = bench.make([cell], lambda: Asked(spoil))
    return done


def one_record(done: Done) -> Record:
    (record,) = done.records
    return record


def bench_of(method: str, folder: Path, overrides: Sequence[str] = ()) -> Bench:
    return Bench.of(method, folder / "bench", (*CLEAN, *overrides))
