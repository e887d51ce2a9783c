"""`--set a.b=c`: values from the command line laid over the file's."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.core.errors import Problem
from seedbed.core.registry import nearest
from seedbed.recipe.document import Entry, Place, dotted, parse

# A key typed on the command line by mistake must not come back in an error or a log.
_CONFIDENTIAL = ("api_key", "endpoint")
_CONFIDENTIAL_PARTS = ("key", "token", "secret", "password")


def apply_overrides(root: Entry, expressions: Sequence[str]) -> list[Problem]:
    """Set each `dotted.path=YAML value` in the tree, later ones last; what is wrong with them.

    Whatever is said of such a value later names the option itself as its place. Keys are judged
    with all others, when the recipe is validated.
    """
    problems: list[Problem] = []
    for expression in expressions:
        problems += _apply(root, expression)
    return problems


def _apply(root: Entry, expression: str) -> list[Problem]:
    path_text, equals, value_text = expression.partition("=")
    path = path_text.strip().split(".")
    place = Place(_shown(path_text, expression))
    if not equals or not all(path):
        return [place.problem("must have the form a.b=value, for example --set generate.target=500")]
    value, problems = parse(value_text, place.file, lines=False)
    if problems:
        return problems
    if root.value is None:
        root.value = {}
    entry = root
    for at, key in enumerate(path):
        if entry.value is None:
            entry.value = {}
        if not isinstance(entry.value, dict):
            kind = "list" if isinstance(entry.value, list) else "single value"
            return [place.problem(f"'{dotted(path[:at])}' is a {kind}, not a map; set it as a whole")]
        if at == len(path) - 1:
            entry.value[key] = value
        else:
            entry = entry.value.setdefault(key, Entry({}, place))
    return []


def _shown(path_text: str, expression: str) -> str:
    return f"--set {path_text}=***" if _is_confidential(path_text.lower()) else f"--set {expression}"


def _is_confidential(path_text: str) -> bool:
    """Whether the value may be an address or a key, or a role as a whole, which may hold them."""
    *above, last = path_text.strip().split(".")
    if any(part in last for part in _CONFIDENTIAL_PARTS) or nearest(last, list(_CONFIDENTIAL)):
        return True
    return path_text.strip().startswith("role") and len(above) < 2
