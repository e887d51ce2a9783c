"""A judge beside people: how far it agrees with them, and what it may therefore do.

With 100 labels or more a judge *gates* (what it scores low may be dropped) where kappa is at least 0.6 and
the lower end of its 95 % interval at least 0.4; it is *off* where kappa is below 0.4; in between it *sends to
people* what it scores low. With fewer labels it is *uncalibrated*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from seedbed.core.hashing import short_id
from seedbed.core.verdict import Regime, Said
from seedbed.stats.agreement import cohens_kappa
from seedbed.stats.corrected_rate import Share, corrected_rate
from seedbed.stats.intervals import Estimate, wilson

LEAST_LABELS = 100
GATES_FROM = 0.6
GATES_LOW_FROM = 0.4
OFF_BELOW = 0.4


@dataclass(frozen=True)
class Comparison:
    """People and judge on the same records, where a score from `least` on calls a record good.

    `good` and `bad` are the records that people call so: how many of them the judge calls good, calls bad,
    and has no usable answer for.
    """

    least: int
    good: tuple[int, int, int]
    bad: tuple[int, int, int]

    @property
    def labels(self) -> int:
        return sum(self.good) + sum(self.bad)

    @property
    def unjudged(self) -> int:
        return self.good[2] + self.bad[2]

    @cached_property
    def kappa(self) -> Estimate | None:
        """No answer is a class of its own, which people never give. None where people name one class alone:
        nobody can agree with them beyond chance."""
        if not (sum(self.good) and sum(self.bad)):
            return None
        return cohens_kappa([self.good, self.bad, (0, 0, 0)])

    @property
    def regime(self) -> Regime:
        if self.labels < LEAST_LABELS or self.kappa is None:
            return "uncalibrated"
        if self.kappa.value >= GATES_FROM and self.kappa.low >= GATES_LOW_FROM:
            return "gates"
        return "off" if self.kappa.value < OFF_BELOW else "people"

    @property
    def sensitivity(self) -> Share:
        """Of the bad records that were judged, those that the judge calls bad."""
        return Share(self.bad[1], self.bad[0] + self.bad[1])

    @property
    def specificity(self) -> Share:
        """Of the good records that were judged, those that the judge calls good."""
        return Share(self.good[0], self.good[0] + self.good[1])

    def bad_among(self, scores: Mapping[float, int]) -> Estimate | None:
        """The rate of bad records among others with these scores (score -> records), corrected for the
        judge's errors; None where nothing can be said of it."""
        found = Share(sum(n for score, n in scores.items() if score < self.least), sum(scores.values()))
        return corrected_rate(found, self.sensitivity, self.specificity)

    @property
    def hash(self) -> str:
        return short_id("comparison", [self.least, self.good, self.bad])

    def to_json(self) -> dict[str, Any]:
        """`min`, `good` and `bad` say all of it; the rest is what follows, for people."""
        return {
            "min": self.least,
            "good": list(self.good),
            "bad": list(self.bad),
            "regime": self.regime,
            "labels": self.labels,
            "labels_needed": LEAST_LABELS,
            "unjudged": self.unjudged,
            "kappa": self.kappa.to_json() if self.kappa is not None else None,
            "agreement": _told(Share(self.good[0] + self.bad[1], self.labels)),
            "sensitivity": _told(self.sensitivity),
            "specificity": _told(self.specificity),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Comparison:
        return cls(value["min"], tuple(value["good"]), tuple(value["bad"]))


def _told(share: Share) -> dict[str, Any] | None:
    return wilson(share.hits, share.total).to_json() if share.total else None


@dataclass(frozen=True)
class Calibration:
    """Who the judge was (`judge`, plain values by name), and how often people said one thing and it another.

    A score of None is a record that stayed unjudged. The scores are kept as they are, so that another `min`
    needs no new label and no new answer.
    """

    judge: Mapping[str, str | None]
    counts: Mapping[tuple[Said, int | None], int]

    @classmethod
    def of(cls, judge: Mapping[str, str | None], pairs: Iterable[tuple[Said, int | None]]) -> Calibration:
        return cls(judge, Counter(pairs))

    def at(self, least: int) -> Comparison:
        sides = {True: [0, 0, 0], False: [0, 0, 0]}
        for (said, score), records in self.counts.items():
            good = said == "accept" if isinstance(said, str) else said >= least
            sides[good][2 if score is None else int(score < least)] += records
        return Comparison(least, *(tuple(sides[good]) for good in (True, False)))  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, in an order that equal contents share."""
        ordered = sorted(self.counts.items(), key=lambda item: tuple(map(str, item[0])))
        counts = [{"people": said, "judge": score, "records": n} for (said, score), n in ordered]
        return {"judge": dict(self.judge), "counts": counts}

    @classmethod
    def from_json(cls, value: Any) -> Calibration:
        """Raises ValueError for what `to_json` does not write."""
        try:
            judge = {str(name): said for name, said in value["judge"].items()}
            rows = [(row["people"], row["judge"], row["records"]) for row in value["counts"]]
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("it has no judge and counts as `seedbed calibrate` writes them") from error
        for said, score, records in rows:
            if not (_is_said(said) and (score is None or _is_score(score)) and _is_count(records)):
                raise ValueError(
                    f"people {said!r}, judge {score!r}, records {records!r} is no count of labels"
                )
        return cls(judge, {(said, score): records for said, score, records in rows})


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_score(value: Any) -> bool:
    return type(value) is int and 1 <= value <= 5


def _is_said(value: Any) -> bool:
    return value in ("accept", "reject") or _is_score(value)
