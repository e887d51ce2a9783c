"""Scaling a baker's recipe."""

PERCENT = 100


def scaled(recipe: dict[str, float], flour: float) -> dict[str, float]:
    """Grams of every ingredient for so much flour, by baker's percentages."""
    return {name: round(flour * share / PERCENT, 1) for name, share in recipe.items()}


def hydration(grams: dict[str, float]) -> float:
    """Water as a share of flour; flours may be several, named `flour …`."""
    flour = sum(weight for name, weight in grams.items() if name.startswith("flour"))
    return grams.get("water", 0) / flour if flour else 0.0


def schedule(start: int, steps: list[tuple[str, int]]) -> list[tuple[str, str]]:
    """Clock times of the steps, each (name, minutes), that follow one another."""
    minute, plan = start, list[tuple[str, str]]()
    for name, minutes in steps:
        plan.append((f"{minute // 60:02}:{minute % 60:02}", name))
        minute += minutes
    return plan
