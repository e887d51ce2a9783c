"""Served models as students, on the side of the recipe: which are asked, what tells one from another, and
what the process that asks them needs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from seedbed.core.money import Amount
from seedbed.recipe import role_values, roles_of_student
from seedbed.run.binding import BoundRecipe
from seedbed.run.pricing import price_of
from seedbed.run.spending import Spending, caps_of, earlier_spent, is_capped
from seedbed.store.folder import workspace_log
from seedbed.store.replies import ReplyLog
from seedbed.student.arms import Arm


def served_arms(bound: BoundRecipe) -> list[Arm]:
    """An arm for each role that the recipe's student is asked in; none where it is trained."""
    seed = bound.recipe.generate.seed
    return [Arm(name, (), 0, 0, seed=seed, role=name) for name in roles_of_student(bound.recipe.student)]


def identity_of(bound: BoundRecipe, role: str) -> list[Any]:
    """What tells one served model from another, as far as the recipe says it."""
    if not role:
        return []
    values = role_values(bound.recipe.roles.bound[role])
    return [values["model"], values.get("revision"), values["max_tokens"], values["endpoint"]]


def served_request(bound: BoundRecipe) -> dict[str, Any] | None:
    """In plain values what a process needs to ask; None where the student is trained."""
    recipe = bound.recipe
    names = roles_of_student(recipe.student)
    if not names:
        return None
    return {
        "roles": {name: role_values(recipe.roles.bound[name]) for name in names},
        "variables": {"task": dict(bound.task_variables), "labels": list(bound.labels)},
        "caps": asdict(caps_of(recipe)),
        "earlier": _earlier(bound).to_json(),
        "spending": str(bound.folder.served_spending),
    }


def _earlier(bound: BoundRecipe) -> Amount:
    recipe, folder = bound.recipe, bound.folder
    if not is_capped(recipe):
        return Amount()
    spending = Spending.read(folder, rehearsal=bound.rehearsal)
    prices = {name: price_of(role) for name, role in recipe.roles.priced.items()}
    with ReplyLog.open(workspace_log(bound.loaded.folder)) as log:
        return earlier_spent(recipe, folder, log, spending, prices, lambda line: None)
