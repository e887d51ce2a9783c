"""The three arms of a proof: real rows only, synthetic rows only, and the mix.

An arm is a training set. All arms have the same total where the rows allow it, so that what differs
between their scores is what the rows teach and not how many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seedbed.core.hashing import seed_from
from seedbed.student.mixture import Mixture, mix, total_of
from seedbed.student.rows import Row

REAL_ONLY = "real_only"
SYNTHETIC_ONLY = "synthetic_only"
MIX = "mix"


@dataclass(frozen=True, slots=True)
class Arm:
    """A training set of `real` + `synthetic` rows, learnt from with `seed`.

    `note` says what it lacks, and is empty if nothing. `key` names what decides what is learnt from it: see
    `run/training.py`. With a `role` there are no rows and nothing is learnt: a served model is asked in it.
    """

    name: str
    rows: tuple[Row, ...]
    real: int
    synthetic: int
    note: str = ""
    seed: int = 0
    key: str = ""
    role: str = ""

    def to_json(self) -> dict[str, Any]:
        """What a result says of it; its rows by their number."""
        return {
            "name": self.name,
            "rows": len(self.rows),
            "real": self.real,
            "synthetic": self.synthetic,
            "note": self.note,
        }


def build_arms(
    real: Sequence[Row],
    synthetic: Sequence[Row],
    mixture: Mixture,
    seed: int = 0,
    rank: Mapping[str, int] | None = None,
) -> list[Arm]:
    """The arms real_only, synthetic_only and mix, in that order.

    The size of each is that of the whole mix: see `Mixture`. An arm that stays below it says so in its note;
    beside all real rows (`fixed` real) there are no more than those for real_only, and no note.

    Rows are chosen by the hash of their id with the seed, label by label in the proportions of
    their side, so that one more row moves at most a few others and a larger arm contains the
    smaller one. Generated rows that `rank` names come by that instead, the lowest first. Raises MixtureError
    where rules of slices cannot be kept.
    """
    real_rows, synthetic_rows = in_order(real, seed), in_order(synthetic, seed, rank)
    total = total_of(mixture, len(real), len(synthetic))
    mixed = mix(real_rows, synthetic_rows, mixture)
    of_real = len(real) if mixture.fixed == "real" else total
    return [
        _arm(REAL_ONLY, real_rows[:of_real], (), _lacking(of_real, len(real), "real"), seed),
        _arm(SYNTHETIC_ONLY, (), synthetic_rows[:total], _lacking(total, len(synthetic), "synthetic"), seed),
        _arm(MIX, mixed.real, mixed.synthetic, mixed.note, seed),
    ]


def _arm(name: str, real: Sequence[Row], synthetic: Sequence[Row], note: str, seed: int) -> Arm:
    return Arm(name, (*real, *synthetic), len(real), len(synthetic), note, seed)


def in_order(rows: Sequence[Row], seed: int, rank: Mapping[str, int] | None = None) -> list[Row]:
    """The rows so that every prefix is a sample stratified by label.

    Within a label rows stand by hash, or by `rank` where it names them; the k-th of a label's n rows comes at
    k/n of the whole. A prefix therefore holds each label in proportion, to one row, and any label as early as
    can be: its first row comes at 0. Answers that are all different share nothing out.
    """
    ranks = rank or {}

    def place_of(row: Row) -> tuple[int, int, str]:
        return ranks.get(row.id, len(ranks)), seed_from(seed, row.id), row.id

    ordered = sorted(rows, key=place_of)
    of_label = Counter(row.answer for row in rows)
    taken: Counter[str] = Counter()
    place: list[tuple[float, int]] = []
    for position, row in enumerate(ordered):
        place.append((taken[row.answer] / of_label[row.answer], position))
        taken[row.answer] += 1
    return [ordered[position] for _, position in sorted(place)]


def _lacking(total: int, available: int, kind: str) -> str:
    if not available:
        return f"there are no {kind} rows"
    if available >= total:
        return ""
    return f"{available:,} rows instead of {total:,}: there are no more {kind} rows"
