"""The first cells of a plan, asked and judged as a run would, to be looked at before it is paid for.

Everything goes through the reply log, the budget and the locks of a run, so that a later run replays it; no
round is committed. `preview.json` in the run folder keeps what was measured, and under which signature of
the recipe, for `plan` to forecast from.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatRequest, LoggedReply
from seedbed.core.errors import BudgetReached, EndpointError, NoAnswer
from seedbed.core.fate import fate_of
from seedbed.core.money import in_dollars
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.run.asked_values import asked_scope
from seedbed.run.asking import CellAsking, Filling, scope_of
from seedbed.run.assembling import judging_of
from seedbed.run.axis_values import replies_behind
from seedbed.run.binding import BoundRecipe
from seedbed.run.built_filters import open_filters
from seedbed.run.closing import CellResult
from seedbed.run.corpus import Member, judge_kin
from seedbed.run.filtering import Checked, FilterPool
from seedbed.run.planner import plan_from_scratch
from seedbed.run.pricing import price_of
from seedbed.run.real_keys import real_keys
from seedbed.run.rendering import asking_space
from seedbed.run.scopes import previewed_cells
from seedbed.run.session import Note, Opened, open_to_ask
from seedbed.stats.forecast import forecast
from seedbed.stats.intervals import wilson
from seedbed.store.atomic import read_json, write_json
from seedbed.store.folder import RunFolder
from seedbed.store.replies import ReplyLog

# What is counted for each cell, and forecast for a whole run.
AMOUNTS = ("cells", "questions", "prompt_tokens", "completion_tokens", "cost")


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a cell, or of a judge about a draft. Without replies it stayed unanswered."""

    role: str
    request: ChatRequest
    replies: tuple[LoggedReply, ...] = ()


@dataclass(frozen=True)
class Preview:
    """`cells` as `to_json` tells them, in plan order. `error` is what stopped it early, if anything did."""

    recipe: str
    rehearsal: bool
    cells: tuple[Mapping[str, Any], ...]
    figures: Mapping[str, Any]
    error: BudgetReached | EndpointError | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe,
            "rehearsal": self.rehearsal,
            "stopped": str(self.error) if self.error else None,
            "cells": list(self.cells),
            **self.figures,
        }

    def _repr_html_(self) -> str:
        from seedbed.publish.notebook_html import preview_html

        return preview_html(self.to_json())


class _Noting:
    """Passes questions on and keeps them, with what came back, by who asked."""

    def __init__(self, role: str, executor: Filling, asked: dict[bytes, list[Question]]) -> None:
        self._role = role
        self._executor = executor
        self._asked = asked

    async def fill(self, request: ChatRequest, scope: bytes, n: int) -> tuple[LoggedReply, ...]:
        questions = self._asked.setdefault(scope, [])
        try:
            replies = await self._executor.fill(request, scope, n)
        except NoAnswer:
            questions.append(Question(self._role, request))
            raise
        questions.append(Question(self._role, request, replies))
        return replies


async def preview_recipe(bound: BoundRecipe, n: int, note: Note) -> Preview:
    """Ask the first `n` cells of the plan.

    What is answered when the budget is reached or the endpoint fails is shown, with that error. Raises
    SeedbedError before any request for whatever makes a run impossible.
    """
    async with open_to_ask(bound, note, f"seedbed preview {bound.recipe.name}") as opened:
        bound = opened.bound
        asked: dict[bytes, list[Question]] = {}
        roles = {
            name: replace(role, executor=_Noting(name, role.executor, asked))
            for name, role in opened.teachers.roles.items()
        }
        opened = replace(opened, teachers=replace(opened.teachers, roles=roles))
        cells = plan_from_scratch(bound.space, bound.quotas, most=n)
        _note_asked(bound.folder, cells)
        async with open_filters(opened, note) as pool:
            work = _Work(opened, pool)
            results = await work.ask(cells)
            verdicts = await work.judge(results, await real_keys(opened, pool))
        await opened.log.flush()
        axes = _axes_taken(bound, opened.log)
    judging = judging_of(opened)
    rows = []
    for at, result in sorted(results.items()):
        scopes = [scope_of(bound.recipe.asker, cells[at].id)]
        for record, _ in result.drafts:
            scopes += judging.scopes(record) if judging is not None else []
        questions = [each for scope in dict.fromkeys(scopes) for each in asked.get(scope, ())]
        rows.append(_row(bound, result, verdicts, questions))
    figures = _figures(bound, rows, axes)
    if rows:
        _keep(bound, rows)
    return Preview(bound.recipe.name, bound.rehearsal, tuple(rows), figures, work.error)


