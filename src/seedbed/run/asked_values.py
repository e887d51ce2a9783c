"""Texts that the teacher is asked for once, before anything is planned, and that then stand.

Asked through the reply log like any question, several at a time and told what there is already, until
enough distinct ones stand or the teacher repeats itself; then frozen in append-only pages. What is asked
for (axis values, templates) only says how to ask, how to read a reply and what counts as new.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import orjson

from seedbed.core.chat import ChatRequest, Choice
from seedbed.core.errors import StoreError
from seedbed.core.hashing import digest
from seedbed.core.record import Unreadable
from seedbed.generate.reading import read_fields
from seedbed.run.asking import BoundRole
from seedbed.sources.leaks import Kind
from seedbed.store.atomic import write_bytes

# Questions in a row that bring nothing new: after so many the teacher has no more to give.
MOST_IN_VAIN = 3


def asked_scope(asker: str) -> bytes:
    """Who asks: the recipe itself rather than one of its cells."""
    return digest("scope", [asker, "asked"])


@dataclass(frozen=True, slots=True)
class Asked:
    """One value, with the key of the reply that gave it (it names the question by its hash)."""

    value: str
    reply: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the pages of one question hold. `exhausted`: the teacher had no more to give."""

    values: tuple[str, ...] = ()
    exhausted: bool = False


class Pages:
    """Pages `0001.jsonl`, `0002.jsonl`, … of one thing asked for. A page is never written again.

    Its first line says which question its values answer: its hash as it is asked first (`asked_as`), so
    that other words or another model begin a set of their own, and the former words find theirs again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, asked_as: str) -> Standing:
        """Raises StoreError for a damaged page."""
        pages = self._of(asked_as)
        values = tuple(line["value"] for page in pages for line in page[1:])
        return Standing(values, bool(pages) and pages[-1][0]["exhausted"])

    def _of(self, asked_as: str) -> list[list[dict[str, Any]]]:
        """The lines of each page of one question, its head first."""
        pages = []
        for path in sorted(self.folder.glob("*.jsonl")):
            try:
                page = [orjson.loads(line) for line in path.read_bytes().splitlines()]
                head, *lines = page
                if head["asked_as"] == asked_as and head["exhausted"] in (True, False):
                    pages.append([head, *({"value": one["value"], "reply": one["reply"]} for one in lines)])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise StoreError(
                    f"{path}: cannot be read ({type(error).__name__}): restore it, or remove it to have it "
                    "made again from the reply log"
                ) from None
        return pages

    def replies(self, asked_as: str) -> set[str]:
        """Keys of the replies that gave the values of one question. Raises StoreError as `read` does."""
        return {line["reply"] for page in self._of(asked_as) for line in page[1:]}

    def append(self, about: dict[str, Any], found: Sequence[Asked]) -> Path:
        """Freeze a page: what it is `about` (`asked_as` and `exhausted` among it), then a line a value."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number = 1 + max(
            (int(path.stem) for path in self.folder.glob("*.jsonl") if path.stem.isdigit()), default=0
        )
        path = self.folder / f"{number:04d}.jsonl"
        lines = [about, *({"value": one.value, "reply": one.reply} for one in found)]
        write_bytes(path, b"".join(orjson.dumps(line) + b"\n" for line in lines))
        return path


@dataclass(frozen=True, slots=True)
class Words:
    """What is asked for, as notes and errors call it; `instead` is what else can be written at `key`."""

    what: str
    this: str
    plural: str
    instead: str
    key: tuple[str, ...]


class AskedQuestion(ABC):
    """How texts of one kind are asked for: `each` at a time, of `likely` characters, `longest` at the most.

    `kind` is what they are where they are held against the eval.
    """

    name: str
    folder: Path
    each: ClassVar[int]
    likely: ClassVar[int]
    longest: ClassVar[int]
    kind: ClassVar[Kind]

    @property
    @abstractmethod
    def count(self) -> int:
        """How many are wanted."""

    @abstractmethod
    def request(self, known: Sequence[str]) -> ChatRequest:
        """Asks for more of them."""

    @abstractmethod
    def read(self, choice: Choice) -> list[str]:
        """Those of a reply; none where it cannot be read."""

    @abstractmethod
    def new(self, found: Sequence[str], known: Sequence[str]) -> list[str]:
        """Those that may be used and are no others again, in the order found."""

    @property
    @abstractmethod
    def words(self) -> Words: ...

    @property
    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What a page says of itself."""

    @property
    def asked_as(self) -> str:
        """The identity of a set: the question while nothing is known yet."""
        return self.request(()).hash.hex()

    @property
    def pages(self) -> Pages:
        return Pages(self.folder)

    def standing(self) -> Standing:
        return self.pages.read(self.asked_as)


def texts_listed(choice: Choice, field: str) -> list[str]:
    """The texts of a reply that was to be an object with one list; none where it cannot be read."""
    read = read_fields(choice, (field,), "json")
    if isinstance(read, Unreadable) or not isinstance(read[field], list):
        return []
    return [text for text in read[field] if isinstance(text, str)]


def usable(texts: Sequence[str], shortest: int, longest: int) -> list[str]:
    """Each on one line, without those that are too short or long or hold what cannot be printed."""
    lines = [" ".join(text.split()) for text in texts]
    return [line for line in lines if shortest <= len(line) <= longest and line.isprintable()]


async def gather(
    question: AskedQuestion,
    standing: Sequence[str],
    role: BoundRole,
    scope: bytes,
    allowed: Callable[[list[str]], list[str]],
) -> tuple[list[Asked], bool]:
    """The values that were missing, and whether the teacher ran out before `count` stood.

    `allowed` leaves out what must never be frozen.

    A reply's values are all kept, beyond `count` too: so `count` decides no question, and a larger one
    goes on where a smaller one stopped. A question that brought nothing new is asked again as its
    next draw. Raises NoAnswer, EndpointError, BudgetReached; what came before is in the log.
    """
    known, in_vain = list(standing), 0
    found: list[Asked] = []
    while len(known) < question.count:
        if in_vain == MOST_IN_VAIN:
            return found, True
        replies = await role.executor.fill(question.request(known), scope, in_vain + 1)
        reply = replies[in_vain]
        fresh = allowed(question.new(question.read(reply.choice), known))
        found += [Asked(value, str(reply.key)) for value in fresh]
        known += fresh
        in_vain = 0 if fresh else in_vain + 1
    return found, False
