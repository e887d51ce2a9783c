"""Methods of several questions: each step asked and read in one line, and a useless reply ends the cell.

A method says its steps as `ctx`-like calls on `Steps`, which keeps every reply on the way. Where one is of no
use (cut off, no JSON, a field missing) the cell has one draft, unreadable, with all replies so far: it is
counted under that cause like any other. What a method itself turns down it rejects with a reason.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from seedbed.core.cell import Cell
from seedbed.core.chat import LoggedReply
from seedbed.core.protocols import Asking, Draft
from seedbed.core.record import Rejection, Unreadable
from seedbed.generate.method import BaseMethod
from seedbed.generate.reading import read_fields

Kind: TypeAlias = Literal["text", "texts", "integer", "number", "boolean"]

_TEXT = {"type": "string", "minLength": 1}
_KINDS: Mapping[Kind, Mapping[str, Any]] = {
    "text": _TEXT,
    "texts": {"type": "array", "items": _TEXT, "minItems": 1},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}
_TYPES: Mapping[Kind, tuple[type, ...]] = {
    "text": (str,),
    "texts": (list,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


class Useless(Exception):
    """A step had no usable answer: `draft` is what the cell comes to."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self.draft = draft


class Steps:
    """The replies of one cell so far, and what asks for the next. Keywords go to `Asking.ask`."""

    def __init__(self, ctx: Asking) -> None:
        self.ctx = ctx
        self.replies: list[LoggedReply] = []

    async def object(self, step: str, /, *, fields: Mapping[str, Kind], **asked: Any) -> dict[str, Any]:
        """The fields of a JSON object, each of its kind. Raises Useless, NoAnswer."""
        (reply,) = await self.ctx.ask(step, schema=schema_of(tuple(fields.items())), **asked)
        self.replies.append(reply)
        read = read_object(reply, fields)
        if isinstance(read, Unreadable):
            raise self.useless(read)
        return read

    async def fields(self, step: str, names: tuple[str, ...], /, **asked: Any) -> dict[str, Any]:
        """These fields of a JSON object, as they stand in the reply. Raises Useless, NoAnswer."""
        (reply,) = await self.several(step, 1, **asked)
        read = read_fields(reply.choice, names, "json")
        if isinstance(read, Unreadable):
            raise self.useless(read)
        return read

    async def text(self, step: str, /, **asked: Any) -> str:
        """The whole reply, stripped. Raises Useless where it is empty or cut off, NoAnswer."""
        (reply,) = await self.ctx.ask(step, **asked)
        self.replies.append(reply)
        read = read_fields(reply.choice, ("text",), "text")
        if isinstance(read, Unreadable):
            raise self.useless(read)
        text: str = read["text"]
        return text

    async def several(self, step: str, /, n: int, **asked: Any) -> tuple[LoggedReply, ...]:
        """`n` answers to one question, for the method to read. Raises NoAnswer."""
        replies = await self.ctx.ask(step, n=n, **asked)
        self.replies.extend(replies)
        return replies

    def branch(self) -> Steps:
        """For one of several drafts of the cell: with the replies so far, and not those of the others."""
        branch = Steps(self.ctx)
        branch.replies = list(self.replies)
        return branch

    def draft(
        self,
        fields: Mapping[str, Any],
        *,
        notes: Mapping[str, Any] | None = None,
        rejected: Rejection | None = None,
        replies: Sequence[LoggedReply] | None = None,
    ) -> Draft:
        """A draft of the task's fields, by all replies so far unless they are given."""
        return Draft(fields, tuple(replies or self.replies), rejected=rejected, notes=notes or {})

    def useless(self, why: Unreadable) -> Useless:
        return Useless(Draft({}, tuple(self.replies), unreadable=why))


class SteppedMethod(BaseMethod):
    """A method of several questions. A subclass says its drafts; a useless reply on the way ends the cell."""

    async def __call__(self, cell: Cell, ctx: Asking) -> list[Draft]:
        try:
            return await self.drafts(Steps(ctx))
        except Useless as end:
            return [end.draft]

    @abstractmethod
    async def drafts(self, steps: Steps) -> list[Draft]: ...


@lru_cache(maxsize=256)
def schema_of(fields: tuple[tuple[str, Kind], ...]) -> Mapping[str, Any]:
    """Strict JSON Schema of an object of these fields. One object for all cells: it is hashed with each."""
    return {
        "type": "object",
        "properties": {name: dict(_KINDS[kind]) for name, kind in fields},
        "required": [name for name, _ in fields],
        "additionalProperties": False,
    }


def read_object(reply: LoggedReply, fields: Mapping[str, Kind]) -> dict[str, Any] | Unreadable:
    """The fields of a reply that was to be an object of them, texts stripped and empty ones left out."""
    read = read_fields(reply.choice, tuple(fields), "json")
    if isinstance(read, Unreadable):
        return read
    for name, kind in fields.items():
        value = read[name]
        good = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
        if good and kind == "text":
            read[name] = value = value.strip()
        if good and kind == "texts":
            value = [item.strip() for item in value if isinstance(item, str)]
            read[name] = value = [item for item in value if item]
        if not good or value in ("", []):
            what = f"{name!r} should be {_SAID[kind]}"
            return Unreadable("invalid_schema", what, reply.choice.text)
    return read


_SAID: Mapping[Kind, str] = {
    "text": "a text that is not empty",
    "texts": "a list of texts",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
