"""How many accepted records each cover value still needs, and which good drafts the target takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Quotas:
    """`target` accepted records in all, and for each cover field a count by value that sums to it."""

    target: int
    by_field: Mapping[str, Mapping[str, int]]
    accepted: int = 0
    taken: dict[str, Counter[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.by_field:
            self.taken.setdefault(name, Counter())

    def take(self, values: Mapping[str, str]) -> bool:
        """Count one good draft if the target and each of its values still want it."""
        if self.accepted >= self.target:
            return False
        for name, quota in self.by_field.items():
            if self.taken[name][values[name]] >= quota.get(values[name], 0):
                return False
        self.accepted += 1
        for name in self.by_field:
            self.taken[name][values[name]] += 1
        return True

    def deficit(self, name: str) -> dict[str, int]:
        """Accepted records still wanted for each value of a cover field."""
        return {
            value: max(0, quota - self.taken[name][value]) for value, quota in self.by_field[name].items()
        }

    @property
    def missing(self) -> int:
        return self.target - self.accepted

    def copy(self) -> Quotas:
        taken = {name: Counter(counts) for name, counts in self.taken.items()}
        return Quotas(self.target, self.by_field, self.accepted, taken)
