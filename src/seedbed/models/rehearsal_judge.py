"""The rehearsal judge: scores whatever it is asked about, for nothing, and breaks some of its replies.

It lets a recipe with a judge run from end to end without an endpoint. Its scores say nothing of any
text: they are a pure function of its seed and the request, so that they replay and nobody can take
them for an opinion.
"""

from __future__ import annotations

import json
import random
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.chat import (
    ChatReply,
    ChatRequest,
    Choice,
    Usage,
    about_tokens,
    prompt_characters,
)
from seedbed.core.hashing import seed_from
from seedbed.models.rehearsal_sketch import sketched

# Of twenty records about one is bad, as with a teacher that mostly does what it is asked.
_SCORES = (1, 2, 2, *(3,) * 4, *(4,) * 7, *(5,) * 6)
_UNREADABLE = (
    "I would give this a four.",
    '{"evidence": "The text fits its category.", "score": "four"}',
    '{"evidence": "", "score": 4}',
    '{"evidence": "Natural and to the point", "score": 4',
)


class JudgeFaults(BaseModel):
    """Share of the replies that cannot be used; the rest is clean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unreadable: float = Field(0.05, ge=0, le=1, description="share of replies without a usable score")


class RehearsalJudge:
    """A ChatModel whose replies depend on its seed and the request alone."""

    name: ClassVar[str] = "rehearsal_judge"
    version: ClassVar[int] = 1
    Options: ClassVar[type[JudgeFaults]] = JudgeFaults

    def __init__(self, seed: int, faults: JudgeFaults) -> None:
        self.seed = seed
        self.faults = faults

    @property
    def endpoint(self) -> str:
        return "rehearsal"

    async def complete(self, request: ChatRequest) -> ChatReply:
        """`request.n` choices, always."""
        choices = tuple(self._answer(request, index) for index in range(request.n))
        asked = prompt_characters(request.messages)
        answered = sum(len(choice.text) for choice in choices)
        usage = Usage(about_tokens(asked), about_tokens(answered))
        return ChatReply(choices, "rehearsal-judge", usage)

    async def close(self) -> None:
        """Nothing is open."""

    def is_unreadable(self, request: bytes, index: int = 0) -> bool:
        """Whether the reply to the question of this hash was broken on purpose."""
        return self._dice(request, index).random() < self.faults.unreadable

    def _dice(self, request: bytes, index: int) -> random.Random:
        return random.Random(seed_from("judge", self.seed, request, index))

    def _answer(self, request: ChatRequest, index: int) -> Choice:
        hints = request.hints
        if hints is None or hints.sketch is None:
            return self._choice(request, index)
        return sketched(hints.sketch, hints, seed_from("judge", self.seed, request.hash, index), None)

    def _choice(self, request: ChatRequest, index: int) -> Choice:
        dice = self._dice(request.hash, index)
        if dice.random() < self.faults.unreadable:
            return Choice(dice.choice(_UNREADABLE))
        says, score = "A rehearsal: nobody has read this record.", dice.choice(_SCORES)
        if "claims" in (request.schema or {}).get("properties", {}):
            claim = {"claim": says, "quote": _first_words_of_source(request), "score": score}
            return Choice(json.dumps({"claims": [claim]}))
        return Choice(json.dumps({"evidence": says, "score": score}))


def _first_words_of_source(request: ChatRequest) -> str:
    """What a filter that asks for quotations can find again."""
    shown = next(line for line in request.messages[-1].content.splitlines() if line.startswith("{"))
    return " ".join(json.loads(shown)["source"].split()[:5])
