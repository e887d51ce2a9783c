"""Served models as students, in the process that asks them: how, and at whose cost.

A trainer's process asks dev rows, the evaluator's those of the eval. What they say goes to the endpoints of
the recipe and nowhere else: no log, no file, no error has any of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from seedbed.core.chat import ChatRequest, Message, Sampling
from seedbed.core.errors import EndpointError, InputError, Problem
from seedbed.core.money import Amount, Charge, Charged, in_dollars
from seedbed.core.protocols import Task
from seedbed.models.budget import Budget, Caps
from seedbed.models.unlogged import Unanswered, UnloggedChat
from seedbed.recipe import WireRole, wire_role
from seedbed.run.pricing import price_of, prices_of
from seedbed.run.roles import limits_of, wire_pool
from seedbed.run.spending import Spending
from seedbed.run.student_prompt import messages_of
from seedbed.student.endpoint import EndpointOptions, Said
from seedbed.student.rows import Row

Tell = Callable[[str], None]

_CHECK = (Message("user", "Answer with the one word: ready"),)


@dataclass
class ServedModels:
    """The `Asking` of `student.endpoint`, from plain code: the calls run in an event loop of its own."""

    task: Task
    options: EndpointOptions
    variables: Mapping[str, Any]
    roles: Mapping[str, WireRole]
    chats: Mapping[str, UnloggedChat]
    charged: Mapping[str, Charged]
    runner: asyncio.Runner

    @classmethod
    @contextmanager
    def open(
        cls, served: Mapping[str, Any], task: Task, options: EndpointOptions, tell: Tell
    ) -> Iterator[ServedModels]:
        roles = {name: _role(name, values) for name, values in served["roles"].items()}
        spending = Spending.read_file(Path(served["spending"]))
        budget = Budget(
            Caps(**{**served["caps"], "seconds": None}),
            spent=Amount(**served["earlier"]),
            note=tell,
            keep=spending.keep,
        )
        charged = {name: Charged() for name in roles}
        chats = {
            name: _chat(name, role, budget, spending, charged[name], tell) for name, role in roles.items()
        }
        with asyncio.Runner() as runner:
            try:
                yield cls(task, options, served["variables"], roles, chats, charged, runner)
            finally:
                runner.run(_close(list(chats.values())))
                # What is neither settled nor on disk by now will never be told.
                spending.lost += budget.outstanding
                spending.open = Amount()
                spending.write()

    def check(self, role: str) -> None:
        self.runner.run(self.chats[role].check(self._request(role, _CHECK)))

    def ask(self, role: str, rows: Sequence[Row]) -> list[Said]:
        requests = [
            self._request(role, messages_of(self.task, self.options, self.variables, row)) for row in rows
        ]
        try:
            choices = self.runner.run(self.chats[role].answers(requests))
        except EndpointError:
            # In its own words an endpoint may repeat what it was asked.
            raise EndpointError(
                f"roles.{role}: its endpoint stopped answering while the rows were asked; see the log of "
                "its server, and run the same command again"
            ) from None
        return [
            Said(None, failed=choice is Unanswered.FAILED)
            if isinstance(choice, Unanswered)
            else Said(choice.text, choice.finish_reason == "length")
            for choice in choices
        ]

    def spent(self, role: str) -> Mapping[str, int]:
        stats = self.chats[role].stats
        return {
            "requests": stats.calls,
            "prompt_tokens": stats.prompt_tokens,
            "completion_tokens": stats.completion_tokens,
        }

    def spent_by_role(self) -> dict[str, dict[str, Any]]:
        """As JSON what each role was asked, and what it cost in US dollars; None where nobody knows."""
        return {
            name: {
                **self.spent(name),
                "cost": None if charged.unpriced_requests else in_dollars(charged.cost),
            }
            for name, charged in self.charged.items()
        }

    def _request(self, role: str, messages: tuple[Message, ...]) -> ChatRequest:
        bound = self.roles[role]
        sampling = Sampling(temperature=self.options.temperature, max_tokens=bound.max_tokens)
        return ChatRequest(bound.model, messages, sampling, revision=bound.revision)


def _role(name: str, values: Mapping[str, Any]) -> WireRole:
    try:
        return wire_role(values, os.environ)
    except ValidationError as error:
        problems = [
            Problem(
                problem["msg"].removeprefix("Value error, "),
                key=".".join(["roles", name, *map(str, problem["loc"])]),
            )
            for problem in error.errors(include_input=False)
        ]
        raise InputError(problems) from None


def _chat(
    name: str, role: WireRole, budget: Budget, spending: Spending, charged: Charged, tell: Tell
) -> UnloggedChat:
    limits = limits_of(role)
    pool = wire_pool(name, role, limits, lambda line: None)
    own = {lane.endpoint: price for lane, price in zip(pool.lanes, prices_of(role), strict=True)}

    def spend(charge: Charge) -> None:
        spending.charge_served(charge)
        charged.add(charge)

    return UnloggedChat(pool, limits, budget.at(price_of(role), own), spend)


async def _close(chats: Sequence[UnloggedChat]) -> None:
    for chat in chats:
        await chat.close()
