"""The small protocols that plug-ins and rooms meet in."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatReply, ChatRequest, LoggedReply, Message
from seedbed.core.record import Record, Unreadable
from seedbed.core.verdict import Verdict

if TYPE_CHECKING:  # the eval lock's process needs EvalHit alone, and stays small without pydantic
    import numpy as np
    from numpy.typing import NDArray
    from pydantic import BaseModel


@runtime_checkable
class ChatModel(Protocol):
    """Whatever answers a chat request.

    `complete` returns at least one choice, or raises AttemptFailed (may heal), RequestRefused
    (never will) or EndpointError (nothing here will work). It does not retry.
    """

    @property
    def endpoint(self) -> str: ...

    async def complete(self, request: ChatRequest) -> ChatReply: ...

    async def close(self) -> None: ...


@runtime_checkable
class Embed(Protocol):
    """Whatever gives texts their vectors.

    `embed` returns float32 of shape (texts, dimensions), a row for each text in order; equal texts get
    equal rows. Raises NoAnswer where a text cannot be embedded, EndpointError, BudgetReached, StoreError.
    """

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class Task(Protocol):
    """A task kind bound to a recipe: its fields, its schema, and views of a record.

    `compare_fields` are what is asked (not what is answered): the text that a leak would repeat.
    `optional_fields` may be empty in real rows. `real_columns` are the fields that real rows have, each
    with the column that holds it unless the source maps it; `prompt_values` is what templates have
    under `task` beside what every kind has.
    """

    kind: str
    fields: tuple[str, ...]
    text_fields: tuple[str, ...]
    label_field: str | None

    @property
    def compare_fields(self) -> tuple[str, ...]: ...

    @property
    def optional_fields(self) -> tuple[str, ...]: ...

    @property
    def real_columns(self) -> Mapping[str, str]: ...

    @property
    def prompt_values(self) -> Mapping[str, str]: ...

    def schema(self, omit: Sequence[str] = ()) -> dict[str, Any]:
        """JSON Schema (2020-12) of a record's fields, less those in `omit`."""
        ...

    def as_text(self, fields: Mapping[str, Any]) -> str: ...

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]: ...

    def label(self, fields: Mapping[str, Any]) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """What a method made of one reply: fields, or why there are none, and the replies behind it."""

    fields: Mapping[str, Any]
    replies: tuple[LoggedReply, ...]
    unreadable: Unreadable | None = None


class Asking(Protocol):
    """What a method has in hand.

    `ask` renders a template with the cell's variables (and any given here), looks in the reply
    log first and pays only for what is missing. It notes which template, role and sampling each
    reply came from, so that a method need not carry provenance about. Raises NoAnswer.
    """

    task: Task

    @property
    def rng(self) -> random.Random: ...

    async def ask(
        self,
        template: str,
        *,
        role: str = "teacher",
        schema: Mapping[str, Any] | None = None,
        n: int = 1,
        **variables: Any,
    ) -> tuple[LoggedReply, ...]: ...


class Method(Protocol):
    """Plain async Python that turns a cell into drafts."""

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[BaseModel]]
    uses_axes: ClassVar[bool]
    options: Any

    async def __call__(self, cell: Cell, ctx: Asking) -> list[Draft]: ...


@dataclass(frozen=True, slots=True)
class EvalHit:
    """Answer of the eval lock about one text. It names the eval row and never quotes it.

    `rule` is `equal` (a leak) or one of the near rules `contained`, `similar`, `ngrams`, `run`,
    or `canary`; `score` lies in 0..1.
    """

    rule: str
    score: float
    row: int

    @property
    def is_leak(self) -> bool:
        return self.rule in ("equal", "canary")


class EvalLock(Protocol):
    """Holds the eval text in a process of its own and answers only with hits."""

    def check(self, texts: Sequence[str]) -> list[list[EvalHit]]:
        """For each text its hits, strongest first; an empty list where it is clean."""
        ...


@dataclass(frozen=True, slots=True)
class FilterContext:
    """What a filter may know when it is built: the task, the real train texts, the eval lock.

    `real_texts` is a sample of at most 2,000 train texts for calibration; None without real data.
    `compare` are the fields whose text, joined by newlines, is held against the eval set. `real`
    are all train rows, `prompts` the templates and the task's description, as they are written.
    `folder` is the recipe's own, for files that a filter's options name.
    """

    task: Task
    real_texts: Sequence[str] | None = None
    eval_lock: EvalLock | None = None
    compare: tuple[str, ...] = ()
    real: Sequence[Record] = ()
    prompts: Sequence[str] = ()
    folder: Path | None = None


class RecordFilter(Protocol):
    """Looks at records one by one; synchronous and picklable: it runs in worker processes."""

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[BaseModel]]

    def check(self, records: Sequence[Record]) -> list[Verdict]:
        """One verdict for each record, in order."""
        ...


class CorpusFilter(Protocol):
    """Finds kin among records. `keys` runs in workers, `edges` where equal keys meet.

    `keys(texts)` gives each text's 63-bit numbers, in order; records that share one are candidates.
    `edge(a, b)` says whether two candidate texts are kin, and how close (0..1), or None.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[BaseModel]]
    reason: ClassVar[str]

    def text(self, record: Record) -> str: ...

    def keys(self, texts: Sequence[str]) -> list[list[int]]: ...

    def edge(self, a: str, b: str) -> float | None: ...


class Prompt(Protocol):
    """A prompt template, as a model filter holds it: its hash is part of what decides a verdict."""

    @property
    def name(self) -> str: ...

    @property
    def hash(self) -> str: ...

    @property
    def text(self) -> str: ...

    def render(self, variables: Mapping[str, Any]) -> tuple[Message, ...]: ...


class ContentAsking(Protocol):
    """What a model filter has in hand for one record.

    `ask` renders one of the filter's own prompts with `task`, `labels`, `fields` and the variables
    given, at temperature 0. Its replies stand in the log under the content that is looked at and
    not under a cell: equal content is asked about once in a workspace. Raises NoAnswer.
    """

    async def ask(
        self,
        template: str,
        *,
        role: str,
        schema: Mapping[str, Any] | None = None,
        n: int = 1,
        **variables: Any,
    ) -> tuple[LoggedReply, ...]: ...


class ModelFilter(Protocol):
    """Asks a model about what every other filter kept, after a round's corpus filters.

    `role` is the role of the recipe that it asks, `prompts` every template that it may render, by
    name. `content` is what the model gets to see of a record, in plain values: it names the answer.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    role: ClassVar[str]
    Options: ClassVar[type[BaseModel]]
    prompts: Mapping[str, Prompt]

    def content(self, record: Record) -> Mapping[str, Any]: ...

    async def check(self, record: Record, ctx: ContentAsking) -> Verdict:
        """The verdict, with a score that ranks. Without a usable reply it keeps, as `unjudged`."""
        ...
