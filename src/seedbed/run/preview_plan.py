"""What a run would ask next: the same planner, the same lock on the eval, no call and no folder."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatRequest, LoggedReply, Usage
from seedbed.models.budget import worst_case
from seedbed.run.asking import BoundRole, CellAsking
from seedbed.run.binding import BoundRecipe
from seedbed.run.closing import fit
from seedbed.run.licensing import licences_of
from seedbed.run.manifest import Manifest, parts_of
from seedbed.run.planner import Sequences, Yields, plan_round
from seedbed.run.preview import forecast_of
from seedbed.run.pricing import expected_money, price_of
from seedbed.run.rendering import asking_space
from seedbed.run.roles import asked_model
from seedbed.run.session import build_filters, locked_eval
from seedbed.store.folder import workspace_log
from seedbed.store.replies import ReplyLog
from seedbed.store.rounds import CommittedRound, Rounds

_CHARACTERS_A_TOKEN = 4


def plan_of(bound: BoundRecipe, note: Callable[[str], None]) -> dict[str, Any]:
    """Cells that the whole target needs if yields stay as they were; leaks are refused as in a run."""
    with locked_eval(bound, note, f"seedbed plan {bound.recipe.name}") as server:
        build_filters(bound, server)
        info = server.info if server else None
    eval_rows = info.rows if info else 0
    quotas, sequences = bound.quotas.copy(), Sequences(bound.space.cover)
    committed: list[CommittedRound] = []
    if bound.folder.manifest.is_file():
        # Rounds of a recipe that has changed since are made again, and count for nothing here.
        if Manifest.read(bound.folder).value["versions"][-1]["parts"] == parts_of(bound, info):
            rounds = Rounds(bound.folder.rounds)
            committed = rounds.committed(partial=False)
            fit(rounds, quotas, bound.space.cover, bound.ranking)
            for entry in committed:
                sequences.note(rounds.read_plan(entry.number))
        else:
            note("the recipe changed since the last run, which would make its rounds again")
    yields = Yields([entry.measures for entry in committed], mended=len(committed))
    cells = plan_round(bound.space, sequences, quotas, yields, [], most=max(1, 20 * quotas.target))
    asked = asyncio.run(_ask_dry(bound, cells))
    first = asked.first
    prompt = [{"role": m.role, "content": m.content} for m in first.messages] if first else []
    prompt_tokens = sum(len(m["content"]) for m in prompt) // _CHARACTERS_A_TOKEN
    answer_tokens = asked.answer_tokens or _real_tokens(bound)
    expected = Usage(prompt_tokens, answer_tokens) if answer_tokens is not None else None
    return {
        "recipe": bound.recipe.name,
        "target": quotas.target,
        "accepted": quotas.accepted,
        "real_rows": {"train": len(bound.train), "dev": len(bound.dev)},
        "eval_rows": eval_rows,
        "unasked_axes": {name: unasked.to_json() for name, unasked in bound.unasked.items()},
        "cells": len(cells),
        "calls": asked.missing,
        "logged": asked.logged,
        "prompt_tokens_each": prompt_tokens,
        "answer_tokens_each": answer_tokens,
        "max_tokens": asked_model(bound.loaded, bound.recipe.teacher).max_tokens,
        "cost": expected_money(
            price_of(bound.recipe.teacher),
            asked.missing,
            expected,
            worst_case(first) if first else Usage(),
        ),
        "forecast": forecast_of(bound, quotas.missing, note) if cells else None,
        "licences": licences_of(bound.recipe),
        "judged": [
            {"filter": each.name, "role": each.role, "model": asked_model(bound.loaded, role).model}
            for each in bound.model_filters
            if (role := bound.recipe.roles.bound[each.role])
        ],
        "by_axis": _counts(cells),
        "first_prompt": prompt,
    }


class _WouldAsk(Exception):
    """A method came to a question that the log does not answer."""


class _DryExecutor:
    """Answers from the reply log alone and notes the first question."""

    def __init__(self, log: ReplyLog | None) -> None:
        self._log = log
        self.first: ChatRequest | None = None
        self.logged = 0
        self.missing = 0
        self._answers = 0
        self._tokens = 0

    @property
    def answer_tokens(self) -> int | None:
        """Mean tokens of the answers that the log has for these cells."""
        return round(self._tokens / self._answers) if self._answers and self._tokens else None

    async def fill(self, request: ChatRequest, scope: bytes, n: int) -> tuple[LoggedReply, ...]:
        self.first = self.first or request
        standing = self._log.get_many(request.hash, scope, n) if self._log else [None] * n
        replies = tuple(reply for reply in standing if isinstance(reply, LoggedReply))
        self._answers += len(replies)
        self._tokens += sum(reply.usage.completion_tokens for reply in replies)
        if len(replies) < n:
            raise _WouldAsk
        return replies


async def _ask_dry(bound: BoundRecipe, cells: Sequence[Cell]) -> _DryExecutor:
    path = workspace_log(bound.loaded.folder)
    with ExitStack() as stack:
        log = stack.enter_context(ReplyLog.open(path)) if path.is_file() else None
        dry = _DryExecutor(log)
        asked = asked_model(bound.loaded, bound.recipe.teacher)
        roles = {"teacher": BoundRole(asked.model, asked.revision, asked.max_tokens, dry)}
        space = asking_space(bound, roles)
        for cell in cells:
            try:
                await bound.methods[cell.method](cell, CellAsking(cell, space))
                dry.logged += 1
            except _WouldAsk:
                dry.missing += 1
    return dry


def _real_tokens(bound: BoundRecipe) -> int | None:
    """Tokens of an answer that is as long as a real row; None where there is none to compare with."""
    if not bound.train:
        return None
    text = sum(len(str(value)) for row in bound.train for value in row.fields.values())
    names = sum(len(name) + len('"": "", ') for name in bound.task.fields)
    return round((text / len(bound.train) + names) / _CHARACTERS_A_TOKEN)


def _counts(cells: Sequence[Cell]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {"method": Counter(), "template": Counter()}
    for cell in cells:
        counts["method"][cell.method] += 1
        counts["template"][cell.template] += 1
        for name, value in cell.axes.items():
            counts.setdefault(name, Counter())[str(value)] += 1
    return {name: dict(values.most_common()) for name, values in counts.items()}
