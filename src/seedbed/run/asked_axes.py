"""Before a run plans: the teacher is asked for axis values and templates that are missing, once for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from seedbed.core.errors import NoAnswer, RecipeError, SeedbedError
from seedbed.core.protocols import EvalLock
from seedbed.models.recorded import NO_REPLY
from seedbed.run.asked_templates import (
    FEW_TEMPLATES,
    TemplateQuestion,
    new_templates,
    read_templates,
)
from seedbed.run.asked_values import Pages, Standing, Wish, asked_scope, gather
from seedbed.run.asking import BoundRole
from seedbed.run.axis_values import AxisQuestion, Unasked
from seedbed.run.binding import BoundRecipe, with_axes, with_templates
from seedbed.sources.leaks import Kind, check_before_run
from seedbed.text.similarity import unlike

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
        found[name] = await asking.axis(name, unasked)
    bound = with_axes(bound, found) if found else bound
    if bound.unasked_templates is not None:
        bound = with_templates(bound, await asking.templates(bound.unasked_templates))
    return bound


@dataclass(frozen=True)
class _Thing:
    """What is asked for, in the words of notes and errors; `instead` is what else can be written."""

    what: str
    this: str
    plural: str
    instead: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class _Asking:
    bound: BoundRecipe
    role: BoundRole
    lock: EvalLock | None
    note: Callable[[str], None]

    async def axis(self, name: str, unasked: Unasked) -> Sequence[str]:
        question = unasked.question
        assert isinstance(question, AxisQuestion)

        def fresh(values: Sequence[str], known: Sequence[str]) -> list[str]:
            return self._unseen("slot", name, unlike(values, known))

        thing = _Thing(f"axis {name!r}", "this axis", "values", "list the values", ("generate", "axes", name))
        wish = Wish(question.count, question.request, question.read, fresh)
        about = {"axis": name, "ask": question.axis.ask}
        return await self._ask(thing, wish, unasked.standing, question.pages, question.asked_as, about)

    async def templates(self, unasked: Unasked) -> Sequence[str]:
        question = unasked.question
        assert isinstance(question, TemplateQuestion)

        def fresh(texts: Sequence[str], known: Sequence[str]) -> list[str]:
            return self._unseen("template", "templates", new_templates(texts, known, question.slots))

        thing = _Thing(
            "templates", "this recipe", "templates", "write files of your own", ("generate", "templates")
        )
        wish = Wish(question.count, question.request, read_templates, fresh)
        about = {"templates": True, "ask": question.asked.ask}
        found = await self._ask(thing, wish, unasked.standing, question.pages, question.asked_as, about)
        if len(found) < FEW_TEMPLATES:
            self.note(
                f"templates: {len(found)} are few: below {FEW_TEMPLATES} the texts of a set look alike; "
                "raise count"
            )
        return found

    async def _ask(
        self,
        thing: _Thing,
        wish: Wish,
        standing: Standing,
        pages: Pages,
        asked_as: str,
        about: dict[str, Any],
    ) -> Sequence[str]:
        if not standing.exhausted and len(standing.values) < wish.count:
            standing = await self._more(thing, wish, standing, pages, {"asked_as": asked_as, **about})
        found = standing.values[: wish.count]
        if len(found) < FEWEST:
            message = (
                f"the teacher gave {len(found)} {thing.plural} of {wish.count} and has no more; change "
                f"`ask`, or {thing.instead}"
            )
            raise RecipeError([self.bound.loaded.problem(thing.key, message)])
        if len(found) < wish.count:
            self.note(
                f"{thing.what}: the teacher has no more to give; the run goes on with {len(found)} of its "
                f"{wish.count} {thing.plural}"
            )
        return found

    async def _more(
        self, thing: _Thing, wish: Wish, standing: Standing, pages: Pages, about: dict[str, Any]
    ) -> Standing:
        """Ask, and freeze what came as a page."""
        scope = asked_scope(self.bound.recipe.asker)
        try:
            more, exhausted = await gather(wish, standing.values, self.role, scope)
        except NoAnswer as error:
            if error.cause == NO_REPLY:
                message = (
                    f"the recording holds no {thing.plural} for {thing.this} ({error}); record them, or "
                    f"{thing.instead}"
                )
                raise RecipeError([self.bound.loaded.problem(thing.key, message)]) from None
            raise SeedbedError(
                f"{thing.what}: the teacher was asked for {thing.plural} and gave none ({error}); run the "
                f"same command again, change `ask`, or {thing.instead}"
            ) from None
        model = {"model": self.role.model, "revision": self.role.revision}
        path = pages.append({**about, **model, "exhausted": exhausted}, more)
        self.note(f"{thing.what}: {len(more)} {thing.plural} asked of the teacher and frozen in {path}")
        return Standing((*standing.values, *(one.value for one in more)), exhausted)

    def _unseen(self, kind: Kind, name: str, texts: list[str]) -> list[str]:
        """Without the texts that meet a row of the locked eval: they are never frozen."""
        if self.lock is None or not texts:
            return texts
        leaks = {leak.row for leak in check_before_run(self.lock, [(kind, name, text) for text in texts])}
        return [text for at, text in enumerate(texts) if at not in leaks]
