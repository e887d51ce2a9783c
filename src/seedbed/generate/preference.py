"""`preference`: several answers to one question, ranked, and of them a pair: one to prefer, one to reject.

As in UltraFeedback (Cui et al. 2023, arXiv 2310.01377) the answers come from models of several strengths and
from prompts that are weak on purpose, so that there is a difference to learn. What can be checked ranks
before what is an opinion: where the verifier knows the answer no judge is heard about which of two is right.

A judge sees one answer at a time. Answers side by side would have a place, and judges favour places (Zheng et
al. 2023, arXiv 2306.05685); scores of single answers need no second round in swapped order, and a score that
is of no use costs one answer and not the pair. With `pairwise` it compares each two answers, in both orders,
and what it does not say in both is a tie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from seedbed.core.chat import LoggedReply, Pen
from seedbed.core.errors import InputError, Problem
from seedbed.core.protocols import Draft, SourceKind
from seedbed.core.record import Rejection, Unreadable
from seedbed.generate.method import MethodOptions
from seedbed.generate.ranking import (
    PASSAGE,
    Answer,
    Question,
    Ranker,
    checked,
    decides,
    round_robin,
    sides,
    worth,
)
from seedbed.generate.reading import read_fields
from seedbed.generate.sampling import question_of
from seedbed.generate.steps import Kind, SteppedMethod, Steps, read_object

MOST_ANSWERS = 16
# What a check holds answers against.
_WORKS_ON: Mapping[Ranker, Sequence[SourceKind]] = {
    "verifier": ("unlabelled", "real"),
    "groundedness": ("documents",),
}
_SCORED: Mapping[str, Kind] = {"evidence": "text", "score": "integer"}
_COMPARED: Mapping[str, Kind] = {"evidence": "text", "better": "text"}
# Share of a rehearsal's answers with a number that is made up.
_WRONG = 0.4
# Share of a rehearsal's comparisons that come to nothing.
_UNDECIDED = 0.2


class Answers(MethodOptions):
    """Some of the answers: who gives them, and by which prompt."""

    role: str = Field("teacher", description="role that answers")
    n: int = Field(1, ge=1, le=MOST_ANSWERS, description="answers it gives")
    prompt: str | None = Field(
        None,
        description="a template in the recipe's folder, with `question` and `passage` (default: "
        "`preference/answer`)",
    )
    temperature: float = Field(1.0, ge=0, le=2, description="at which they are sampled")


class Preference(SteppedMethod):
    """One question, its answers, and the pair of them that is furthest apart within the bounds."""

    name: ClassVar[str] = "preference"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "question": ("passage",),
        "answer": ("passage", "question"),
        "judge": ("passage", "question", "known", "answer"),
        "pair": ("passage", "question", "known", "first", "second"),
    }
    tasks: ClassVar[Sequence[str]] = ("preference",)
    source_kinds: ClassVar[Sequence[SourceKind]] = ("unlabelled", "real", "documents")

    class Options(MethodOptions):
        source: str | None = Field(
            None,
            description="source of the questions, or of documents to ask about (default: the teacher asks)",
        )
        answers: tuple[Answers, ...] = Field(
            (Answers(n=4),),
            min_length=1,
            description="who answers: a list of `{role, n, prompt, temperature}`",
        )
        rank: tuple[Ranker, ...] = Field(
            ("judge",),
            min_length=1,
            description="what ranks: verifier, groundedness, judge, the first before the rest",
        )
        judge: str = Field("judge", description="role that scores, where `rank` has the judge")
        pairwise: bool = Field(
            False, description="the judge compares each two answers, in both orders, and scores none alone"
        )
        margin: int = Field(1, ge=1, le=4, description="least difference of the judge's two scores")
        length_ratio: tuple[float, float] | Literal[False] = Field(
            (0.5, 2.0),
            description="bounds of the chosen answer's length by the rejected one's; `false`: none",
        )
        same_family: Literal["allow"] | None = Field(
            None, description="`allow`: the judge may be of the teacher's own family"
        )

        @field_validator("rank")
        @classmethod
        def _judge_last(cls, value: tuple[Ranker, ...]) -> tuple[Ranker, ...]:
            if len(set(value)) < len(value) or "judge" in value[:-1]:
                raise ValueError(
                    "must name each ranker once, the judge last: what can be checked comes first"
                )
            if set(_WORKS_ON) <= set(value):
                raise ValueError(
                    "verifier is for rows with a known answer, groundedness for documents; keep one"
                )
            return value

        @field_validator("length_ratio")
        @classmethod
        def _in_order(
            cls, value: tuple[float, float] | Literal[False]
        ) -> tuple[float, float] | Literal[False]:
            if value is not False and not 0 < value[0] <= 1 <= value[1]:
                raise ValueError("must be two numbers around 1, such as [0.67, 1.5]")
            return value

        @model_validator(mode="after")
        def _pairs_are_the_judges(self) -> Self:
            if self.pairwise and "judge" not in self.rank:
                raise ValueError(
                    "pairwise is how the judge ranks, and rank has no judge; add it or remove pairwise"
                )
            return self

        @model_validator(mode="after")
        def _a_few_answers(self) -> Self:
            if len({(each.role, each.prompt, each.temperature) for each in self.answers}) < len(self.answers):
                raise ValueError("answers has the same role, prompt and temperature twice; raise n instead")
            if not 2 <= (number := sum(each.n for each in self.answers)) <= MOST_ANSWERS:
                raise ValueError(f"answers come to {number}; a pair needs 2, and {MOST_ANSWERS} are the most")
            return self

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        for ranker in options.rank:
            if ranker in _WORKS_ON:
                # Which sources it can work on hangs on what it holds answers against.
                self.source_kinds = _WORKS_ON[ranker]  # type: ignore[misc]

    def source(self) -> str | None:
        """Without one the teacher asks, and then only a judge can rank."""
        checks = any(ranker in _WORKS_ON for ranker in self.options.rank)
        return self.options.source or ("" if checks else None)

    def roles(self) -> Sequence[str]:
        judging = [self.options.judge] if "judge" in self.options.rank else []
        return tuple(dict.fromkeys(["teacher", *(each.role for each in self.options.answers), *judging]))

    def prompt_files(self) -> Mapping[str, Sequence[str]]:
        return {each.prompt: self.steps["answer"] for each in self.options.answers if each.prompt}

    def requests(self) -> tuple[int, int]:
        """Without a question to write and anything to judge, and with a score for every answer, or a
        comparison of each two of them in both orders."""
        answers = self.options.answers
        number = sum(each.n for each in answers) if "judge" in self.options.rank else 0
        judged = number * (number - 1) if self.options.pairwise else number
        return len(answers), 1 + len(answers) + judged

    async def drafts(self, steps: Steps) -> list[Draft]:
        question = await self._question(steps)
        decider = self._decider(question)
        answers = await self._answers(steps, question, decider)
        good, bad = sides(answers, decider, judged="judge" in self.options.rank)
        # Each side has a single answer where a check leaves nothing to choose.
        if "judge" in self.options.rank and len(good) + len(bad) > 2:
            scored = await self._ranked(steps, question, good, bad)
            answers = [scored.get(each, each) for each in answers]
            good, bad = ({scored[each]: None for each in side} for side in (good, bad))
        pairs = [(chosen, rejected) for chosen in good for rejected in bad if chosen is not rejected]
        told_apart = [pair for pair in pairs if decides(*pair, margin=self.options.margin)]
        alike = [pair for pair in told_apart if self._is_alike(*pair)]
        fields = {steps.ctx.task.fields[0]: question.text}
        notes: dict[str, Any] = {"answers": [each.note() for each in answers]}
        if not alike:
            reason = "lengths_apart" if told_apart else "margin_too_small" if pairs else "not_told_apart"
            return [steps.draft(fields, notes=notes, rejected=Rejection(reason, notes))]
        chosen, rejected = max(alike, key=lambda pair: worth(*pair))
        fields |= dict(zip(steps.ctx.task.fields[1:], (chosen.text, rejected.text), strict=True))
        notes |= {"chosen": answers.index(chosen), "rejected": answers.index(rejected)}
        return [steps.draft(fields, notes=notes)]

    async def _question(self, steps: Steps) -> Question:
        """That of the source's row, or one that the teacher writes, about a passage where there is one."""
        item, (asked, answered, _) = steps.ctx.source, steps.ctx.task.fields
        passage = item.fields if item is not None and item.fields.keys() == PASSAGE else None
        if item is not None and passage is None:
            return Question(question_of(steps.ctx.task, item)[asked], item.fields.get(answered, ""))
        written = await steps.object(
            "question",
            fields={"question": "text"},
            passage=passage,
            sketch=lambda pen: {"question": pen.text(asked)},
        )
        return Question(written["question"], passage=passage)

    def _decider(self, question: Question) -> Ranker:
        """The first ranker that has something to hold an answer to this question against.

        Raises InputError where none has.
        """
        at_hand = {"verifier": bool(question.known), "groundedness": question.passage is not None}
        rank: Sequence[Ranker] = self.options.rank
        for ranker in rank:
            if at_hand.get(ranker, True):
                return ranker
        message = "the rows have no answer to verify by; name a source that has, or write rank: [judge]"
        raise InputError([Problem(message, key="generate.methods.preference")])

    async def _answers(self, steps: Steps, question: Question, decider: Ranker) -> list[Answer]:
        """The different answers there are, each with what the checks say of it. Raises Useless."""
        found: dict[str, Answer] = {}
        unreadable = None
        for each in self.options.answers:
            replies = await steps.several(
                each.prompt or "answer",
                each.n,
                role=each.role,
                temperature=each.temperature,
                passage=question.passage,
                question=question.text,
                sketch=lambda pen: _some_answer(pen, question),
            )
            for reply in replies:
                read = read_fields(reply.choice, ("text",), "text")
                if isinstance(read, Unreadable):
                    unreadable = read
                else:
                    answer = Answer(read["text"], each.role, each.prompt)
                    found.setdefault(answer.text, checked(answer, question, decider))
        if not found and unreadable is not None:
            raise steps.useless(unreadable)
        return list(found.values())

    async def _ranked(
        self, steps: Steps, question: Question, good: Iterable[Answer], bad: Iterable[Answer]
    ) -> dict[Answer, Answer]:
        """Each answer of the two sides with what the judge makes of it.

        By pairs each side is a round robin of its own: between the sides a check has decided already.
        """
        good, bad = list(good), list(bad)
        if not self.options.pairwise:
            return {each: await self._scored(steps, question, each) for each in dict.fromkeys(good + bad)}
        ranked: dict[Answer, Answer] = {}
        for side in [good] if good == bad else [good, bad]:
            won = [
                (one, other) if better is one else (other, one)
                for one, other in combinations(side, 2)
                if (better := await self._better(steps, question, one, other)) is not None
            ]
            ranked |= round_robin(side, won)
        return ranked

    async def _better(self, steps: Steps, question: Question, one: Answer, other: Answer) -> Answer | None:
        """The one that the judge prefers in both orders; None for a tie."""
        preferred = [
            await self._preferred(steps, question, first, second)
            for first, second in ((one, other), (other, one))
        ]
        return preferred[0] if preferred[0] is preferred[1] else None

    async def _preferred(
        self, steps: Steps, question: Question, first: Answer, second: Answer
    ) -> Answer | None:
        """The one that the judge prefers in this order; None for a tie, or a reply of no use."""
        reply = await self._judge_says(
            steps,
            question,
            "pair",
            first=first.text,
            second=second.text,
            sketch=lambda pen: {
                "evidence": pen.text(),
                "better": _some_preference(pen, first.text, second.text),
            },
        )
        read = read_object(reply, _COMPARED)
        if isinstance(read, Unreadable):
            return None
        return {"first": first, "second": second}.get(read["better"])

    async def _scored(self, steps: Steps, question: Question, answer: Answer) -> Answer:
        """With the judge's score, none where its reply is of no use."""
        reply = await self._judge_says(
            steps,
            question,
            "judge",
            answer=answer.text,
            sketch=lambda pen: {"evidence": pen.text(), "score": pen.rng.choice((1, 2, 3, 4, 4, 5, 5))},
        )
        return replace(answer, score=_score(reply))

    async def _judge_says(self, steps: Steps, question: Question, step: str, **shown: Any) -> LoggedReply:
        (reply,) = await steps.several(
            step,
            1,
            role=self.options.judge,
            temperature=0,
            passage=question.passage,
            question=question.text,
            known=question.known,
            **shown,
        )
        return reply

    def _is_alike(self, chosen: Answer, rejected: Answer) -> bool:
        """Whether the two are about as long, so that length is not what is learnt."""
        bounds = self.options.length_ratio
        return bounds is False or bounds[0] <= len(chosen.text) / len(rejected.text) <= bounds[1]


def _score(reply: LoggedReply) -> int | None:
    read = read_object(reply, _SCORED)
    return read["score"] if not isinstance(read, Unreadable) and read["score"] in range(1, 6) else None


def _some_preference(pen: Pen, first: str, second: str) -> str:
    """Mostly the one that comes later by its letters, whichever order they stand in."""
    if pen.rng.random() < _UNDECIDED:
        return "tie"
    return "first" if first > second else "second"


def _some_answer(pen: Pen, question: Question) -> str:
    """The known answer or a line of the passage, often enough with a wrong number."""
    wrong = pen.rng.random() < _WRONG
    made_up = f" That makes {pen.rng.randrange(100_000, 1_000_000)}." if wrong else ""
    if question.passage is not None:
        line = pen.rng.choice([line for line in question.passage["text"].splitlines() if line.strip()])
        return f"As it is written: {line.strip()}{made_up}"
    return pen.text() + (made_up or f"\n{question.known}")