class _Work:
    def __init__(self, opened: Opened, pool: FilterPool) -> None:
        self.error: BudgetReached | EndpointError | None = None
        self._opened = opened
        self._pool = pool
        self._space = asking_space(opened.bound, opened.teachers.roles, opened.trials)

    async def ask(self, cells: Sequence[Cell]) -> dict[int, CellResult]:
        """What became of each cell, by position; those that an error left unasked are missing."""
        results: dict[int, CellResult] = {}
        waiting = iter(enumerate(cells))

        async def work() -> None:
            for at, cell in waiting:
                if self.error is None and (result := await self._one(cell)) is not None:
                    results[at] = result

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(cells), self._opened.teachers.width(self._opened.bound.asked_roles))):
                group.create_task(work())
        return results

    async def _one(self, cell: Cell) -> CellResult | None:
        asking = CellAsking(cell, self._space)
        try:
            drafts = await self._opened.bound.methods[cell.method](cell, asking)
            records = [asking.record(draft, index) for index, draft in enumerate(drafts)]
            checked = await self._pool.check(records)
        except NoAnswer as error:
            return CellResult(cell, cause=error.cause)
        except (BudgetReached, EndpointError) as error:
            self._stop(error)
            return None
        return CellResult(cell, drafts=list(zip(records, checked, strict=True)))

    def _stop(self, error: BudgetReached | EndpointError) -> None:
        self.error = self.error or error

    async def judge(
        self, results: Mapping[int, CellResult], real_keys: Sequence[Path]
    ) -> dict[str, list[Verdict]]:
        """Verdicts of the corpus and model filters by record, beside the real rows alone."""
        bound, corpus = self._opened.bound, self._pool.filters.corpus
        real = {row.id: row for row in (*bound.train, *bound.dev)}

        async def look(members: Sequence[Member]) -> dict[str, list[Verdict]]:
            found: dict[str, list[Verdict]] = {}
            judged = await asyncio.to_thread(
                judge_kin, corpus, members, real_keys, lambda ids: {one: real[one] for one in ids}
            )
            for verdict in judged:
                found.setdefault(verdict.record, []).append(verdict)
            return found

        judging = judging_of(self._opened)
        if judging is not None:
            _, verdicts = await judging.judge_round(results, look, lambda: self.error is not None, self._stop)
            return verdicts
        drafts = [draft for at in sorted(results) for draft in results[at].drafts]
        return await look([Member(record, checked.keys) for record, checked in drafts if checked.kept])


def _row(
    bound: BoundRecipe,
    result: CellResult,
    verdicts: Mapping[str, Sequence[Verdict]],
    questions: Sequence[Question],
) -> dict[str, Any]:
    """One cell as plain values: what was asked, what came back, what each filter said, what it took."""
    cell = result.cell
    prices = {name: price_of(role) for name, role in bound.recipe.roles.bound.items()}
    used = [(prices[q.role], reply.usage) for q in questions for reply in q.replies]
    priced = all(price is not None for price, _ in used)
    cost = in_dollars(sum(price.of(usage) for price, usage in used if price is not None))
    drafts = [_draft(*each, verdicts.get(each[0].id, ())) for each in result.drafts]
    return {
        "cell": cell.id,
        "method": cell.method,
        "template": cell.template,
        "slots": {name: str(value) for name, value in cell.axes.items()},
        "failed": result.cause,
        "questions": [_question(question) for question in questions],
        "drafts": drafts,
        "prompt_tokens": sum(usage.prompt_tokens for _, usage in used),
        "completion_tokens": sum(usage.completion_tokens for _, usage in used),
        "cost": cost if priced else None,
    }


def _question(question: Question) -> dict[str, Any]:
    return {
        "role": question.role,
        "prompt": [message._asdict() for message in question.request.messages],
        "replies": [
            {"text": reply.choice.text, "finish_reason": reply.choice.finish_reason, "model": reply.model}
            for reply in question.replies
        ],
    }


def _draft(record: Record, checked: Checked, later: Sequence[Verdict]) -> dict[str, Any]:
    passed = [*checked.verdicts, *later]
    fate = fate_of(passed)
    return {
        "id": record.id,
        "fields": dict(record.fields),
        "good": fate.accepted,
        "reason": fate.reason,
        "verdicts": [
            {
                "filter": verdict.filter,
                "keep": verdict.keep,
                "reason": verdict.reason,
                "score": verdict.score,
                "evidence": dict(verdict.evidence),
                "survivor": verdict.survivor,
            }
            for verdict in passed
        ],
    }


