"""Labels for the bags: name, weight, ingredients by weight, and allergens in capitals."""

from loafplan.formulas import Formula
from loafplan.units import show

ALLERGENS = {"flour": "wheat", "rye": "rye", "spelt": "spelt", "milk": "milk", "butter": "milk", "egg": "egg"}


def label(formula: Formula) -> str:
    """Two lines: what it is, and what is in it, the most first. Equal shares stand by name."""
    shares = sorted(formula.percentages.items(), key=lambda item: (-item[1], item[0]))
    names = [name.upper() if name in ALLERGENS else name for name, _ in shares]
    title = formula.name.replace("_", " ").capitalize()
    return f"{title}, {show(formula.loaf_grams)}\nIngredients: {', '.join(names)}"


def allergens(formula: Formula) -> list[str]:
    """The allergens of a formula, each once, by name."""
    return sorted({ALLERGENS[name] for name in formula.percentages if name in ALLERGENS})
