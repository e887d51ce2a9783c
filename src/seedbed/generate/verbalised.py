"""Verbalised sampling: a list-like question asks for answers with their probabilities, and the tail is drawn.

Zhang et al. 2025 (arXiv 2510.01171): people who rate answers prefer the familiar one, so that a tuned model's
single answer is its most typical. Asked for several with the probability of each, it says what else it knows;
answers below a threshold are drawn first, of which none is likelier than another.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import Field

from seedbed.core.chat import Choice, Pen
from seedbed.core.record import Unreadable
from seedbed.generate.method import MethodOptions
from seedbed.generate.reading import read_fields
from seedbed.generate.steps import Steps
from seedbed.text.normalise import normalise

Sampling: TypeAlias = Literal["verbalised", "plain"]

# What a prompt of such a question has beside its own variables.
LIST_VARIABLES = ("count", "sampling", "tail")

# The one key of a reply to such a question.
LIST_FIELD = "answers"
_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}
_WEIGHED: Mapping[str, Any] = {
    "type": "object",
    "properties": {"text": _TEXT, "probability": {"type": "number"}},
    "required": ["text", "probability"],
    "additionalProperties": False,
}


def list_schema(item: Mapping[str, Any], field: str = LIST_FIELD) -> Mapping[str, Any]:
    """Of an object with one list. It may be empty: that is how a model says that there is nothing to list."""
    return {
        "type": "object",
        "properties": {field: {"type": "array", "items": item}},
        "required": [field],
        "additionalProperties": False,
    }


LIST_SCHEMAS: Mapping[Sampling, Mapping[str, Any]] = {
    "verbalised": list_schema(_WEIGHED),
    "plain": list_schema(_TEXT),
}

# A rehearsal finds nothing to list so often.
_NOTHING = 0.03


class ListOptions(MethodOptions):
    """Options of a method with list-like questions."""

    sampling: Sampling = Field(
        "verbalised",
        description="how lists are asked for: `verbalised` (each answer with its probability) or `plain`",
    )
    tail: float = Field(
        0.1, gt=0, le=1, description="answers less probable than this are drawn first (verbalised sampling)"
    )


@dataclass(frozen=True, slots=True)
class Weighed:
    """An answer and how probable the model says that it is; 1 where it says nothing of use."""

    text: str
    probability: float


async def listed(
    steps: Steps, step: str, options: ListOptions, count: int, write: Callable[[Pen], str], **asked: Any
) -> list[str]:
    """Distinct answers in the order in which they are drawn, `count` at the most; none where there is
    nothing to list. `write` is how a rehearsal writes one. Raises Useless, NoAnswer."""
    (reply,) = await steps.several(
        step,
        1,
        schema=LIST_SCHEMAS[options.sampling],
        count=count,
        sampling=options.sampling,
        tail=options.tail,
        sketch=lambda pen: _some_list(pen, options, count, write),
        **asked,
    )
    answers = read_list(reply.choice, options.sampling)
    if isinstance(answers, Unreadable):
        raise steps.useless(answers)
    return drawn(answers, options.tail, steps.ctx.rng)[:count]


def drawn(answers: Sequence[Weighed], tail: float, rng: random.Random) -> list[str]:
    """Those of the tail in random order, then the others, the less probable ones first."""
    shuffled = rng.sample(answers, len(answers))
    return [
        one.text
        for one in sorted(shuffled, key=lambda one: one.probability if one.probability >= tail else 0.0)
    ]


def read_list(choice: Choice, sampling: Sampling) -> list[Weighed] | Unreadable:
    """The answers of a reply, each once by its normal form."""
    read = read_fields(choice, (LIST_FIELD,), "json")
    if isinstance(read, Unreadable):
        return read
    answers = (
        [_weighed(item, sampling) for item in read[LIST_FIELD]]
        if isinstance(read[LIST_FIELD], list)
        else [None]
    )
    if None in answers:
        what = "texts with a probability each" if sampling == "verbalised" else "texts"
        return Unreadable("invalid_schema", f"{LIST_FIELD!r} should be a list of {what}", choice.text)
    distinct: dict[str, Weighed] = {}
    for answer in answers:
        if answer is not None and answer.text:
            distinct.setdefault(normalise(answer.text) or answer.text, answer)
    return list(distinct.values())


def _weighed(item: Any, sampling: Sampling) -> Weighed | None:
    """None where it is no answer. A plain one is of the tail: all are drawn alike."""
    if sampling == "plain":
        return Weighed(item.strip(), 0.0) if isinstance(item, str) else None
    if not isinstance(item, Mapping) or not isinstance(item.get("text"), str):
        return None
    given = item.get("probability")
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        given = 1.0
    return Weighed(item["text"].strip(), float(given))


def _some_list(pen: Pen, options: ListOptions, count: int, write: Callable[[Pen], str]) -> Mapping[str, Any]:
    texts = [] if pen.rng.random() < _NOTHING else [write(pen) for _ in range(count)]
    return {LIST_FIELD: texts} if options.sampling == "plain" else with_probabilities(pen, texts)


def with_probabilities(pen: Pen, texts: Iterable[str]) -> Mapping[str, Any]:
    """How a rehearsal answers where each answer has its probability."""
    return {
        LIST_FIELD: [{"text": text, "probability": round(pen.rng.uniform(0.01, 0.2), 2)} for text in texts]
    }
