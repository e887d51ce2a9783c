"""What changed between two versions of a recipe, by key, and whether it was the user who changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from seedbed import __version__
from seedbed.recipe import read_lock
from seedbed.run.binding import BoundRecipe

# What decides verdicts alone: a change of it asks nothing that was asked.
JUDGING = frozenset({"filters", "eval"})
# Keys of the lock behind a part of the signature. The target and the size of a round are part of none.
_KEYS = {
    "task": ("task",),
    "generate": ("generate",),
    "filters": ("filters",),
    "teacher": ("roles.teacher",),
    "judge": ("roles.judge",),
    "templates": ("generate.templates",),
}
_NO_PART = ("generate.target", "generate.round")
_LIBRARIES = ("jinja2", "pydantic")
_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Change:
    """How the recipe in force differs from the version that made the rounds on disk.

    `parts` are names of the signature, `differences` say it by key. `declared`: the user changed
    something that decides what is asked, and not only the software did.
    """

    parts: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    declared: bool = False
    parser_only: bool = False

    def __bool__(self) -> bool:
        return bool(self.parts)

    @property
    def asks(self) -> bool:
        """Whether other questions may be asked, so that the plans on disk hold no more."""
        return bool(set(self.parts) - JUDGING) and not self.parser_only


def software(bound: BoundRecipe) -> dict[str, Any]:
    """Versions of all that makes requests and verdicts and that no recipe names."""
    return {
        "seedbed": __version__,
        "libraries": {name: installed(name) for name in _LIBRARIES},
        "methods": {name: method.version for name, method in bound.methods.items()},
        "filters": {name: number for name, number, *_ in bound.filter_versions},
    }


def change_between(
    known: Mapping[str, Any], old_lock: Path, bound: BoundRecipe, parts: Mapping[str, str], lock: str
) -> Change:
    """The change from a version (its manifest entry, its lock file) to the bound recipe with these parts."""
    before: Mapping[str, str] = known["parts"]
    names = tuple(
        name for name in sorted(before.keys() | parts.keys()) if before.get(name) != parts.get(name)
    )
    if not names:
        return Change()
    found = list(_of_locks(old_lock, lock))
    keys = [key for key, _ in found]
    templates = list(_of_templates(known.get("templates", {}), bound))
    rubrics = list(_of_model_filters(known.get("prompts", {}), known.get("compared", {}), bound))
    of_software = list(_of_software(known.get("software", {}), software(bound)))
    differences = [text for _, text in found] + [text for _, text in templates] + rubrics
    if "real data" in names:
        rows = known.get("rows", {"train": "?", "dev": "?"})
        now = {"train": len(bound.train), "dev": len(bound.dev)}
        differences.append(
            f"real data: {rows['train']} → {now['train']} train rows, {rows['dev']} → {now['dev']} dev rows"
            if rows != now
            else f"real data: other texts in {now['train']} train and {now['dev']} dev rows"
        )
    if "eval" in names:
        differences.append("eval: the locked set, or what of it is compared")
    declared = {
        "real data": True,
        "templates": any(not name.startswith("library/") for name, _ in templates),
        # A recording is data: its hash is its revision, which no key of the recipe shows.
        "teacher": "recorded" in lock and "teacher" in names,
    }
    for part, prefixes in _KEYS.items():
        declared[part] = declared.get(part, False) or any(_under(key, prefixes) for key in keys)
    asking = [name for name in names if name not in JUDGING]
    methods = [text for kind, text in of_software if kind == "methods"]
    return Change(
        parts=names,
        differences=(*differences, *(text for _, text in of_software)),
        # Without the lock of the version before nobody can tell: then it is taken for the user's.
        declared=any(declared.get(name, True) for name in asking) or not old_lock.is_file(),
        parser_only=asking == ["generate"] and bool(methods) and not declared["generate"],
    )


def _under(key: str, prefixes: Sequence[str]) -> bool:
    ours = any(key == prefix or key.startswith(prefix + ".") for prefix in prefixes)
    return ours and not any(key.startswith(other) for other in _NO_PART)


def _of_locks(old: Path, new: str) -> Iterator[tuple[str, str]]:
    if not old.is_file():
        return
    before = flat(read_lock(old.read_text("utf-8")))
    after = flat(read_lock(new))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield key, f"{key}: {difference(before.get(key), after.get(key))}"


def _of_templates(known: Mapping[str, str], bound: BoundRecipe) -> Iterator[tuple[str, str]]:
    for template in sorted(bound.templates.values(), key=lambda each: each.name):
        if known.get(template.name, template.hash) != template.hash:
            yield template.name, f"{template.name}: another text"


def _of_model_filters(
    copies: Mapping[str, str], compared: Mapping[str, str], bound: BoundRecipe
) -> Iterator[str]:
    """`copies` are the files that the version before kept of its prompts, which are named by their hash;
    `compared` are the hashes of how its judges did beside people."""
    for each in bound.model_filters:
        for name, prompt in sorted(each.prompts.items()):
            if name in copies and f"-{prompt.hash[:8]}." not in copies[name]:
                yield f"{name}: another text"
        now = bound.compared.get(each.name)
        if now is not None and compared.get(each.name, now.hash) != now.hash:
            yield f"filters.{each.name}.calibration: other labels"


def _of_software(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("libraries", "methods", "filters"):
        old = before.get(kind, {})
        for name, number in sorted(after[kind].items()):
            if name in old and old[name] != number:
                what = "" if kind == "libraries" else f"{kind.removesuffix('s')} "
                yield kind, f"{what}{name}: version {old[name]} → {number}"


def flat(value: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """A lock as one level: `a.b.c` -> a scalar or a list of them; maps in lists go by their key."""
    if isinstance(value, Mapping):
        result: dict[str, Any] = {}
        for key, item in value.items():
            result |= flat(item, (*path, str(key)))
        return result or {".".join(path): {}}
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        names = [key for item in value for key in item]
        result = {".".join(path): names}
        for item in value:
            for key, options in item.items():
                if options:
                    result |= flat(options, (*path, str(key)))
        return result
    return {".".join(path): value}


def difference(before: Any, after: Any) -> str:
    """What became of one key, short: lists by what came and went."""
    if isinstance(before, list) and isinstance(after, list):
        came = [item for item in after if item not in before]
        went = [item for item in before if item not in after]
        if not came and not went:
            return "in another order"
        count = (
            f"{len(before)} → {len(after)} values" if len(before) != len(after) else f"{len(after)} values"
        )
        told = [f"+ {_shown(item)}" for item in came] + [f"- {_shown(item)}" for item in went]
        more = f", and {len(told) - 6} more" if len(told) > 6 else ""
        return f"{count} ({', '.join(told[:6])}{more})"
    if before is None:
        return f"{_shown(after)} (was not set)"
    if after is None:
        return f"not set (was {_shown(before)})"
    return f"{_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} values"
    text = " ".join(str(value).split())
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
