"""Which fault a rehearsal plants in which reply.

Whether, which and how strong is a pure function of the rehearsal's seed, its plan and the reply's key,
so that a report recomputes from the reply log what was planted, and nothing about it has to travel with
the reply, where a filter could see it. For the same reason no fault copies an *earlier draft*: which
draft came earlier is no property of a request. Copies are made of real rows.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seedbed.core.hashing import seed_from


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of a fault: its share among the ways, the range of its strength, and what answers it.

    `filters`: the filter that the fault is there for, and those that answer it where that one is not in
    the recipe. `text`: whether a reply of bare text can have it.
    """

    share: int
    weakest: float
    strongest: float
    filters: tuple[str, ...]
    text: bool = True


def _of(
    share: int, filter_: str, weakest: float = 1.0, strongest: float = 1.0, *, text: bool = True
) -> Variant:
    return Variant(share, weakest, strongest, (filter_,), text)


# What `strength` says. cut: the share of the reply that is gone. refusal: whole (1) or in a field (.5).
# wrapped: 0 where the wording is the usual one, 1 where it is an unusual one. short: words, as a share
# of the shortest real text; long: as a multiple of the longest. copy and leak, edited: the share of
# words changed; inflected: of words with another ending; reordered: how many words stay together; inside:
# the share of the text that is not of the eval row. wrong_label, wrong_language: the share of the text that
# is of the other label or language. personal_data and secret: from .8 on it is disguised.
# memorised: the share of a real text that stands there.
VARIANTS: Mapping[str, Mapping[str, Variant]] = {
    "broken_json": {
        "missing_brace": _of(3, "schema", text=False),
        "trailing_prose": _of(3, "schema", text=False),
        "single_quotes": _of(3, "schema", text=False),
        "cut": _of(2, "schema", 0.1, 0.7),
        # Of bare text nobody can tell that it was cut.
        "cut_unmarked": _of(1, "schema", 0.1, 0.7, text=False),
    },
    "wrong_shape": {
        "missing_key": _of(1, "schema", text=False),
        "extra_key": _of(1, "schema", text=False),
        "wrong_type": _of(1, "schema", text=False),
    },
    "refusal": {"whole": _of(7, "refusal"), "field": _of(3, "refusal", 0.5, 0.5)},
    "wrapped": {
        "preamble": _of(3, "format", 0, 1),
        "sign_off": _of(3, "format", 0, 1),
        "placeholder": _of(2, "format", 0, 1),
        "fence": _of(1, "format", 0, 1),
        "boilerplate": _of(1, "format", 0, 1),
        "control_token": _of(1, "format", 0, 1),
    },
    "length": {"short": _of(1, "length", 0.0, 0.45), "long": _of(1, "length", 1.6, 5.0)},
    "copy": {
        "verbatim": Variant(2, 0.0, 0.0, ("duplicates", "near_duplicates", "rouge_l")),
        "edited": Variant(3, 0.05, 0.4, ("near_duplicates", "rouge_l")),
        "reordered": _of(1, "semantic_duplicates", 1, 5),
        "inflected": _of(1, "semantic_duplicates", 0.1, 0.5),
    },
    "leak": {
        "equal": _of(2, "contamination", 0.0, 0.0),
        "inside": _of(2, "contamination", 0.1, 0.6),
        "edited": _of(2, "contamination", 0.03, 0.25),
    },
    "wrong_label": {"whole": _of(3, "label_agreement"), "part": _of(1, "label_agreement", 0.6, 0.9)},
    "forbidden": {
        "plain": _of(2, "forbidden"),
        "capitals": _of(1, "forbidden"),
        "spaced": _of(1, "forbidden"),
    },
    "wrong_sum": {
        "equation": _of(1, "verify", text=False),
        "answer": _of(1, "verify", text=False),
    },
    "wrong_program": {
        "result": _of(2, "verify", text=False),
        "idle_tests": _of(1, "verify", text=False),
    },
    "wrong_json": {"syntax": _of(1, "verify"), "shape": _of(1, "verify")},
    "wrong_call": {"tool": _of(1, "verify"), "arguments": _of(1, "verify")},
    "wrong_query": {"name": _of(1, "verify"), "rows": _of(1, "verify", text=False)},
    "wrong_language": {"whole": _of(3, "language"), "part": _of(1, "language", 0.6, 0.9)},
    "personal_data": {
        name: _of(1, "pii", 0.0, 1.0) for name in ("email", "card", "iban", "us_ssn", "ip", "phone")
    },
    "secret": {
        name: _of(1, "secrets", 0.0, 1.0) for name in ("token", "private_key", "connection", "password")
    },
    "toxic": {
        "plain": _of(3, "toxicity"),
        "disguised": _of(2, "toxicity"),
        # Without a word that anybody would list.
        "unlisted": _of(1, "toxicity"),
    },
    "memorised": {"part": _of(1, "memorised", 0.4, 0.99)},
    "unsupported": {name: _of(1, "groundedness") for name in ("number", "date", "name")},
}

