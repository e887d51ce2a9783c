"""What a run would ask next: the same planner, the same lock on the eval, no call and no folder."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from seedbed.core.cell import Cell
from seedbed.core.chat import CHARACTERS_A_TOKEN, Usage, prompt_characters
from seedbed.models.budget import worst_case
from seedbed.run.asking import BoundRole
from seedbed.run.axis_values import AxisForecast
from seedbed.run.binding import BoundRecipe
from seedbed.run.built_filters import build_filters
from seedbed.run.closing import fit
from seedbed.run.licensing import licences_of
from seedbed.run.manifest import Manifest
from seedbed.run.planner import Sequences, Yields, cells_of_round
from seedbed.run.preview import forecast_of
from seedbed.run.pricing import expected_money, price_of
from seedbed.run.rendering import asking_space
from seedbed.run.replaying import LoggedOnly, Replay, replay
from seedbed.run.roles import asked_model
from seedbed.run.session import locked_eval
from seedbed.run.versions import Change
from seedbed.store.folder import workspace_log
from seedbed.store.replies import ReplyLog
from seedbed.store.rounds import CommittedRound, Rounds


def plan_of(bound: BoundRecipe, note: Callable[[str], None]) -> dict[str, Any]:
    """Cells that the whole target needs if yields stay as they were; leaks are refused as in a run."""
    with locked_eval(bound, note, f"seedbed plan {bound.recipe.name}") as server:
        build_filters(bound, server)
        info = server.info if server else None
    open_ = [*bound.unasked.values(), *([bound.unasked_templates] if bound.unasked_templates else [])]
    axes = sum((unasked.forecast() for unasked in open_), AxisForecast())
    eval_rows = info.rows if info else 0
    change = Change()
    quotas, sequences = bound.quotas.copy(), Sequences(bound.space)
    committed: list[CommittedRound] = []
    if bound.folder.manifest.is_file():
        change = Manifest.look(bound, info).change
        # Plans of a recipe that asks something else now are made again, and count for nothing here.
        if not change.asks:
            rounds = Rounds(bound.folder.rounds)
            committed = rounds.committed(partial=False)
            fit(rounds, quotas, bound.space.cover, bound.ranking)
            for entry in committed:
                sequences.note(rounds.read_plan(entry.number))
        if change:
            note(_what_becomes(change))
    yields = Yields([entry.measures for entry in committed], mended=len(committed))
    cells = list(cells_of_round(sequences, quotas, yields, [], most=max(1, 20 * quotas.target)))
    asked = asyncio.run(_ask_dry(bound, cells))
    first = asked.first
    prompt = [{"role": m.role, "content": m.content} for m in first.messages] if first else []
    prompt_tokens = prompt_characters(first.messages if first else ()) // CHARACTERS_A_TOKEN
    fewest, most = asked.calls
    answer_tokens = asked.answer_tokens or _real_tokens(bound)
    expected = Usage(prompt_tokens, answer_tokens) if answer_tokens is not None else None
    return {
        "recipe": bound.recipe.name,
        "target": quotas.target,
        "accepted": quotas.accepted,
        "real_rows": {"train": len(bound.train), "dev": len(bound.dev)},
        "eval_rows": eval_rows,
        "unasked_templates": bound.unasked_templates.to_json() if bound.unasked_templates else None,
        "unasked_axes": {name: unasked.to_json() for name, unasked in bound.unasked.items()},
        "axis_questions": {
            "calls": axes.questions,
            "prompt_tokens": axes.expected.prompt_tokens,
            "answer_tokens": axes.expected.completion_tokens,
        },
        "cells": len(cells),
        "calls": fewest,
        "calls_at_most": most,
        "logged": asked.answered,
        "changed": list(change.parts),
        "differences": list(change.differences),
        "prompt_tokens_each": prompt_tokens,
        "answer_tokens_each": answer_tokens,
        "max_tokens": asked_model(bound.loaded, bound.recipe.teacher).max_tokens,
        "cost": expected_money(
            price_of(bound.recipe.teacher),
            fewest,
            expected,
            # What the later questions of a cell say is known only when the earlier ones are answered.
            (worst_case(first) if first else Usage()) if most == fewest == asked.missing else None,
            axes.expected,
            axes.worst,
        ),
        "forecast": forecast_of(bound, quotas.missing, note) if cells else None,
        "licences": licences_of(bound.recipe),
        "judged": [
            {"filter": each.name, "role": each.role, "model": asked_model(bound.loaded, role).model}
            for each in bound.model_filters
            if each.prompts and (role := bound.recipe.roles.bound[each.role])
        ],
        "by_axis": _counts(cells),
        "first_prompt": prompt,
    }


def _what_becomes(change: Change) -> str:
    """What the next run makes of the rounds that are there."""
    told = f"{', '.join(change.parts)} changed since the last run"
    if change.asks:
        return f"{told}: its rounds are made again, from the reply log as far as it answers them"
    return (
        f"{told}: new verdicts are passed on what is logged, without a call, before anything is asked. The "
        "figures here go by the old ones; `seedbed refilter --dry-run` says what the new ones are"
    )


async def _ask_dry(bound: BoundRecipe, cells: Sequence[Cell]) -> Replay:
    path = workspace_log(bound.loaded.folder)
    with ExitStack() as stack:
        log = stack.enter_context(ReplyLog.open(path)) if path.is_file() else None
        roles = {}
        for name in bound.asked_roles:
            asked = asked_model(bound.loaded, bound.recipe.roles.bound[name])
            roles[name] = BoundRole(asked.model, asked.revision, asked.max_tokens, LoggedOnly(None))
        return await replay(cells, asking_space(bound, roles), bound.methods, log)


def _real_tokens(bound: BoundRecipe) -> int | None:
    """Tokens of an answer that is as long as a real row; None where there is none to compare with."""
    if not bound.train:
        return None
    text = sum(len(str(value)) for row in bound.train for value in row.fields.values())
    names = sum(len(name) + len('"": "", ') for name in bound.task.fields)
    return round((text / len(bound.train) + names) / CHARACTERS_A_TOKEN)


def _counts(cells: Sequence[Cell]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {"method": Counter(), "template": Counter()}
    for cell in cells:
        counts["method"][cell.method] += 1
        counts["template"][cell.template] += 1
        for name, value in cell.axes.items():
            counts.setdefault(name, Counter())[str(value)] += 1
    return {name: dict(values.most_common()) for name, values in counts.items()}
