"""What filters have in common that ask a judge for a score: how they ask it, and what a score may do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar, Literal, Self

import orjson
from pydantic import Field, model_validator

from seedbed.core.chat import Choice
from seedbed.core.hashing import short_id
from seedbed.core.protocols import ContentAsking, Prompt
from seedbed.core.record import Record
from seedbed.core.verdict import JUDGE_OFF, Regime, Verdict, unjudged
from seedbed.filters.asking import ask_twice, shown
from seedbed.filters.subject import FilterOptions, excerpt, filter_id

LOWEST, HIGHEST = 1, 5
# What the library's prompts call good, where the recipe has no `min`.
GOOD_FROM = 4


class ScoringOptions(FilterOptions):
    min: int | None = Field(
        None, ge=LOWEST + 1, le=HIGHEST, description="score below which a record is rejected"
    )
    trust: Literal["uncalibrated"] | None = Field(
        None, description="`uncalibrated` lets scores that nobody compared with people reject"
    )
    calibration: str | None = Field(
        None, min_length=1, description="file by `seedbed calibrate`, relative to the recipe's folder"
    )
    same_family: Literal["allow"] | None = Field(
        None, description="`allow` lets a judge of the teacher's own model family judge"
    )

    @model_validator(mode="after")
    def _says_what_it_trusts(self) -> Self:
        if self.min is not None and self.trust is None and self.calibration is None:
            raise ValueError(
                "min drops records on the word of a judge that was never compared with people; name its "
                "calibration: FILE, which `seedbed calibrate` writes; or remove min, for an uncalibrated "
                "judge ranks; or add trust: uncalibrated to drop all the same"
            )
        if self.trust is not None and self.min is None:
            raise ValueError(
                "trust is for min, and without it a judge drops nothing; add min or remove trust"
            )
        return self


class ScoringFilter(ABC):
    """One prompt at temperature 0, answered by an object with a whole number from 1 to 5.

    The judge sees the content as JSON between marks that carry the content's own hash, which no text can
    hold, and nothing of where it comes from.

    A score ranks. Whether one below `min` drops hangs on how far the judge agrees with people: in the regime
    `gates` it does; in `people` the record is kept and flagged; `off` asks nothing and leaves every record
    unjudged; uncalibrated, it drops only where the recipe says that it trusts such a judge.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    kind: ClassVar = "model"
    role: ClassVar = "judge"
    schema: ClassVar[Mapping[str, Any]]

    def __init__(self, prompt: Prompt, options: ScoringOptions) -> None:
        self.prompts: Mapping[str, Prompt] = {prompt.name: prompt}
        self.prompt = prompt
        self.least = options.min
        self._trusted = options.trust is not None
        self._regime: Regime = "uncalibrated"

    @property
    def good_from(self) -> int:
        """The lowest score of a record that it calls good."""
        return self.least or GOOD_FROM

    def in_regime(self, regime: Regime) -> Self:
        """The same judge, as a comparison with people lets it act."""
        other = copy(self)
        other._regime = regime
        if regime == "off":
            other.prompts = {}
        return other

    @abstractmethod
    def content(self, record: Record) -> Mapping[str, Any]: ...

    @abstractmethod
    def read(self, choice: Choice, content: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | str:
        """(score, evidence, in which `says` is what it rests on) of a reply, or what is wrong with it."""

    def not_asked(self, record: Record, content: Mapping[str, Any]) -> tuple[str, str] | None:
        """(cause, what to say of it) where there is nothing to ask about."""
        return None

    async def check(self, record: Record, ctx: ContentAsking) -> Verdict:
        content = self.content(record)
        if self._regime == "off":
            return self._unjudged(record, JUDGE_OFF, "it disagrees with people")
        if (nothing := self.not_asked(record, content)) is not None:
            return self._unjudged(record, *nothing)
        variables: dict[str, Any] = {"id": short_id("content", content), "data": shown(content)}
        answered = await ask_twice(
            type(self),
            record,
            lambda problem: ctx.ask(
                self.prompt.name, role=self.role, schema=self.schema, **variables, problem=problem
            ),
            lambda choice: self.read(choice, content),
        )
        if isinstance(answered, Verdict):
            return answered
        (score, evidence), replies = answered
        return self._verdict(record, score, {**evidence, **replies})

    def _verdict(self, record: Record, score: int, evidence: Mapping[str, Any]) -> Verdict:
        keep, reason = True, ""
        if self.least is not None and score < self.least:
            if self._regime == "gates" or (self._regime == "uncalibrated" and self._trusted):
                keep, reason = False, f"{self.name}_below_min"
            elif self._regime == "people":
                reason = f"{self.name}_for_people"
        return Verdict(record.id, filter_id(type(self)), keep, reason, float(score), evidence)

    def _unjudged(self, record: Record, cause: str, says: str) -> Verdict:
        return unjudged(record.id, filter_id(type(self)), cause, {"says": excerpt(says), "replies": []})


def read_object(choice: Choice) -> Mapping[str, Any] | str:
    """The JSON object of a reply, or what is wrong with it."""
    if choice.finish_reason == "length":
        return "the answer stopped at its token limit; give shorter evidence"
    text = choice.text.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text.strip("`").removeprefix("json")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"it is not one JSON object ({error})"
    return value if isinstance(value, dict) else "it is not a JSON object"


def read_whole(value: Any) -> int | str:
    """A score, or what is wrong with it. Nothing is guessed: 4.5 or "4" is no score."""
    if isinstance(value, bool) or not isinstance(value, int) or not LOWEST <= value <= HIGHEST:
        return f'"score" must be a whole number from {LOWEST} to {HIGHEST}'
    return value
