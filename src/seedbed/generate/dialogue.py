"""`dialogue`: a user and an assistant, each a model of its own, talk turn by turn.

After CAMEL (Li et al. 2023, arXiv 2303.17760), whose task specifier is the scene here, and UltraChat (Ding et
al. 2023, arXiv 2305.14233), where a separate model plays the user. Each side has its own prompt and remembers
the conversation as it saw it: what it said itself as the assistant's turns, what it was told as the user's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field, model_validator

from seedbed.core.chat import LoggedReply, Message, Pen
from seedbed.core.protocols import Draft
from seedbed.core.record import Rejection
from seedbed.generate.method import MethodOptions
from seedbed.generate.steps import SteppedMethod, Steps
from seedbed.text.normalise import normalise

Side: TypeAlias = Literal["user", "assistant"]

# What whoever plays the user is told before anything was said.
BEGIN = "(The conversation begins. Write your first message.)"

# A name before what is said, or the marks of a chat template: a message with lines of both sides.
_SPEAKER = re.compile(
    r"^\W{0,3}(?:user|human|customer|assistant|ai)\W{0,3}:|<\|\w+\|>|\[/?INST\]", re.IGNORECASE | re.MULTILINE
)
# What only the other side says.
_FOREIGN: Mapping[Side, re.Pattern[str]] = {
    "user": re.compile(
        r"\bhow (?:can|may) i (?:help|assist) you|\bas an ai\b|\banything else i can (?:help|do)"
        r"|\bi(?:['’]m| am) here to (?:help|assist)|\b(?:be|am) happy to (?:help|assist)",
        re.IGNORECASE,
    ),
    "assistant": re.compile(
        r"\b(?:thanks|thank you) for (?:your|the) help\b|\bcan you (?:please )?help me\b", re.IGNORECASE
    ),
}

# How often a rehearsal's user stops, and either side forgets which it is.
_STOPPING, _CONFUSED = 0.3, 0.03


@dataclass
class _Talk:
    """What was said, by whom, and which model said it."""

    turns: list[dict[str, str]] = field(default_factory=list)
    models: list[dict[str, str]] = field(default_factory=list)

    def memory(self, side: Side) -> tuple[list[Message], str]:
        """(the conversation as this side saw it, the last thing that it was told)"""
        begin = [Message("user", BEGIN)] if side == "user" else []
        said = [
            Message("assistant" if turn["role"] == side else "user", turn["content"]) for turn in self.turns
        ]
        *seen, last = *begin, *said
        return seen, last.content

    def add(self, side: Side, content: str, reply: LoggedReply) -> None:
        self.turns.append({"role": side, "content": content})
        self.models.append({"who": side, "model": reply.model, "endpoint": reply.endpoint})


class Dialogue(SteppedMethod):
    """A scene for the user, then turns until the user stops or the cap is reached; one draft a cell."""

    name: ClassVar[str] = "dialogue"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "scene": ("system",),
        "user": ("scene", "stop", "said"),
        "assistant": ("system", "said"),
    }
    tasks: ClassVar[Sequence[str]] = ("conversation",)

    class Options(MethodOptions):
        user: str = Field("teacher", description="role that plays the user")
        assistant: str = Field("teacher", description="role that plays the assistant")
        system: str = Field(
            "", description="what the assistant is told; it becomes the record's first turn (default: none)"
        )
        least: int = Field(2, ge=1, description="answers that a conversation has at least")
        most: int = Field(4, ge=1, le=32, description="answers after which it ends")
        stop: str = Field("[END]", min_length=2, description="what the user writes to end it")

        @model_validator(mode="after")
        def _least_is_not_more(self) -> Dialogue.Options:
            if self.least > self.most:
                raise ValueError(f"least {self.least} is more than most {self.most}")
            return self

    def roles(self) -> Sequence[str]:
        return tuple(dict.fromkeys(("teacher", self.options.user, self.options.assistant)))

    def requests(self) -> tuple[int, int]:
        """The scene, two for each answer, and the user's word that ends it before the cap."""
        least, most = self.options.least, self.options.most
        return 1 + 2 * least + (least < most), 1 + 2 * most

    async def drafts(self, steps: Steps) -> list[Draft]:
        options, talk = self.options, _Talk()
        scene = await steps.object(
            "scene",
            fields={"person": "text", "goal": "text", "facts": "texts"},
            system=options.system,
            sketch=_some_scene,
        )
        rejected = await self._converse(steps, talk, scene)
        answers = len(talk.turns) // 2
        if rejected is None and answers < options.least:
            evidence = {"answers": answers, "least": options.least}
            rejected = Rejection("too_few_turns", evidence, float(answers))
        opening = [{"role": "system", "content": options.system}] if options.system else []
        fields = {steps.ctx.task.fields[0]: [*opening, *talk.turns]} if talk.turns else {}
        return [steps.draft(fields, notes={"scene": scene, "turns": talk.models}, rejected=rejected)]

    async def _converse(self, steps: Steps, talk: _Talk, scene: Mapping[str, Any]) -> Rejection | None:
        """Turn by turn until the user stops, the cap is reached, or a message is one that cannot stand."""
        options = self.options
        known: Mapping[Side, Mapping[str, Any]] = {
            "user": {"role": options.user, "scene": scene, "stop": options.stop},
            "assistant": {"role": options.assistant, "system": options.system},
        }
        for at in range(2 * options.most):
            side: Side = "assistant" if at % 2 else "user"
            memory, told = talk.memory(side)
            may_stop = at // 2 >= options.least
            said = await steps.text(
                side,
                history=memory,
                said=told,
                sketch=partial(_some_message, side=side, stop=options.stop, may_stop=may_stop),
                **known[side],
            )
            if side == "user" and options.stop in said:
                return None
            rejected = _fault(talk.turns, side, said)
            talk.add(side, said, steps.replies[-1])
            if rejected is not None:
                return rejected
        return None


def _fault(before: Sequence[Mapping[str, str]], side: Side, said: str) -> Rejection | None:
    """Why a message is none of this side, or says nothing new."""
    evidence = {"turn": len(before) + 1, "who": side, "text": said}
    plain = normalise(said)
    if any(plain == normalise(turn["content"]) for turn in before if turn["role"] == side):
        return Rejection("repeats_itself", evidence)
    if found := _SPEAKER.search(said) or _FOREIGN[side].search(said):
        return Rejection("role_confusion", {**evidence, "found": found.group().strip()})
    if before and plain == normalise(before[-1]["content"]):
        return Rejection("role_confusion", {**evidence, "found": "what the other side has just said"})
    return None


def _some_scene(pen: Pen) -> Mapping[str, Any]:
    return {"person": pen.value(), "goal": pen.text(), "facts": [pen.value() for _ in range(3)]}


def _some_message(pen: Pen, side: Side, stop: str, may_stop: bool) -> str:
    """A message, or the word that ends it; at times too early, or as if it were the other side's."""
    chance = pen.rng.random()
    if side == "user" and chance < (_STOPPING if may_stop else _CONFUSED):
        return stop
    if chance > 1 - _CONFUSED:
        return "How can I help you today?" if side == "user" else f"{pen.text()}\nUser: {pen.text()}"
    return pen.text()
