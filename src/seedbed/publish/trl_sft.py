"""Conversations for supervised fine-tuning, as TRL's SFTTrainer reads them.

TRL calls the format "conversational language modeling": a column `messages` of `{role, content}`
(https://huggingface.co/docs/trl/dataset_formats). axolotl, LLaMA-Factory and Unsloth read it too.
SFTTrainer ignores the other columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from seedbed.core.protocols import Task
from seedbed.core.record import EXPORT_ID_COLUMN, Record
from seedbed.publish.exporter import REHEARSAL_COLUMN, Changes, NoOptions, export_id, readable_fields
from seedbed.publish.jsonl import write_json_lines


class TrlSft:
    """`messages`, the task's chat view of the record, and `seedbed_id`."""

    name: ClassVar[str] = "trl-sft"
    version: ClassVar[int] = 1
    suffix: ClassVar[str] = ".jsonl"
    Options: ClassVar[type[BaseModel]] = NoOptions

    def __init__(self, options: NoOptions) -> None:
        self._options = options

    def write(
        self,
        rows: Iterable[Record],
        task: Task,
        out: Path,
        *,
        rehearsal: bool = False,
        changes: Changes | None = None,
    ) -> int:
        return write_json_lines(_conversations(rows, task, rehearsal), out, changes or Changes())


def _conversations(rows: Iterable[Record], task: Task, rehearsal: bool) -> Iterator[dict[str, Any]]:
    stamp = {REHEARSAL_COLUMN: True} if rehearsal else {}
    for record in rows:
        messages = task.as_chat(readable_fields(record, task))
        yield {"messages": messages, EXPORT_ID_COLUMN: export_id(record), **stamp}
