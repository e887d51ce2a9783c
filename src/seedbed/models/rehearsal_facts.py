"""What a rehearsal makes up beside prose: right sums, programs that run, values that keep a schema."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.chat import Hints
from seedbed.models.imitation import invented
from seedbed.models.schema_values import scalars, value_for

_PROSE = ({"type"}, {"type", "minLength"}, {"type", "description"}, {"type", "minLength", "description"})


@dataclass(frozen=True, slots=True)
class Facts:
    """`values` are whole fields; `endings` are what the text of a field ends with, so that it fits them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    endings: Mapping[str, str] = field(default_factory=dict)


def facts(hints: Hints, label_field: str | None, rng: random.Random) -> Facts:
    """The fields of a reply that imitation cannot write."""
    asked = [name for name in hints.fields if name != label_field]
    if hints.output == "text" or hints.schema is None:
        return Facts()
    if hints.kind == "math" and len(asked) > 1:
        return _sum(asked, rng)
    if hints.kind == "code" and len(asked) > 1:
        return _program(asked, rng)
    properties = hints.schema.get("properties", {})
    made = {
        name: value_for(properties[name], rng, hints.schema)
        for name in asked
        if name in properties and not is_prose(properties[name]) and not is_conversation(properties[name])
    }
    if hints.kind == "extraction" and len(asked) > 1 and made:
        return Facts(made, {asked[0]: f"It says: {', '.join(scalars(made))}."})
    return Facts(made)


def is_prose(schema: Mapping[str, Any]) -> bool:
    """Whether a field may hold any text: a string that nothing is said of but its least length."""
    return schema.get("type") == "string" and set(schema) in _PROSE


def is_conversation(schema: Mapping[str, Any]) -> bool:
    turn = schema.get("items")
    return (
        schema.get("type") == "array"
        and isinstance(turn, Mapping)
        and set(turn.get("properties", ())) == {"role", "content"}
    )


def _sum(asked: Sequence[str], rng: random.Random) -> Facts:
    """A question in two steps. `asked` are question, solution and answer, the solution perhaps missing."""
    person, boxes, each, more = invented(rng), rng.randint(3, 40), rng.randint(4, 60), rng.randint(5, 400)
    product = boxes * each
    question, *solution, answer = asked
    ending = f"{person} has {boxes} boxes of {each} and {more} single ones. How many are there in all?"
    worked = f"{boxes} * {each} = {product}\n{product} + {more} = {product + more}"
    return Facts({**dict.fromkeys(solution, worked), answer: str(product + more)}, {question: ending})


_PROGRAMS = (
    ("[value + {n} for value in values]", lambda values, n: [value + n for value in values]),
    ("[value for value in values if value > {n}]", lambda values, n: [v for v in values if v > n]),
    ("sum(values) * {n}", lambda values, n: sum(values) * n),
    ("sorted(values)[-{n}:]", lambda values, n: sorted(values)[-n:]),
    ("max(values) - min(values) + {n}", lambda values, n: max(values) - min(values) + n),
)


def _program(asked: Sequence[str], rng: random.Random) -> Facts:
    """A function in Python. `asked` are prompt, solution and tests, the last perhaps missing."""
    name = "_".join(invented(rng).lower().split()[:2]) + f"_{rng.randrange(1000)}"
    (written, run), number = rng.choice(_PROGRAMS), rng.randint(1, 3)
    program = f"def {name}(values):\n    return {written.format(n=number)}\n"
    samples = [[rng.randint(-9, 99) for _ in range(rng.randint(3, 6))] for _ in range(3)]
    samples[0][:2] = [number, number + 1]  # on the edge, where good tests look
    tests = "\n".join(f"assert {name}({sample}) == {run(sample, number)}" for sample in samples)
    prompt, solution, *rest = asked
    return Facts({solution: program, **dict.fromkeys(rest, tests)}, {prompt: f"Name the function `{name}`."})
