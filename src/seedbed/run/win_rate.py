"""Which of two students answers better, by the recipe's judge: pair by pair, in both orders.

For tasks whose answers have no one right form. Judges favour places (Zheng et al. 2023, arXiv 2306.05685), so
that what a judge does not say in both orders is a tie. It sees dev rows, never those of the eval. Its answers
stand in the reply log: to ask again costs nothing, and what is missing counts against the budget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedbed.core.chat import ChatRequest, Hints, Pen, Sampling
from seedbed.core.errors import InputError, NoAnswer
from seedbed.core.hashing import digest
from seedbed.core.record import Unreadable
from seedbed.generate.steps import Kind, read_object, schema_of
from seedbed.prompts.templates import PromptTemplate, prompt_of
from seedbed.run.asking import BoundRole
from seedbed.run.binding import BoundRecipe
from seedbed.run.session import Note, Opened, open_roles
from seedbed.stats.bootstrap import DRAWS, bootstrap_means, percentile_interval
from seedbed.stats.intervals import LEVEL, Estimate
from seedbed.store.asked import AskedContents
from seedbed.student.examine import difference_of
from seedbed.student.rows import Row

NAME = "win_rate"
"""Of the file in which a run notes what it asked here, beside those of its model filters."""

_PROMPT = "preference/pair"
_FIELDS: Mapping[str, Kind] = {"evidence": "text", "better": "text"}
_EVEN = 0.5


@dataclass(frozen=True, slots=True)
class _Question:
    """Two answers to one row in one order, as the judge sees them."""

    row: Row
    first: str
    second: str


async def judge_arms(
    bound: BoundRecipe,
    rows: Sequence[Row],
    answers: Mapping[str, Sequence[str]],
    pairs: Sequence[tuple[str, str]],
    note: Note,
) -> list[dict[str, Any]]:
    """The win rate of each pair of arms (one, against) that both answered, with their names.

    `answers` are by arm, parallel to the rows. See `win_rate` for what it raises.
    """
    async with open_roles(bound, note) as opened:
        return [
            {
                "arm": arm,
                "against": against,
                **await win_rate(
                    opened, rows, answers[arm], answers[against], seed=bound.recipe.generate.seed
                ),
            }
            for arm, against in pairs
            if {arm, against} <= answers.keys()
        ]


async def win_rate(
    opened: Opened,
    rows: Sequence[Row],
    answers: Sequence[str],
    others: Sequence[str],
    *,
    role: str = "judge",
    seed: int = 0,
) -> dict[str, Any]:
    """How often `answers` beat `others`, a tie counting half; both are parallel to the rows.

    As JSON: `rate` with its interval, `wins`, `ties`, `losses`, and of the ties those where the judge said
    another thing in the other order (`disagreed`) or nothing that could be read (`unread`). Answers that are
    the same to the letter are a tie that nobody is asked about. `verdict` is about the rate less a half.

    Raises InputError where there are no rows or nobody judges, EndpointError, BudgetReached; the same call
    goes on from where such a one left it.
    """
    if not rows:
        raise InputError("a win rate needs dev rows: write split: {dev: 0.2} into a real source")
    if role not in opened.teachers.roles:
        raise InputError(
            f"a win rate needs a judge: write roles: {{{role}: {{model: …, endpoint: …}}}} of another family "
            "than those that are compared"
        )
    asking = _Asking(opened, role)
    pairs = list(zip(rows, answers, others, strict=True))
    asked = [pair for pair in pairs if pair[1] != pair[2]]
    questions = [question for pair in asked for question in _both_orders(*pair)]
    said = iter(await asking.answers(questions))
    wins = losses = disagreed = unread = 0
    values = []
    for _, one, other in pairs:
        if one == other:
            values.append(_EVEN)
            continue
        there, back = next(said), next(said)
        first = there == "first" and back == "second"
        second = there == "second" and back == "first"
        wins, losses = wins + first, losses + second
        unread += None in (there, back)
        disagreed += not (first or second) and None not in (there, back) and (there, back) != ("tie", "tie")
        values.append(1.0 if first else 0.0 if second else _EVEN)
    rate = _estimate(values, seed)
    gap = Estimate(rate.value - _EVEN, rate.low - _EVEN, rate.high - _EVEN)
    return {
        "rows": len(rows),
        "rate": rate.to_json(),
        "wins": wins,
        "losses": losses,
        "ties": len(rows) - wins - losses,
        "disagreed": disagreed,
        "unread": unread,
        "judge": opened.teachers.roles[role].model,
        **difference_of(gap, len(rows)),
    }


def _both_orders(row: Row, one: str, other: str) -> Iterator[_Question]:
    yield _Question(row, one, other)
    yield _Question(row, other, one)


def _estimate(values: Sequence[float], seed: int) -> Estimate:
    means, drawn = bootstrap_means(np.array([values], dtype=np.float64), draws=DRAWS, seed=seed)
    return percentile_interval(float(means[0]), drawn[0], LEVEL)


class _Asking:
    """The judge, and what all questions to it share."""

    def __init__(self, opened: Opened, role: str) -> None:
        self._opened = opened
        self._name = role
        self._role: BoundRole = opened.teachers.roles[role]
        self._prompt: PromptTemplate = prompt_of(_PROMPT, opened.bound.loaded.folder)
        self._schema = schema_of(tuple(_FIELDS.items()))

    async def answers(self, questions: Sequence[_Question]) -> list[str | None]:
        """`first`, `second` or `tie` for each question; None where nothing came that could be read."""
        await asyncio.to_thread(self._note_asked, questions)
        found: list[str | None] = [None] * len(questions)
        waiting = iter(enumerate(questions))

        async def work() -> None:
            for at, question in waiting:
                found[at] = await self._answer(question)

        workers = [
            asyncio.create_task(work())
            for _ in range(min(self._opened.teachers.width((self._name,)), len(questions)))
        ]
        try:
            await asyncio.gather(*workers)
        except BaseException:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            raise
        await self._opened.log.flush()
        return found

    async def _answer(self, question: _Question) -> str | None:
        request = ChatRequest(
            model=self._role.model,
            revision=self._role.revision,
            messages=self._prompt.render(
                {
                    "task": self._opened.bound.task_variables,
                    "passage": None,
                    "question": question.row.text,
                    "known": question.row.answer,
                    "first": question.first,
                    "second": question.second,
                }
            ),
            sampling=Sampling(temperature=0.0, max_tokens=self._role.max_tokens),
            schema=self._schema,
            hints=Hints(sketch=lambda pen: _sketch(pen, question)) if self._role.hinted else None,
        )
        try:
            (reply,) = await self._role.executor.fill(request, self._scope(question), 1)
        except NoAnswer:
            return None
        read = read_object(reply, _FIELDS)
        better = None if isinstance(read, Unreadable) else read["better"]
        return better if better in ("first", "second", "tie") else None

    def _scope(self, question: _Question) -> bytes:
        """What is looked at, by whom and by which prompt, whichever run asks."""
        shown = [question.row.text, question.row.answer, question.first, question.second]
        return digest(NAME, [self._role.model, self._role.revision, self._prompt.hash, shown])

    def _note_asked(self, questions: Sequence[_Question]) -> None:
        """Put on record, before the first question, which answers in the log are of this run."""
        opened = self._opened
        scopes = [self._scope(question) for question in questions]
        answered = opened.log.answered_scopes(scopes)
        folder = opened.folder.asked_contents(rehearsal=opened.bound.rehearsal)
        AskedContents(folder / f"{NAME}.bin").note(scope for scope in scopes if scope not in answered)


def _sketch(pen: Pen, question: _Question) -> dict[str, str]:
    """How a rehearsal judges: by letters, whichever order they stand in, and now and then not at all."""
    better = "first" if question.first > question.second else "second"
    return {"evidence": pen.text(), "better": "tie" if pen.rng.random() < 0.2 else better}
