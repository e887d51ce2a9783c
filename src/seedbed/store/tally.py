"""What rows of the reply log come to, read in one pass over each of its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from seedbed.core.chat import Usage
from seedbed.store.reply_file import REPLY

# Rows of a query over the log, to which (query, what follows its condition) is told.
Ask = Callable[[str, str], Sequence[Sequence[Any]]]

_TOLD = "coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)"
# Tokens of a row that were charged beyond those told: what nobody knows to be read or written.
_BEYOND = f"max(0, coalesce(charged, 0) - ({_TOLD}))"


@dataclass(frozen=True, slots=True)
class Spent:
    """What the rows of some scopes were charged. `cost` sums those whose price was known.

    `by_rule` is the part of `cost` that no endpoint told: bounds, charged to attempts and to replies
    without usage. The other rows have no price: `unpriced_calls` of them, which told `unpriced`
    tokens and were charged `unpriced_beyond` more.
    """

    tokens: int
    cost: int
    by_rule: int
    priced_calls: int
    unpriced_calls: int
    unpriced: Usage
    unpriced_beyond: int

    def __add__(self, other: Spent) -> Spent:
        return Spent(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Tally:
    """`calls` are requests whose end is in the log: answered, refused and failed; a killed process leaves
    none. `answers` are choices, no refusals; `forgotten` are both that count and cost and answer nothing.
    `attempts` counts failed tries by cause. `tokens` are those of all rows, as far as they are known.
    """

    calls: int
    answers: int
    forgotten: int
    attempts: Counter[str]
    tokens: Usage
    spent: Spent

    def __add__(self, other: Tally) -> Tally:
        """Of other scopes, what both come to."""
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def read_tally(ask: Ask) -> Tally:
    """The tally of the rows that `ask` looks at."""
    by_rule = f"CASE WHEN {_BEYOND} > 0 THEN cost ELSE 0 END"
    replies = _sums("first_of_call", by_rule)
    ((answers, forgotten, *totals),) = ask(
        f"SELECT sum(kind = {REPLY} AND draw >= 0), sum(draw < 0), {replies} FROM replies WHERE true", ""
    )
    totals = [total or 0 for total in totals]
    attempts: Counter[str] = Counter()
    failed = f"SELECT cause, {_sums('1', 'cost')} FROM attempts WHERE true"
    for cause, *sums in ask(failed, " GROUP BY cause"):
        attempts[cause] = sums[0]
        totals = [total + (value or 0) for total, value in zip(totals, sums, strict=True)]
    calls, prompt, completion, charged, cost, bounds, priced, unpriced, *told, beyond = totals
    return Tally(
        calls=calls,
        answers=answers or 0,
        forgotten=forgotten or 0,
        attempts=attempts,
        tokens=Usage(prompt, completion),
        spent=Spent(charged, cost, bounds, priced, unpriced, Usage(*told), beyond),
    )


def _sums(calls: str, by_rule: str) -> str:
    """What is summed over the rows of a table, of which `calls` says how many requests one is."""
    unpriced = ("prompt_tokens", "completion_tokens", _BEYOND)
    return ", ".join(
        [
            f"sum({calls})",
            "sum(prompt_tokens)",
            "sum(completion_tokens)",
            f"sum(coalesce(charged, {_TOLD}))",
            "sum(cost)",
            f"sum({by_rule})",
            f"sum(CASE WHEN cost IS NULL THEN 0 ELSE {calls} END)",
            f"sum(CASE WHEN cost IS NULL THEN {calls} END)",
            *(f"sum(CASE WHEN cost IS NULL THEN {tokens} END)" for tokens in unpriced),
        ]
    )
