"""Conversations for supervised fine-tuning, as TRL's SFTTrainer reads them.

TRL calls the format "conversational language modeling": a column `messages` of `{role, content}`
(https://huggingface.co/docs/trl/dataset_formats). axolotl, LLaMA-Factory and Unsloth read it too.
SFTTrainer ignores the other columns.
"""

from __future__ import annotations

from typing import ClassVar

from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.publish.exporter import Changes, RowByRow, added_columns, readable_fields
from seedbed.publish.jsonl import json_line


class TrlSft(RowByRow):
    """`messages`, the task's chat view of the record, `seedbed_id` and `origin`."""

    name: ClassVar[str] = "trl-sft"
    version: ClassVar[int] = 2
    suffix: ClassVar[str] = ".jsonl"

    def head(self, task: Task, *, rehearsal: bool) -> str:
        return ""

    def row(self, record: Record, task: Task, changes: Changes, *, rehearsal: bool) -> str:
        messages = task.as_chat(readable_fields(record, task))
        return json_line({"messages": messages, **added_columns(record, rehearsal=rehearsal)}, changes)
