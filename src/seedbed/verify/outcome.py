"""What a verifier found: that a claim is true, that it is false, or that neither can be said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Finding: TypeAlias = Literal["passed", "failed", "undecided"]

_WORST_FIRST: tuple[Finding, ...] = ("failed", "undecided", "passed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`passed` is what was worked out and holds; whatever was not worked out is `undecided`.

    `reason` is the stable slug of a verdict where something failed or is undecided.
    """

    finding: Finding
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


PASSED = Outcome("passed")


def failed(reason: str, **evidence: Any) -> Outcome:
    return Outcome("failed", reason, evidence)


def undecided(reason: str, **evidence: Any) -> Outcome:
    return Outcome("undecided", reason, evidence)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The first that failed, else the first that is undecided, else that all passed; of none, undecided."""
    return min(
        outcomes,
        key=lambda outcome: _WORST_FIRST.index(outcome.finding),
        default=undecided("nothing_to_verify"),
    )
