"""Conversations for supervised fine-tuning, as TRL's SFTTrainer reads them.

TRL calls the format "conversational language modeling": a column `messages` of `{role, content}`
(https://huggingface.co/docs/trl/dataset_formats). axolotl, LLaMA-Factory and Unsloth read it too.
SFTTrainer ignores the other columns.
"""

from __future__ import annotations

from typing import ClassVar

from seedbed.core.protocols import Task
from seedbed.core.record import EXPORT_ID_COLUMN, Record
from seedbed.publish.exporter import REHEARSAL_COLUMN, Changes, RowByRow, export_id, readable_fields
from seedbed.publish.jsonl import json_line


class TrlSft(RowByRow):
    """`messages`, the task's chat view of the record, and `seedbed_id`."""

    name: ClassVar[str] = "trl-sft"
    version: ClassVar[int] = 1
    suffix: ClassVar[str] = ".jsonl"

    def head(self, task: Task, *, rehearsal: bool) -> str:
        return ""

    def row(self, record: Record, task: Task, changes: Changes, *, rehearsal: bool) -> str:
        messages = task.as_chat(readable_fields(record, task))
        stamp = {REHEARSAL_COLUMN: True} if rehearsal else {}
        return json_line({"messages": messages, EXPORT_ID_COLUMN: export_id(record), **stamp}, changes)
