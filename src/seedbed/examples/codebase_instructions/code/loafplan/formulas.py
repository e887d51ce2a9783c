"""Formulas in baker's percentages: every ingredient as a share of the flour, which is 100."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loafplan.errors import FormulaError

# Dough is lost on bowls and hands; measured over a month of scaling, rounded up.
WASTE = 0.02


@dataclass(frozen=True)
class Formula:
    """How one kind of loaf is made. Times are minutes."""

    name: str
    loaf_grams: int
    percentages: Mapping[str, float]
    proof: int
    bake: int
    per_deck: int = 24
    flours: frozenset[str] = field(default_factory=lambda: frozenset({"flour"}))

    def __post_init__(self) -> None:
        flour = sum(share for name, share in self.percentages.items() if name in self.flours)
        if round(flour, 6) != 100:
            raise FormulaError(f"{self.name}: the flours sum to {flour:g} %, and must be 100")
        if self.proof <= 0 or self.bake <= 0:
            raise FormulaError(f"{self.name}: proof and bake are minutes above 0")

    @property
    def hydration(self) -> float:
        """Water as a percentage of the flour; milk does not count."""
        return self.percentages.get("water", 0.0)

    def scale(self, loaves: int) -> dict[str, int]:
        """Grams of each ingredient for so many loaves, with the usual waste on top."""
        dough = loaves * self.loaf_grams * (1 + WASTE)
        unit = dough / sum(self.percentages.values())
        return {name: round(unit * share) for name, share in self.percentages.items()}


def load_formulas(path: Path) -> dict[str, Formula]:
    """Formulas of a TOML file by name: a table each, with the fields of `Formula`."""
    with path.open("rb") as file:
        tables = tomllib.load(file)
    found = {}
    for name, table in tables.items():
        table["flours"] = frozenset(table.get("flours", ["flour"]))
        try:
            found[name] = Formula(name, **table)
        except TypeError as error:
            raise FormulaError(f"{path.name}: {name}: {error}") from error
    return found
