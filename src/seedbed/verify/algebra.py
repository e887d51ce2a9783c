"""Answers compared by sympy where exact arithmetic cannot tell: roots, π, symbols, intervals, equations."""

from __future__ import annotations

import json

from seedbed.verify.formulas import NoFormula, read_formula
from seedbed.verify.killable import KillableProcess, Killed
from seedbed.verify.mathematics import Comparison, compare, quantity

SECONDS = 5.0
_MEGABYTES = 1024


class Algebra:
    """`compare` of `verify.mathematics` and, after it, sympy in a process that can be killed.

    Two numbers are left to exact arithmetic, which knows all that is to be known of them. What cannot be
    read, or is not worked out within the limits, is undecided.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._process = KillableProcess(
            "seedbed.verify.symbolic:compare_trees", seconds=seconds, megabytes=_MEGABYTES
        )

    def compare(self, one: str, other: str) -> Comparison:
        result = compare(one, other)
        if result != "undecided" or (quantity(one) is not None and quantity(other) is not None):
            return result
        try:
            # In one order, so that of which of the two is asked first is of no matter.
            trees = sorted((read_formula(one), read_formula(other)), key=json.dumps)
            found: Comparison = self._process(trees)
        except (NoFormula, Killed):
            return "undecided"
        return found

    def close(self) -> None:
        """End the process; it ends by itself with the program."""
        self._process.close()