def _axes_taken(bound: BoundRecipe, log: ReplyLog) -> dict[str, float | None]:
    """What asking the teacher for the values of axes took, which no cell's figures have."""
    keys = replies_behind(bound.loaded, bound.task_variables)
    if (templates := bound.template_question) is not None:
        keys |= templates.pages.replies(templates.asked_as)
    rows = [row for row in log.standing([asked_scope(bound.recipe.asker)]) if str(row.key) in keys]
    price = price_of(bound.recipe.teacher)
    return {
        "questions": len(rows),
        "prompt_tokens": sum(row.usage.prompt_tokens for row in rows),
        "completion_tokens": sum(row.usage.completion_tokens for row in rows),
        "cost": in_dollars(sum(price.of(row.usage) for row in rows)) if price is not None else None,
    }


def _figures(
    bound: BoundRecipe, rows: Sequence[Mapping[str, Any]], axes: Mapping[str, float | None]
) -> dict[str, Any]:
    """`whole_run` has the questions for values of axes, which are asked once, on top of those of cells."""
    whole = _forecast([_measured(row) for row in rows], bound.quotas.target)
    drafts = [draft for row in rows for draft in row["drafts"]]
    good = sum(draft["good"] for draft in drafts)
    tokens = sum(row["prompt_tokens"] + row["completion_tokens"] for row in rows)
    return {
        "drafts": len(drafts),
        "good": good,
        "rejected": dict(Counter(draft["reason"] for draft in drafts if not draft["good"])),
        "failed": dict(Counter(row["failed"] for row in rows if row["failed"])),
        "yield": wilson(good, len(drafts)).to_json(),
        "tokens_a_draft": round(tokens / len(drafts), 1) if drafts else None,
        "target": bound.quotas.target,
        "axis_questions": dict(axes),
        "whole_run": {
            name: {what: round(figure + (axes.get(name) or 0), 9) for what, figure in one.items()}
            for name, one in whole.items()
        }
        if whole is not None
        else None,
    }


def _measured(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "drafts": len(row["drafts"]),
        "good": sum(draft["good"] for draft in row["drafts"]),
        "cells": 1,
        "questions": len(row["questions"]),
        **{name: row[name] for name in ("prompt_tokens", "completion_tokens", "cost")},
    }


def _forecast(cells: Sequence[Mapping[str, Any]], missing: int) -> dict[str, Any] | None:
    """Each amount of a run that needs so many records, with its interval; None where nothing was good."""
    known = [name for name in AMOUNTS if all(cell[name] is not None for cell in cells)]
    found = forecast(
        missing,
        [cell["drafts"] for cell in cells],
        [cell["good"] for cell in cells],
        {name: [float(cell[name]) for cell in cells] for name in known},
    )
    if found is None:
        return None
    return {
        name: {what: round(getattr(one, what), 9) for what in ("value", "low", "high")}
        for name, one in found.items()
    }


def _prices(bound: BoundRecipe) -> dict[str, Any]:
    prices = {name: price_of(role) for name, role in bound.recipe.roles.bound.items()}
    return {name: price.to_json() if price is not None else None for name, price in prices.items()}


def _note_asked(folder: RunFolder, cells: Sequence[Cell]) -> None:
    """Before the first question: these cells' requests are this run's, also where it is killed meanwhile."""
    asked = list(dict.fromkeys([*previewed_cells(folder), *(cell.id for cell in cells)]))
    kept = read_json(folder.preview) if folder.preview.is_file() else {"signature": None, "cells": []}
    write_json(folder.preview, {**kept, "asked": asked})


def _keep(bound: BoundRecipe, rows: Sequence[Mapping[str, Any]]) -> None:
    """A shorter preview of the same recipe takes nothing back of what a longer one measured."""
    kept = read_json(bound.folder.preview)
    if kept["signature"] == bound.signature() and len(kept["cells"]) > len(rows):
        return
    value = {
        "signature": bound.signature(),
        "prices": _prices(bound),
        "cells": [_measured(row) for row in rows],
        "asked": kept["asked"],
    }
    write_json(bound.folder.preview, value)


def forecast_of(bound: BoundRecipe, missing: int, note: Note) -> dict[str, Any] | None:
    """What the last preview of this very recipe says of the records still missing; None without one."""
    if not bound.folder.preview.is_file():
        return None
    kept = read_json(bound.folder.preview)
    if kept["signature"] != bound.signature():
        if kept["signature"] is not None:
            note("the recipe changed since its preview, which says nothing of it any more")
        return None
    cells = kept["cells"]
    if kept["prices"] != _prices(bound):
        cells = [{**cell, "cost": None} for cell in cells]
    found = _forecast(cells, missing)
    return {"previewed": len(cells), **found} if found is not None else None
