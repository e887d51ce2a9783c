"""The rehearsal teacher: answers any request from its hints, for nothing, and plants known faults.

It lets a recipe run from end to end without an endpoint, and lets the report say how many of the
faults it planted each filter caught. It proves the pipeline, never the quality of data.

How a report recomputes what was planted. The executor asks for draws `first`, `first + 1`, ... in
one call whose seed is `seed_from(request hash, scope, first)`, all of which stand in the reply's
key, and `fault_at(key)` works from that key and from whether bare text was asked for. What a recipe
has no matter for (no real row to copy, no eval to leak) its plan leaves out; a pool that is empty for one
label alone makes a planned copy a clean reply, which only the request's hints tell (`answer`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import ClassVar

from seedbed.core.chat import (
    ChatReply,
    ChatRequest,
    Choice,
    Hints,
    ReplyKey,
    Usage,
    about_tokens,
    prompt_characters,
)
from seedbed.core.hashing import seed_from
from seedbed.models.call_seed import call_seed
from seedbed.models.claims import Claim
from seedbed.models.fault_plan import Fault, FaultPlan, Faults, planted_fault
from seedbed.models.imitation import decoys, invented
from seedbed.models.rehearsal_sketch import sketched
from seedbed.models.rehearsal_writer import Writer


class RehearsalTeacher:
    """A ChatModel whose replies depend on its seed, the request and its hints, never on arrival."""

    name: ClassVar[str] = "rehearsal"
    version: ClassVar[int] = 1
    Options: ClassVar[type[Faults]] = Faults

    def __init__(
        self,
        seed: int,
        plan: FaultPlan,
        phrases: Sequence[str] = (),
        claims: Sequence[Claim] = (),
        model: str = "rehearsal",
    ) -> None:
        """`phrases` are those that the recipe forbids: a fault holds one, a clean reply none; `claims` is
        what it has worked out, which a clean reply gets right."""
        self.seed = seed
        self.plan = plan
        self.phrases = tuple(phrases)
        self.claims = tuple(claims)
        self.model = model
        self._decoys = decoys(seed) if "leak" in plan.rates else ()

    @property
    def endpoint(self) -> str:
        return "rehearsal"

    async def complete(self, request: ChatRequest) -> ChatReply:
        """`request.n` choices, always. Without hints they are plain neutral text."""
        choices = tuple(self.answer(request, index)[0] for index in range(request.n))
        asked = prompt_characters(request.messages)
        # An endpoint writes no more than it was asked for; a planted text may be longer, which nobody bills.
        most = request.sampling.max_tokens
        answered = sum(min(most, about_tokens(len(choice.text))) for choice in choices)
        usage = Usage(about_tokens(asked), answered)
        return ChatReply(choices, self.model, usage)

    async def close(self) -> None:
        """Nothing is open."""

    def fault_at(
        self, key: ReplyKey, first: int = 0, times_forgotten: int = 0, *, text: bool = False
    ) -> Fault | None:
        """The fault planned for a logged reply of the call that began at draw `first`."""
        call = call_seed(key.request, key.scope, first, times_forgotten)
        return planted_fault(self.seed, self.plan, call, key.draw - first, text=text)

    def answer(self, request: ChatRequest, index: int) -> tuple[Choice, Fault | None]:
        """One choice, and the fault in it: what was planned, where the request's hints let it be planted.

        A sketch's own faults, and those of a method's steps, are not told: no table counts them.
        """
        question, hints = request.hash, request.hints or Hints()
        call = request.seed if request.seed is not None else seed_from(question)
        seed = seed_from(self.seed, question, seed_from(call, index))
        if hints.several:
            # No filter looks at such a reply, so that a fault in it would prove nothing.
            return Choice(_list_of_values(hints, seed)), None
        if hints.sketch is not None:
            fault = planted_fault(self.seed, self.plan, call, index, text=True)
            return sketched(hints.sketch, hints, seed, fault), None
        grounded = "groundedness" in self.plan.filters
        writer = Writer(hints, seed, self.phrases, self._decoys, self.claims, grounded=grounded)
        fault = planted_fault(self.seed, self.plan, call, index, text=writer.is_text)
        return writer.answer(fault)


def _list_of_values(hints: Hints, seed: int) -> str:
    rng = random.Random(seed_from("values", seed))
    return json.dumps({hints.text_field: [invented(rng) for _ in range(hints.several)]}, ensure_ascii=False)
