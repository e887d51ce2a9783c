"""Preference pairs, as TRL's DPOTrainer reads them.

TRL calls the format "preference, conversational, with explicit prompt": columns `prompt`, `chosen` and
`rejected`, each a list of `{role, content}` (https://huggingface.co/docs/trl/dataset_formats). Its other
trainers of pairs (CPO, ORPO) and axolotl read it too.
"""

from __future__ import annotations

from typing import ClassVar

from seedbed.core.errors import InputError
from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.publish.exporter import Changes, RowByRow, added_columns, readable_fields
from seedbed.publish.jsonl import json_line
from seedbed.tasks.preference import as_pair


class TrlDpo(RowByRow):
    """`prompt`, `chosen` and `rejected` as turns, `seedbed_id` and `origin`."""

    name: ClassVar[str] = "trl-dpo"
    version: ClassVar[int] = 2
    suffix: ClassVar[str] = ".jsonl"
    kinds: ClassVar[tuple[str, ...] | None] = ("preference",)

    def head(self, task: Task, *, rehearsal: bool) -> str:
        if task.kind not in (self.kinds or ()):
            raise InputError(
                f"{self.name} writes pairs of answers, and this task is of the kind {task.kind}; export "
                "trl-sft or jsonl, or make it a task of the kind preference"
            )
        return ""

    def row(self, record: Record, task: Task, changes: Changes, *, rehearsal: bool) -> str:
        turns: dict[str, object] = {**as_pair(task, readable_fields(record, task))}
        return json_line({**turns, **added_columns(record, rehearsal=rehearsal)}, changes)
