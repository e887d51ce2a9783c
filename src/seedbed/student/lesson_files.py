"""Rows as trainers outside of this process read them: JSON, a row a line, in ASCII with escapes.

In ASCII a lone surrogate of a text survives the way, as UTF-8 could not carry it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seedbed.core.field_text import turns_of
from seedbed.core.protocols import Task
from seedbed.student.rows import Row, question_of
from seedbed.tasks.preference import Preference, as_pair


def taught(task: Task, row: Row) -> dict[str, Any]:
    """A row to learn from: `id`, the fields, `messages` (the chat), of a pair also its turns: see `as_pair`.

    They stand in the place of fields of the same names.
    """
    line = {**row.fields, "id": row.id, "messages": task.as_chat(row.fields)}
    return {**line, **as_pair(task, row.fields)} if is_pair(task, row) else line


def asked(task: Task, row: Row) -> dict[str, Any]:
    """A row as a question: `id`, the fields that are asked, and `messages` without what is to be answered.

    A field of turns is left out: it holds the answer as well, and what is asked of it is in `messages`.
    """
    fields = {name: row.fields[name] for name in task.asked_fields if name in row.fields}
    return {
        **{name: value for name, value in fields.items() if not turns_of(value)},
        "id": row.id,
        "messages": question_of(task, row),
    }


def is_pair(task: Task, row: Row) -> bool:
    """Whether the row is one of a preference task, with both answers."""
    return isinstance(task, Preference) and all(name in row.fields for name in task.fields)


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="ascii") as file:
        for line in lines:
            file.write(json.dumps(line) + "\n")


def as_bytes(lines: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode("ascii")


def answers_in(said: bytes, rows: Sequence[Row]) -> list[str]:
    """The answer to each row, from lines of `{"id": ..., "answer": ...}` in any order.

    Raises ValueError, which says what the command did, without a word of it: it may hold text of the eval.
    """
    answers: dict[str, str] = {}
    known = {row.id for row in rows}
    for number, line in enumerate(said.split(b"\n"), start=1):
        if not line.strip():
            continue
        id_, answer = _read(line, number)
        if id_ not in known:
            raise ValueError(f"gave in line {number} an id that it was not asked")
        if id_ in answers:
            raise ValueError(f"gave in line {number} an id that it had answered before")
        answers[id_] = answer
    if left_out := len(known) - len(answers):
        raise ValueError(f"left {left_out:,} of the {len(known):,} ids that it was asked without an answer")
    return [answers[row.id] for row in rows]


def _read(line: bytes, number: int) -> tuple[str, str]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError(
            f"wrote in line {number} of standard output no JSON; that is for lines of "
            '{"id": …, "answer": …}, and standard error for everything else'
        ) from None
    if not isinstance(value, dict):
        raise ValueError(f"wrote in line {number} of standard output no JSON object with id and answer")
    for key in ("id", "answer"):
        if not isinstance(value.get(key), str):
            raise ValueError(f"gave in line {number} no text as `{key}`")
    return value["id"], value["answer"]
