"""Which fault a rehearsal plants in which reply, and what the faulty reply looks like.

Whether, which and how strong is a pure function of the rehearsal's seed and the reply's key, so
that a report recomputes from the reply log what was planted, and nothing about it has to travel
with the reply, where a filter could see it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seedbed.core.hashing import seed_from

FaultKind = Literal["broken_json", "refusal", "copy"]


class Faults(BaseModel):
    """Share of the replies that carry each fault; the rest is clean."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    broken_json: float = Field(
        0.06, ge=0, le=1, description="share of replies that are no valid JSON or are cut off"
    )
    refusal: float = Field(0.04, ge=0, le=1, description="share of replies that decline the task")
    # `copy` is a method of every pydantic model, so the attribute has another name than the key.
    copies: float = Field(
        0.06, ge=0, le=1, alias="copy", description="share of replies that repeat a real row, or nearly"
    )

    @model_validator(mode="after")
    def _leave_room_for_clean(self) -> Faults:
        total = self.broken_json + self.refusal + self.copies
        if total > 1 + 1e-9:
            raise ValueError(f"broken_json, refusal and copy add up to {total:g}; lower them to 1 or less")
        return self


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault.

    `variant` and `strength` (0..1) by kind:
    `broken_json`: `missing_brace`, `trailing_prose`, `single_quotes` (0: nothing is lost), `cut`
    (with finish_reason length) and `cut_unmarked` (with stop): the share of the reply that is gone.
    `refusal`: `whole` (1) or, inside a well-formed object, `field` (.5).
    `copy`: `verbatim` (0) or `edited`: the share of words that differ from the row.
    """

    kind: FaultKind
    variant: str
    strength: float


# A quarter of the broken replies for each way of breaking; of those cut off, a third says "stop".
_BREAKS = (
    *("missing_brace",) * 3,
    *("trailing_prose",) * 3,
    *("single_quotes",) * 3,
    *("cut", "cut", "cut_unmarked"),
)


def planted_fault(seed: int, rates: Faults, request_seed: int, choice_index: int) -> Fault | None:
    """The fault of choice `choice_index` of the call that carried `request_seed`; None where clean.

    `request_seed` is `seed_from(request hash, scope, first draw of the call)`.
    """
    rng = random.Random(seed_from("fault", seed, seed_from(request_seed, choice_index)))
    roll = rng.random()
    if roll < rates.broken_json:
        variant = rng.choice(_BREAKS)
        lost = round(rng.uniform(0.1, 0.7), 3) if variant.startswith("cut") else 0.0
        return Fault("broken_json", variant, lost)
    roll -= rates.broken_json
    if roll < rates.refusal:
        whole = rng.random() < 0.7
        return Fault("refusal", "whole", 1.0) if whole else Fault("refusal", "field", 0.5)
    roll -= rates.refusal
    if roll < rates.copies:
        if rng.random() < 0.4:
            return Fault("copy", "verbatim", 0.0)
        return Fault("copy", "edited", round(rng.uniform(0.05, 0.4), 3))
    return None


# Own wordings, apart from any filter's patterns; some apologise, some do not.
REFUSALS = (
    "Sorry, but writing this kind of message is not something I am able to do.",
    "I'm sorry, I can't produce an example like that.",
    "I apologise, but I cannot help with creating this text.",
    "Unfortunately I am unable to generate content for this category.",
    "I won't be able to write that for you.",
    "I must decline to write this one.",
    "As a language model I don't write messages of this sort.",
    "My apologies: this request falls outside what I can assist with.",
    "I am not comfortable producing this text, so I will leave it out.",
    "I can't assist with that request.",
    "This is not a request that I can fulfil.",
    "I'm afraid I can't do what you ask here.",
    "Sorry, I'm not able to comply with this instruction.",
    "I regret that I cannot provide the text you asked for.",
    "As an AI assistant, I have to refuse to make up this example.",
    "I do not feel able to create such an example, and would rather not try.",
    "It would not be appropriate for me to write this, so I have to say no.",
    "I'm sorry, but as an AI I cannot invent a message on behalf of a person.",
    "I cannot in good conscience generate this entry.",
    "Apologies, but my guidelines do not allow me to answer this.",
)

_PROSE = (
    "I hope this is what you were looking for. Let me know if another one is needed!",
    "Note: replace {name} by the customer's name where it fits.",
    "This example is written in a natural tone and avoids repeating the ones above.",
    "Would you like me to write a few more variations of it?",
    "Explanation: {the message names no category, yet it can only belong to one}.",
)

_REPLACEMENTS = (
    *("rather", "quite", "indeed", "meanwhile", "somehow", "again", "instead", "perhaps", "mostly", "still"),
    *("simply", "later", "already", "once", "even", "also", "nearly", "often", "just", "otherwise"),
)


def with_prose(reply: str, rng: random.Random) -> str:
    return f"{reply}\n\n{rng.choice(_PROSE)}"


def cut(reply: str, lost: float) -> str:
    """The reply less the given share of its end: at least one character goes and one stays."""
    return reply[: min(len(reply) - 1, max(1, round(len(reply) * (1 - lost))))]


def edited(words: Sequence[str], share: float, rng: random.Random) -> tuple[list[str], float]:
    """The words with about `share` of them replaced, dropped or doubled up, and the share in fact.

    At least one word changes, so that an edited copy is never a verbatim one.
    """
    count = max(1, int(share * len(words)))
    chosen = set(rng.sample(range(len(words)), count))
    changed: list[str] = []
    for at, word in enumerate(words):
        if at not in chosen:
            changed.append(word)
            continue
        # Dropping the only word would leave nothing to copy.
        way = rng.choice(("replace", "insert", "drop")) if len(words) > 1 else "replace"
        if way != "drop":
            changed.append(rng.choice([other for other in _REPLACEMENTS if other != word.casefold()]))
        if way == "insert":
            changed.append(word)
    return changed or [rng.choice(_REPLACEMENTS)], round(count / len(words), 3)
