"""What went wrong with arms, told once where it is the same of several."""

from __future__ import annotations

import re
from collections.abc import Mapping

# A log lies in a folder that is named by the arm's key: by its place alone no two texts differ.
_ID = re.compile(r"\b[0-9a-f]{16,}\b")


def told_once(problems: Mapping[str, str]) -> list[str]:
    """By arm what was wrong with it (`arm NAME: why`) -> a text for each cause, with the names of its arms.

    The text, and a log that it names, is that of the first of them.
    """
    arms: dict[str, list[str]] = {}
    whys: dict[str, str] = {}
    for name, problem in problems.items():
        why = problem.removeprefix(f"arm {name}: ")
        cause = _ID.sub("", why)
        arms.setdefault(cause, []).append(name)
        whys.setdefault(cause, why)
    return [f"{_named(names)}: {whys[cause]}" for cause, names in arms.items()]


def _named(arms: list[str]) -> str:
    return f"arm {arms[0]}" if len(arms) == 1 else f"arms {', '.join(arms[:-1])} and {arms[-1]}"