_DISGUISED_FROM = 0.8

DEFAULT_RATES: Mapping[str, float] = {
    "broken_json": 0.06,
    "wrong_shape": 0.03,
    "refusal": 0.04,
    "wrapped": 0.04,
    "length": 0.03,
    "copy": 0.06,
    "leak": 0.02,
    "wrong_label": 0.03,
    "forbidden": 0.02,
    "wrong_sum": 0.04,
    "wrong_program": 0.04,
    "wrong_json": 0.04,
    "wrong_call": 0.04,
    "wrong_query": 0.04,
    "wrong_language": 0.02,
    "personal_data": 0.03,
    "secret": 0.02,
    "toxic": 0.02,
    "memorised": 0.02,
    "unsupported": 0.02,
}


def _rate(kind: str, what: str, alias: str | None = None) -> Any:
    description = f"{what} (default: {DEFAULT_RATES[kind]:g} where a filter of the recipe answers it)"
    return Field(None, ge=0, le=1, description=description, alias=alias)


class Faults(BaseModel):
    """Share of the replies that carry each fault; the rest is clean.

    Without a rate of its own a fault is planted at a default one, and only where a filter of the recipe
    answers it. A rate that is given holds: planted for a filter that is not there, the fault shows what
    is let through.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    broken_json: float | None = _rate("broken_json", "replies that are no valid JSON or are cut off")
    wrong_shape: float | None = _rate(
        "wrong_shape", "JSON with a key missing, a key too many or a wrong type"
    )
    refusal: float | None = _rate("refusal", "replies that decline the task")
    wrapped: float | None = _rate(
        "wrapped", "texts with a preamble, a sign-off, a placeholder or other wrapping left on them"
    )
    length: float | None = _rate("length", "texts much shorter or longer than the real ones")
    # `copy` is a method of every pydantic model, so the attribute has another name than the key.
    copies: float | None = _rate("copy", "replies that repeat a real row, or nearly", alias="copy")
    leak: float | None = _rate("leak", "replies that repeat, whole or nearly, a decoy row of the eval lock")
    wrong_label: float | None = _rate("wrong_label", "texts in the words of another label")
    forbidden: float | None = _rate("forbidden", "texts with a phrase of the recipe's own list")
    wrong_sum: float | None = _rate(
        "wrong_sum", "worked solutions with a sum that is wrong, or with another answer beside them"
    )
    wrong_program: float | None = _rate(
        "wrong_program", "programs with a wrong result, or with tests that notice nothing"
    )
    wrong_json: float | None = _rate("wrong_json", "JSON in a field that is none, or breaks its schema")
    wrong_call: float | None = _rate("wrong_call", "calls of a tool that is not there, or of other arguments")
    wrong_query: float | None = _rate("wrong_query", "queries that do not run, or give other rows")
    wrong_language: float | None = _rate("wrong_language", "texts in a language unlike the real rows'")
    personal_data: float | None = _rate("personal_data", "texts with an address or a number of somebody's")
    secret: float | None = _rate("secret", "texts with a key, a token or a password")
    toxic: float | None = _rate("toxic", "texts with an insult, spelt as it is, disguised or in other words")
    memorised: float | None = _rate("memorised", "texts around a part of a real one, word for word")
    unsupported: float | None = _rate(
        "unsupported", "answers with a number, a date or a name that their context does not have"
    )

    @model_validator(mode="after")
    def _leave_room_for_clean(self) -> Faults:
        given = self.given()
        total = sum(given.values())
        if total > 1 + 1e-9:
            *first, last = given
            raise ValueError(f"{', '.join(first)} and {last} add up to {total:g}; lower them to 1 or less")
        return self

    def given(self) -> dict[str, float]:
        """The rates that the recipe names, by kind."""
        values = self.model_dump()
        return {kind: values[kind] for kind in VARIANTS if values[kind] is not None}


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault; what `strength` says differs by kind and variant (VARIANTS)."""

    kind: str
    variant: str
    strength: float

    @property
    def disguised(self) -> bool:
        return self.strength >= _DISGUISED_FROM

    @property
    def grade(self) -> str:
        """The variant, with its strength in steps where it has any."""
        low = int(self.strength * 10 + 1e-9)
        match self.kind, self.variant:
            case "copy", "reordered":
                return f"reordered, {round(self.strength)} at a time"
            case (
                ("copy" | "leak", "edited")
                | ("copy", "inflected")
                | ("leak", "inside")
                | ("memorised", "part")
            ):
                return f"{self.variant} {low * 10}-{low * 10 + 10} %"
            case "broken_json", "cut" | "cut_unmarked":
                return f"{self.variant} {'up to 40' if self.strength < 0.4 else 'over 40'} %"
            case "wrapped", _:
                return f"{self.variant}, {'unusual' if self.strength >= 0.5 else 'usual'} wording"
            case "personal_data" | "secret", _:
                return f"{self.variant}, {'disguised' if self.disguised else 'plain'}"
            case "length", "long":
                return f"long, {'up to 3' if self.strength < 3 else 'over 3'} times the longest"
            case _:
                return self.variant


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Rates and ways of the faults of one rehearsal; `filters` are those of the recipe, in order."""

    rates: Mapping[str, float]
    variants: Mapping[str, tuple[str, ...]]
    filters: tuple[str, ...]

    @classmethod
    def of(cls, faults: Faults, filters: Sequence[str] = (), impossible: Collection[str] = ()) -> FaultPlan:
        """What is planted with these filters; `impossible` are kinds that the recipe has no matter
        for, and variants, as `kind/variant`.

        Default rates take what room the given ones leave.
        """
        given = {kind: rate for kind, rate in faults.given().items() if kind not in impossible}
        variants = {
            kind: tuple(
                name
                for name, variant in ways.items()
                if f"{kind}/{name}" not in impossible
                and (kind in given or not set(filters).isdisjoint(variant.filters))
            )
            for kind, ways in VARIANTS.items()
            if kind not in impossible
        }
        open_ = {kind: DEFAULT_RATES[kind] for kind, ways in variants.items() if ways and kind not in given}
        room = max(0.0, 1 - sum(given.values()))
        scale = min(1.0, room / sum(open_.values())) if open_ else 1.0
        rates = {kind: given.get(kind, open_.get(kind, 0.0) * scale) for kind in VARIANTS}
        planted = {kind: ways for kind, ways in variants.items() if rates[kind]}
        return cls({kind: rates[kind] for kind in planted}, planted, tuple(filters))

    def to_json(self) -> dict[str, Any]:
        return {
            "rates": dict(self.rates),
            "variants": {kind: list(ways) for kind, ways in self.variants.items()},
            "filters": list(self.filters),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FaultPlan:
        # In the order of the table, which decides what a roll of the dice means; JSON keeps none.
        rates = {kind: value["rates"][kind] for kind in VARIANTS if kind in value["rates"]}
        return cls(rates, {kind: tuple(value["variants"][kind]) for kind in rates}, tuple(value["filters"]))

    def answers(self, fault: Fault) -> str:
        """The filter that a fault is for: of those that answer it the first that the recipe has."""
        filters = VARIANTS[fault.kind][fault.variant].filters
        return next((name for name in filters if name in self.filters), filters[0])


def planted_fault(
    seed: int, plan: FaultPlan, request_seed: int, choice_index: int, *, text: bool = False
) -> Fault | None:
    """The fault of choice `choice_index` of the call that carried `request_seed`; None where clean.

    `request_seed` is `seed_from(request hash, scope, first draw of the call)`; `text`: whether the reply
    is bare text, which cannot have every fault.
    """
    rng = random.Random(seed_from("fault", seed, seed_from(request_seed, choice_index)))
    roll = rng.random()
    for kind, rate in plan.rates.items():
        if roll < rate:
            return _choose(kind, plan.variants[kind], rng, text=text)
        roll -= rate
    return None


def _choose(kind: str, names: Sequence[str], rng: random.Random, *, text: bool) -> Fault | None:
    ways = {name: VARIANTS[kind][name] for name in names if VARIANTS[kind][name].text or not text}
    if not ways:
        return None
    name = rng.choices(list(ways), [way.share for way in ways.values()])[0]
    way = ways[name]
    if kind == "wrapped":
        return Fault(kind, name, float(rng.random() < 0.3))
    # Squared, so that most copies are edited lightly, as a teacher's are.
    place = rng.random() ** 2 if name == "edited" else rng.random()
    return Fault(kind, name, round(way.weakest + place * (way.strongest - way.weakest), 3))
