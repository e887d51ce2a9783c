"""A verdict: what a rule, verifier, judge or person says about one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias


class Verdict(NamedTuple):
    """`keep` with a `reason` (a stable slug) by one `filter@version`.

    A kept record has a reason only where the filter flags it: worth a look, and no ground to drop
    it. `survivor` names the twin that stays where a record fell as a duplicate. A tuple, because there
    is one for each record and filter, and a frozen dataclass takes four times as long to make.
    """

    record: str
    filter: str
    keep: bool
    reason: str = ""
    score: float | None = None
    evidence: Mapping[str, Any] = {}
    survivor: str | None = None

    @property
    def filter_name(self) -> str:
        return self.filter.partition("@")[0]

    @property
    def is_flag(self) -> bool:
        return self.keep and self.reason != ""


TARGET_FILTER = "target@1"
OVER_TARGET = "over_target"


def over_target(record: str) -> Verdict:
    """The verdict on a good draft that the target no longer needs; a raised target revives it."""
    return Verdict(record, TARGET_FILTER, keep=False, reason=OVER_TARGET)


def revived(record: str) -> Verdict:
    """Takes `over_target` back: the last verdict of a filter on a record is the one that holds."""
    return Verdict(record, TARGET_FILTER, keep=True)


# What a judge may do, by how far it agrees with people: see review/calibration.py.
Regime: TypeAlias = Literal["uncalibrated", "gates", "people", "off"]

# What a person says of a record: whether it is good enough, or a score on the judge's own scale.
Said: TypeAlias = Literal["accept", "reject"] | int

UNJUDGED = "unjudged"
# The cause where nobody was asked, because the judge is off.
JUDGE_OFF = "judge_off"


def unjudged(record: str, by: str, cause: str, evidence: Mapping[str, Any]) -> Verdict:
    """A model filter had no usable answer: the record stays, without a score, and the cause is counted."""
    return Verdict(record, by, keep=True, evidence={UNJUDGED: cause, **evidence})


def by_score(scores: Mapping[str, float | None], filters: Sequence[str]) -> tuple[float, ...]:
    """Sort key by the scores of the model filters in their order: high before low, then those without one."""
    found = (scores.get(name) for name in filters)
    return tuple(float("inf") if score is None else -score for score in found)
