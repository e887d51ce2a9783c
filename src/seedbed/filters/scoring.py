"""What filters have in common that ask a judge for a score: how they ask it, and what a score may do."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar, Literal, Self

import orjson
from pydantic import Field, model_validator

from seedbed.core.chat import Choice, LoggedReply
from seedbed.core.errors import NoAnswer
from seedbed.core.hashing import short_id
from seedbed.core.protocols import ContentAsking, Prompt
from seedbed.core.record import Record
from seedbed.core.verdict import JUDGE_OFF, Regime, Verdict, unjudged
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
    hold, and nothing of where it comes from. A reply that cannot be used is answered once by a question that
    names the error; after that, or where no answer comes, the record is unjudged: kept, without a score.

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
            return self._unjudged(record, JUDGE_OFF, "it disagrees with people", [])
        if (nothing := self.not_asked(record, content)) is not None:
            return self._unjudged(record, *nothing, [])
        variables: dict[str, Any] = {"id": short_id("content", content), "data": _shown(content)}
        replies: list[LoggedReply] = []
        problem = ""
        try:
            for _ in range(2):
                (reply,) = await ctx.ask(
                    self.prompt.name, role=self.role, schema=self.schema, **variables, problem=problem
                )
                replies.append(reply)
                read = self.read(reply.choice, content)
                if not isinstance(read, str):
                    return self._verdict(record, *read, replies)
                problem = read
        except NoAnswer as error:
            return self._unjudged(
                record, error.cause, str(error), replies, **({"refused": error.key} if error.key else {})
            )
        return self._unjudged(record, "unreadable", problem, replies)

    def _verdict(
        self, record: Record, score: int, evidence: Mapping[str, Any], replies: list[LoggedReply]
    ) -> Verdict:
        keep, reason = True, ""
        if self.least is not None and score < self.least:
            if self._regime == "gates" or (self._regime == "uncalibrated" and self._trusted):
                keep, reason = False, f"{self.name}_below_min"
            elif self._regime == "people":
                reason = f"{self.name}_for_people"
        evidence = {**evidence, **_by(replies)}
        return Verdict(record.id, filter_id(type(self)), keep, reason, float(score), evidence)

    def _unjudged(
        self, record: Record, cause: str, says: str, replies: list[LoggedReply], **more: Any
    ) -> Verdict:
        evidence = {"says": excerpt(says), **_by(replies), **more}
        return unjudged(record.id, filter_id(type(self)), cause, evidence)


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


def _by(replies: list[LoggedReply]) -> dict[str, Any]:
    keys = {"replies": [str(reply.key) for reply in replies]}
    return {**keys, "model": replies[-1].model} if replies else keys


def _shown(content: Mapping[str, Any]) -> str:
    """JSON of the fields on one line: a text in it can neither end its string nor begin a line.

    A lone surrogate has no UTF-8 form and stands as its escape.
    """
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")
