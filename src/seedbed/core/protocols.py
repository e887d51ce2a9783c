"""The small protocols that plug-ins and rooms meet in."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatReply, ChatRequest, LoggedReply, Message, Opening, Sketch
from seedbed.core.record import Record, Rejection, Unreadable
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


class Vectors(Protocol):
    """Gives vectors as `Embed` does, to whoever cannot await; of texts that were embedded before, at once."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class Task(Protocol):
    """A task kind bound to a recipe: its fields, its schema, and views of a record.

    `compare_fields` are what is asked (not what is answered): the text that a leak would repeat;
    `asked_fields` are these with the context that is given along. `optional_fields` may be empty in
    real rows. `real_columns` are the fields that real rows have, each with the column that holds it
    unless the source maps it; `prompt_values` is what templates have under `task` beside what every
    kind has.
    """

    kind: str
    fields: tuple[str, ...]
    text_fields: tuple[str, ...]
    label_field: str | None

    @property
    def compare_fields(self) -> tuple[str, ...]: ...

    @property
    def asked_fields(self) -> tuple[str, ...]: ...

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


class Draft(NamedTuple):
    """What a method made of its replies: fields, or why there are none, and the replies behind it.

    Exactly one of three: readable fields; `unreadable`, where a reply at some step was of no use; or
    fields (perhaps none) that the method itself turns down with `rejected`. `notes` are plain JSON values
    that stand with the record for good; they are no part of its id.
    """

    fields: Mapping[str, Any]
    replies: tuple[LoggedReply, ...]
    unreadable: Unreadable | None = None
    rejected: Rejection | None = None
    notes: Mapping[str, Any] = {}


class Asking(Protocol):
    """What a method has in hand for one cell.

    `source` is the item of the method's source that the cell works on, None where it has none; `examples`
    are the real rows to show, `slots` the axis values, `label` the label that the cell decides, "" where
    there is none. `rng` depends on the cell alone.

    `ask` renders a prompt with the cell's variables (and any given here), looks in the reply log first
    and pays only for what is missing. `template` is one of the method's own steps, or the cell's template.
    `temperature` stands above the cell's; `history` are messages between the system message and the
    prompt's own (of a role that remembers what was said). With an `opening` the prompt is the system
    message of a chat whose user's turn the model itself writes, at temperature 1 and with all tokens
    open, unless `temperature` says otherwise. `sketch` is how a rehearsal answers. It notes
    which prompt, role and sampling each reply came from, so that a method need not carry provenance
    about. Raises NoAnswer.
    """

    task: Task
    cell: Cell

    @property
    def rng(self) -> random.Random: ...

    @property
    def source(self) -> Record | None: ...

    @property
    def examples(self) -> Sequence[Record]: ...

    @property
    def slots(self) -> Mapping[str, str]: ...

    @property
    def label(self) -> str: ...

    @property
    def labels(self) -> Sequence[str]: ...

    async def ask(
        self,
        template: str,
        *,
        role: str = "teacher",
        schema: Mapping[str, Any] | None = None,
        n: int = 1,
        temperature: float | None = None,
        history: Sequence[Message] = (),
        opening: Opening | None = None,
        sketch: Sketch | None = None,
        **variables: Any,
    ) -> tuple[LoggedReply, ...]: ...

    async def passes(self, program: str, suites: Sequence[str]) -> Sequence[bool]:
        """Which of these suites of tests a Python program passes, in sandboxes, loaded once for all of them.

        For methods that say `runs_programs`.
        """
        ...


SourceKind: TypeAlias = Literal["documents", "unlabelled", "real"]


class Method(Protocol):
    """Plain async Python that turns a cell into drafts; what it declares is checked before any request.

    `steps` are its own prompts by name, with the variables that it gives each of them;
    `asks_template` says that it asks the cell's template (one of `generate.templates`, or the task's own)
    as well. `uses_axes`: whether axis values reach its prompts. `open_label`: the cell decides no label,
    the method finds one. `tasks` are the kinds of task that it is for; none means all.

    `source_kinds` are the sources that it can work on, the usual one first; `source_option` is the option
    that names one, `source_once` says that an item is worked on once. `source()` is the name of the source
    that the options ask for; "" leaves it to the recipe, None means that it goes without. `examples()` are
    the real rows that a cell shows at the most, None leaves it to the recipe. `roles()` are the roles that it
    asks, `requests()` the fewest and the most requests that a cell takes where every reply is of use.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[BaseModel]]
    steps: ClassVar[Mapping[str, Sequence[str]]]
    asks_template: ClassVar[bool]
    uses_axes: ClassVar[bool]
    open_label: ClassVar[bool]
    tasks: ClassVar[Sequence[str]]
    source_kinds: ClassVar[Sequence[SourceKind]]
    source_option: ClassVar[str]
    source_once: ClassVar[bool]
    options: Any

    def source(self) -> str | None: ...

    def examples(self) -> int | None: ...

    def roles(self) -> Sequence[str]: ...

    def runs_programs(self) -> bool:
        """Whether its options have it run what a model wrote, so that there must be a sandbox."""
        ...

    def requests(self) -> tuple[int, int]: ...

    def prompt_files(self) -> Mapping[str, Sequence[str]]:
        """Prompts in the recipe's folder that the options name, with the variables that it gives each."""
        ...

    def axis_values(self) -> Mapping[str, str]:
        """Axes whose values mean something to the method, with the value that does."""
        ...

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        """(path of a key below the method's options, message) of all that does not fit the task."""
        ...

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
    `folder` is the recipe's own, for files that a filter's options name. `documents` are the passages that
    methods work on (`text`, `heading` and `document`). `vectors` are those of the role `embedder`, for
    filters that say `asks_embedder`; None where it is not asked.
    """

    task: Task
    real_texts: Sequence[str] | None = None
    eval_lock: EvalLock | None = None
    compare: tuple[str, ...] = ()
    real: Sequence[Record] = ()
    prompts: Sequence[str] = ()
    folder: Path | None = None
    documents: Sequence[Record] = ()
    vectors: Vectors | None = None


class RecordFilter(Protocol):
    """Looks at records one by one; synchronous and picklable: it runs in worker processes.

    Most records are kept, and it says nothing of them.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[BaseModel]]

    def check(self, records: Sequence[Record]) -> Sequence[Verdict | None]:
        """One entry for each record, in order: None where the filter keeps it and has nothing to say."""
        ...


class CorpusFilter(Protocol):
    """Finds kin among records. `keys` runs in workers, `edge` where equal keys meet.

    `keys(texts)` gives each text's 63-bit numbers, in order; records that share one are candidates.
    `edge(a, b)` says whether two candidate texts are kin, and how close (0..1), or None.
    A filter may have more, for many at once: `forms(texts)`, what is compared of each, so that it is made
    once; `edges(pairs)`, the `edge` of each pair of forms; `sketches(forms)`, an array of a row a form, and
    with it `can_be_kin(rows, one, two)`, false for pairs (two arrays of row numbers) that their rows show to
    be no kin. Without `forms` these are given the texts as they are.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[BaseModel]]
    reason: ClassVar[str]

    def text(self, record: Record) -> str: ...

    def keys(self, texts: Sequence[str]) -> Sequence[Sequence[int]]: ...

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
    not under a cell: equal content is asked about once in a workspace. `sketch` is how a rehearsal
    answers. Raises NoAnswer.
    """

    async def ask(
        self,
        template: str,
        *,
        role: str,
        schema: Mapping[str, Any] | None = None,
        n: int = 1,
        sketch: Sketch | None = None,
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
