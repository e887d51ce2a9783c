"""Worked solutions held to what they claim: the answer that goes with them, the equations that they state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seedbed.core.field_text import as_string
from seedbed.verify.mathematics import Comparison, compare, concludes, final_answer, stated_equations
from seedbed.verify.outcome import PASSED, Outcome, failed, undecided


def check_answer(solution: Any, answer: Any, compare: Callable[[str, str], Comparison] = compare) -> Outcome:
    """Whether a solution comes to the answer that goes with it.

    It fails where both are known and differ. A last number that nothing marks, and that no equation comes to,
    may be any number: it can be the answer, and says nothing where it is not.
    """
    solution, answer = as_string(solution), as_string(answer)
    found = final_answer(solution)
    if found is None:
        return undecided("no_final_answer")
    result = compare(found, answer)
    if result == "equal":
        return PASSED
    said = {"answer": answer, "solution": found}
    if result == "different" and concludes(solution):
        return failed("wrong_answer", **said)
    return undecided("undecided_answer", **said)


def check_equations(solution: Any) -> Outcome:
    """Whether every equation that a solution states is true; one that states none is not shown to be."""
    equations = stated_equations(as_string(solution))
    for result, outcome in (("different", failed), ("undecided", undecided)):
        if found := [equation.text for equation in equations if equation.result == result]:
            reason = "wrong_equation" if result == "different" else "undecided_equation"
            return outcome(reason, equations=found)
    return PASSED if equations else undecided("no_equation")
