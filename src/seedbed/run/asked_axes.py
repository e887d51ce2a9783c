"""Before a run plans: the teacher is asked for the axis values that do not stand yet, and they are frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedbed.core.errors import NoAnswer, RecipeError, SeedbedError
from seedbed.core.protocols import EvalLock
from seedbed.models.recorded import NO_REPLY
from seedbed.run.asked_values import Standing, Wish, asked_scope, gather
from seedbed.run.asking import BoundRole
from seedbed.run.axis_values import Unasked
from seedbed.run.binding import BoundRecipe, with_axes
from seedbed.sources.leaks import check_before_run
from seedbed.text.similarity import unlike

FEWEST = 2


async def ask_axes(
    bound: BoundRecipe, role: BoundRole, lock: EvalLock | None, note: Callable[[str], None]
) -> BoundRecipe:
    """The recipe with a value for every axis. An axis that the teacher cannot fill goes on with what stands.

    Raises RecipeError where fewer than two values stand or a recording has none, SeedbedError where the
    teacher does not answer, EndpointError, BudgetReached.
    """
    found: dict[str, Sequence[str]] = {}
    for name, unasked in bound.unasked.items():
        found[name] = await _ask(bound, name, unasked, role, lock, note)
    return with_axes(bound, found) if found else bound


async def _ask(
    bound: BoundRecipe,
    name: str,
    unasked: Unasked,
    role: BoundRole,
    lock: EvalLock | None,
    note: Callable[[str], None],
) -> Sequence[str]:
    question, standing, key = unasked.question, unasked.standing, ("generate", "axes", name)
    count = question.axis.count

    def fresh(values: Sequence[str], known: Sequence[str]) -> list[str]:
        return _unseen(name, unlike(values, known), lock)

    wish = Wish(count, question.request, question.read, fresh)
    if not standing.exhausted:
        try:
            more, exhausted = await gather(wish, standing.values, role, asked_scope(bound.recipe.asker))
        except NoAnswer as error:
            if error.cause == NO_REPLY:
                message = (
                    f"the recording holds no values for this axis ({error}); record them, or list values"
                )
                raise RecipeError([bound.loaded.problem(key, message)]) from None
            raise SeedbedError(
                f"axis {name!r}: the teacher was asked for values and gave none ({error}); run the same "
                "command again, change `ask`, or list the values"
            ) from None
        about = {
            "axis": name,
            "asked_as": question.asked_as,
            "model": role.model,
            "revision": role.revision,
            "ask": question.axis.ask,
            "exhausted": exhausted,
        }
        path = question.pages.append(about, more)
        standing = Standing((*standing.values, *(one.value for one in more)), exhausted)
        note(f"axis {name!r}: {len(more)} values asked of the teacher and frozen in {path}")
    values = standing.values[:count]
    if len(values) < FEWEST:
        message = (
            f"the teacher gave {len(values)} values of {count} and has no more; change `ask`, or list values"
        )
        raise RecipeError([bound.loaded.problem(key, message)])
    if len(values) < count:
        note(
            f"axis {name!r}: the teacher has no more to give; the run goes on with {len(values)} of its "
            f"{count} values"
        )
    return values


def _unseen(name: str, values: list[str], lock: EvalLock | None) -> list[str]:
    """Without the values that meet a row of the locked eval: they are never frozen."""
    if lock is None or not values:
        return values
    leaks = {leak.row for leak in check_before_run(lock, [("slot", name, value) for value in values])}
    return [value for at, value in enumerate(values) if at not in leaks]
