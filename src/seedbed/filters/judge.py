"""`judge`: a second model reads what the other filters kept, and says how good it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import orjson
from pydantic import Field, model_validator

from seedbed.core.chat import Choice, LoggedReply
from seedbed.core.errors import NoAnswer, Problem, TemplateError
from seedbed.core.hashing import short_id
from seedbed.core.protocols import ContentAsking, FilterContext, Prompt
from seedbed.core.record import Record
from seedbed.core.verdict import JUDGE_OFF, Regime, Verdict, unjudged
from seedbed.filters.subject import FilterOptions, excerpt, filter_id
from seedbed.prompts.templates import PromptTemplate, library_template, read_template

LOWEST, HIGHEST = 1, 5
# What the library's rubrics call good, where the recipe has no `min`.
GOOD_FROM = 4
BELOW_MIN = "judge_below_min"
FOR_PEOPLE = "judge_for_people"

# What a rubric may use; the record itself stands in the frame around it.
RUBRIC_NAMES = ("task", "labels", "fields")
_FRAME = "judge/frame"
_PLACE_OF_RUBRIC = "{{ rubric }}"

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "evidence": {"type": "string"},
        "score": {"type": "integer", "enum": list(range(LOWEST, HIGHEST + 1))},
    },
    "required": ["evidence", "score"],
    "additionalProperties": False,
}


class Judge:
    """One rubric, evidence first and then an integer from 1 to 5, at temperature 0.

    The judge sees the record's fields as JSON between marks that carry the content's own hash,
    which no text can hold, and nothing of where it comes from. It returns a score and never the
    text. A reply that cannot be used is answered once by a question that names the error; after
    that, or where no answer comes, the record is unjudged: kept, without a score.

    A score ranks. Whether one below `min` drops hangs on how far the judge agrees with people: in the regime
    `gates` it does; in `people` the record is kept and flagged; `off` asks nothing and leaves every record
    unjudged; uncalibrated, it drops only where the recipe says that it trusts such a judge.
    """

    name: ClassVar = "judge"
    version: ClassVar = 1
    kind: ClassVar = "model"
    role: ClassVar = "judge"

    class Options(FilterOptions):
        rubric: str | None = Field(
            None, min_length=1, description="file with the criteria, relative to the recipe's folder"
        )
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

    def __init__(
        self, prompt: Prompt, least: int | None, *, trusted: bool = False, regime: Regime = "uncalibrated"
    ) -> None:
        self.prompts: Mapping[str, Prompt] = {} if regime == "off" else {prompt.name: prompt}
        self.prompt = prompt
        self.least = least
        self._trusted = trusted
        self._regime = regime

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Judge:
        """Raises TemplateError for a rubric that is missing or cannot be used."""
        rubric = _read_rubric(options.rubric, context)
        frame = library_template(_FRAME)
        # At the very top, so that a line of the prompt is that line of the rubric.
        text = frame.text.replace(_PLACE_OF_RUBRIC, rubric.text.rstrip(), 1)
        prompt = PromptTemplate(f"judge/{rubric.name}", text, rubric.path)
        return cls(prompt, options.min, trusted=options.trust is not None)

    @property
    def good_from(self) -> int:
        """The lowest score of a record that it calls good."""
        return self.least or GOOD_FROM

    def in_regime(self, regime: Regime) -> Judge:
        """The same judge, as a comparison with people lets it act."""
        return Judge(self.prompt, self.least, trusted=self._trusted, regime=regime)

    def content(self, record: Record) -> Mapping[str, Any]:
        return dict(record.fields)

    async def check(self, record: Record, ctx: ContentAsking) -> Verdict:
        if self._regime == "off":
            evidence = _evidence("it disagrees with people", [])
            return unjudged(record.id, filter_id(type(self)), JUDGE_OFF, evidence)
        content = self.content(record)
        variables: dict[str, Any] = {"id": short_id("content", content), "data": _shown(content)}
        replies: list[LoggedReply] = []
        problem = ""
        try:
            for _ in range(2):
                (reply,) = await ctx.ask(
                    self.prompt.name, role=self.role, schema=SCHEMA, **variables, problem=problem
                )
                replies.append(reply)
                read = read_score(reply.choice)
                if not isinstance(read, str):
                    return self._verdict(record, *read, replies)
                problem = read
        except NoAnswer as error:
            evidence = _evidence(str(error), replies)
            if error.key:
                evidence["refused"] = error.key
            return unjudged(record.id, filter_id(type(self)), error.cause, evidence)
        return unjudged(record.id, filter_id(type(self)), "unreadable", _evidence(problem, replies))

    def _verdict(self, record: Record, score: int, says: str, replies: list[LoggedReply]) -> Verdict:
        keep, reason = True, ""
        if self.least is not None and score < self.least:
            if self._regime == "gates" or (self._regime == "uncalibrated" and self._trusted):
                keep, reason = False, BELOW_MIN
            elif self._regime == "people":
                reason = FOR_PEOPLE
        return Verdict(record.id, filter_id(type(self)), keep, reason, float(score), _evidence(says, replies))


def read_score(choice: Choice) -> tuple[int, str] | str:
    """(score, evidence) of a reply, or what is wrong with it. Nothing is guessed: 4.5 or "4" is no score."""
    if choice.finish_reason == "length":
        return "the answer stopped at its token limit; give shorter evidence"
    text = choice.text.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text.strip("`").removeprefix("json")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"it is not one JSON object ({error})"
    if not isinstance(value, dict):
        return "it is not a JSON object"
    evidence, score = value.get("evidence"), value.get("score")
    if not isinstance(evidence, str) or not evidence.strip():
        return '"evidence" must be a text that says what the score rests on'
    if isinstance(score, bool) or not isinstance(score, int) or not LOWEST <= score <= HIGHEST:
        return f'"score" must be a whole number from {LOWEST} to {HIGHEST}'
    return score, evidence


def _evidence(says: str, replies: list[LoggedReply]) -> dict[str, Any]:
    evidence: dict[str, Any] = {"says": excerpt(says), "replies": [str(reply.key) for reply in replies]}
    return {**evidence, "model": replies[-1].model} if replies else evidence


def _shown(content: Mapping[str, Any]) -> str:
    """JSON of the fields on one line: a text in it can neither end its string nor begin a line.

    A lone surrogate has no UTF-8 form and stands as its escape.
    """
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")


def _read_rubric(path: str | None, context: FilterContext) -> PromptTemplate:
    if path is None:
        kind = context.task.kind
        try:
            return library_template(f"judge/{kind}")
        except TemplateError:
            message = (
                f"the library has no rubric for {kind}; write one and name it: {{judge: {{rubric: FILE}}}}"
            )
            raise TemplateError([Problem(message)]) from None
    rubric = read_template((context.folder or Path()) / path, path)
    problems = rubric.syntax_problems()
    if not problems and not rubric.text.strip():
        problems = [Problem("the rubric is empty; say what makes a record good", rubric.path)]
    if not problems:
        known = ", ".join(RUBRIC_NAMES)
        problems = [
            Problem(f"a rubric cannot use '{name}'; it has: {known}", rubric.path, line)
            for name, line in rubric.names().items()
            if name not in RUBRIC_NAMES
        ]
    if problems:
        raise TemplateError(problems)
    return rubric
