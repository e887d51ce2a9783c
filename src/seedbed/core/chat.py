"""What is asked of a model and what comes back, whatever the wire."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from seedbed.core.hashing import NormalForm, digest, form_of_pairs, normal_form

CHARACTERS_A_TOKEN = 4
"""Of English, about: for forecasts, and for teachers that have no tokenizer. No bound of anything."""


def about_tokens(characters: int) -> int:
    """What a teacher without a tokenizer says that it read or wrote, rounded up."""
    return -(-characters // CHARACTERS_A_TOKEN)


FinishReason = Literal["stop", "length", "content_filter", "tool_calls", "unknown"]


class Message(NamedTuple):
    """`raw` is no turn of a chat but text as a model reads it, marks and all; it stands alone."""

    role: Literal["system", "user", "assistant", "raw"]
    content: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A model's chat template up to where the user's turn begins: a model that goes on writes that turn.

    `before` and `after` stand around the system message; `stop` is the mark that ends a turn.
    """

    before: str
    after: str
    stop: str

    def around(self, system: str) -> Message:
        return Message("raw", f"{self.before}{system}{self.after}")


def prompt_characters(messages: Sequence[Message]) -> int:
    return sum(len(message.content) for message in messages)


class Sampling(NamedTuple):
    """`None` leaves a setting to the server. `max_tokens` always has a value: it bounds the cost."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        value = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "stop": list(self.stop) or None,
        }
        return {key: item for key, item in value.items() if item is not None}


@dataclass(frozen=True, slots=True)
class Hints:
    """What a good reply would be, for teachers that are not real. Never hashed, never sent.

    `fields` are the names a reply must fill; `fixed` those the cell already decides; `examples`
    real rows (field maps) to imitate, those of the cell's own label first; `real` all real rows.
    `several` above 0 asks for a list of so many short values in the one field, and for no draft.
    `kind` is the task's where the reply begins with what is asked, and so is of that kind; `schema` the
    JSON Schema that a reply must keep, if one was sent.
    `sketch` writes what a good reply to this very question would be, or one with a fault of its kind; it
    stands above all the others.
    """

    fields: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    labels: Sequence[str] = ()
    examples: Sequence[Mapping[str, Any]] = ()
    real: Sequence[Mapping[str, Any]] = ()
    output: Literal["json", "text"] = "json"
    text_field: str = ""
    draw: int = 0
    several: int = 0
    kind: str = ""
    schema: Mapping[str, Any] | None = None
    sketch: Sketch | None = None


class Pen(Protocol):
    """What a sketch writes with: chance that depends on the question alone, and words like the real ones."""

    rng: random.Random

    def text(self, field: str = "") -> str:
        """A text in the manner of the real rows' `field`, or of no field."""
        ...

    def value(self) -> str:
        """A few invented words: a topic, a name of something."""
        ...

    def record(self, fields: Sequence[str]) -> dict[str, Any]:
        """Values of these fields, as a reply to the task's own prompt would have them."""
        ...


# The text of a reply, or a value that is sent as JSON.
Sketch: TypeAlias = "Callable[[Pen], str | Mapping[str, Any]]"


class ChatRequest(NamedTuple):
    """One question to a model. `n` choices are asked for; `seed` is derived from the reply key."""

    model: str
    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    schema: Mapping[str, Any] | None = None
    revision: str | None = None
    n: int = 1
    seed: int | None = None
    hints: Hints | None = None

    @property
    def raw(self) -> str | None:
        """The text that the model goes on writing, outside any chat; None where it is asked in one."""
        return self.messages[0].content if self.messages[0].role == "raw" else None

    @property
    def hash(self) -> bytes:
        """Identity of the question: model, revision, messages, sampling, schema; never `n`, `seed`, hints."""
        messages = form_of_pairs(self.messages)
        return digest("request", NormalForm(messages.join(_around_messages(self))))

    def asked(self, n: int, seed: int) -> ChatRequest:
        """The question as it is sent. `dataclasses.replace` would take three times as long."""
        return ChatRequest(
            self.model, self.messages, self.sampling, self.schema, self.revision, n, seed, self.hints
        )


# The normal form of what all cells of a method send alike, as it was last hashed.
_forms: OrderedDict[tuple[Any, ...], tuple[Mapping[str, Any] | None, tuple[str, str]]] = OrderedDict()
_MOST_FORMS = 64


def _around_messages(request: ChatRequest) -> tuple[str, str]:
    """The normal form of a request before and after that of its messages, which come first in it.

    Kept with the schema, so that its address stays its own.
    """
    schema = request.schema
    place = (request.model, request.revision, request.sampling, id(schema))
    known = _forms.get(place)
    if known is None:
        no_messages = NormalForm()
        whole = normal_form(
            {
                "model": request.model,
                "revision": request.revision,
                "messages": no_messages,
                "sampling": request.sampling.to_json(),
                "schema": schema,
            }
        )
        begin = len(normal_form({"messages": no_messages})) - 1
        known = _forms[place] = (schema, (whole[:begin], whole[begin:]))
        if len(_forms) > _MOST_FORMS:
            _forms.popitem(last=False)
    return known[1]


class Usage(NamedTuple):
    """`cached_tokens` are those of the prompt tokens that the endpoint says it had in its cache."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:  # type: ignore[override]
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
        )


class Choice(NamedTuple):
    """One answer. `reasoning` is the model's thinking, kept apart from `text`."""

    text: str
    finish_reason: FinishReason = "stop"
    reasoning: str | None = None
    refused: bool = False


class ChatReply(NamedTuple):
    """What one call brought: at least one choice, and what the call as a whole used."""

    choices: tuple[Choice, ...]
    model: str
    usage: Usage = Usage()


class ReplyKey(NamedTuple):
    """Address of one logged choice: the question, who asks (a cell, or content for a judge), the draw."""

    request: bytes
    scope: bytes
    draw: int

    def __str__(self) -> str:
        return f"{self.request.hex()}/{self.scope.hex()}/{self.draw}"

    @classmethod
    def parse(cls, text: str) -> ReplyKey:
        request, scope, draw = text.split("/")
        return cls(bytes.fromhex(request), bytes.fromhex(scope), int(draw))


class LoggedReply(NamedTuple):
    """One choice as it stands in the reply log; `usage` is this choice's share of its call."""

    key: ReplyKey
    choice: Choice
    model: str
    endpoint: str
    usage: Usage = Usage()
