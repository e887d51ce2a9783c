"""Before a run plans: the teacher is asked for axis values and templates that are missing, once for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from seedbed.core.errors import NoAnswer, RecipeError, SeedbedError
from seedbed.core.protocols import EvalLock
from seedbed.models.recorded import NO_REPLY
from seedbed.run.asked_templates import FEW_TEMPLATES
from seedbed.run.asked_values import AskedQuestion, Standing, asked_scope, gather
from seedbed.run.asking import BoundRole
from seedbed.run.axis_values import Unasked
from seedbed.run.binding import BoundRecipe, with_axes, with_templates
from seedbed.sources.leaks import check_before_run

FEWEST = 2


async def ask_axes(
    bound: BoundRecipe, role: BoundRole, lock: EvalLock | None, note: Callable[[str], None]
) -> BoundRecipe:
    """The recipe with a value for every axis, and its templates. What the teacher cannot fill goes on with
    what stands.

    Raises RecipeError where fewer than two values stand or a recording has none, SeedbedError where the
    teacher does not answer, EndpointError, BudgetReached.
    """
    found: dict[str, Sequence[str]] = {}
    asking = _Asking(bound, role, lock, note)
    for name, unasked in bound.unasked.items():
        found[name] = await asking.ask(unasked)
    bound = with_axes(bound, found) if found else bound
    if bound.unasked_templates is not None:
        templates = await asking.ask(bound.unasked_templates)
        if len(templates) < FEW_TEMPLATES:
            note(
                f"templates: {len(templates)} are few: below {FEW_TEMPLATES} the texts of a set look alike; "
                "raise count"
            )
        bound = with_templates(bound, templates)
    return bound


@dataclass(frozen=True)
class _Asking:
    bound: BoundRecipe
    role: BoundRole
    lock: EvalLock | None
    note: Callable[[str], None]

    async def ask(self, unasked: Unasked) -> Sequence[str]:
        """What is wanted, or as much of it as the teacher has."""
        question, standing = unasked.question, unasked.standing
        if not standing.exhausted and len(standing.values) < question.count:
            standing = await self._more(question, standing)
        found, words = standing.values[: question.count], question.words
        if len(found) < FEWEST:
            message = (
                f"the teacher gave {len(found)} {words.plural} of {question.count} and has no more; change "
                f"`ask`, or {words.instead}"
            )
            raise RecipeError([self.bound.loaded.problem(words.key, message)])
        if len(found) < question.count:
            self.note(
                f"{words.what}: the teacher has no more to give; the run goes on with {len(found)} of its "
                f"{question.count} {words.plural}"
            )
        return found

    async def _more(self, question: AskedQuestion, standing: Standing) -> Standing:
        """Ask, and freeze what came as a page."""
        scope, words = asked_scope(self.bound.recipe.asker), question.words
        unseen = partial(self._unseen, question)
        try:
            more, exhausted = await gather(question, standing.values, self.role, scope, unseen)
        except NoAnswer as error:
            if error.cause == NO_REPLY:
                message = (
                    f"the recording holds no {words.plural} for {words.this} ({error}); record them, or "
                    f"{words.instead}"
                )
                raise RecipeError([self.bound.loaded.problem(words.key, message)]) from None
            raise SeedbedError(
                f"{words.what}: the teacher was asked for {words.plural} and gave none ({error}); run the "
                f"same command again, change `ask`, or {words.instead}"
            ) from None
        model = {"model": self.role.model, "revision": self.role.revision}
        about = {"asked_as": question.asked_as, **question.about, **model, "exhausted": exhausted}
        path = question.pages.append(about, more)
        self.note(f"{words.what}: {len(more)} {words.plural} asked of the teacher and frozen in {path}")
        return Standing((*standing.values, *(one.value for one in more)), exhausted)

    def _unseen(self, question: AskedQuestion, texts: list[str]) -> list[str]:
        """Without the texts that meet a row of the locked eval: they are never frozen."""
        if self.lock is None or not texts:
            return texts
        items = [(question.kind, question.name, text) for text in texts]
        leaks = {leak.row for leak in check_before_run(self.lock, items)}
        return [text for at, text in enumerate(texts) if at not in leaks]
