"""Filters that ask a model, and the roles that answer them: each needs the other."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from seedbed.core.registry import Registry
from seedbed.recipe.filters import FilterEntry, place_of_filter
from seedbed.recipe.findings import Findings
from seedbed.recipe.generate import Generate
from seedbed.recipe.roles import RehearsalRole, Roles, WireRole

_COMPARES_ARMS = "judge"

# Names of one maker's models that do not begin alike. Any other family is the first word of a name.
_KIN = {
    "openai": ("gpt", "chatgpt", "o", "davinci", "codex"),
    "mistral": ("mistral", "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral"),
    "google": ("gemini", "gemma", "palm"),
    "qwen": ("qwen", "qwq", "qvq"),
    "llama": ("llama", "codellama"),
    "cohere": ("command", "aya"),
    "zhipu": ("glm", "chatglm"),
    "ai2": ("olmo", "tulu"),
    "moonshot": ("kimi", "moonshot"),
}
_FAMILY = {stem: family for family, stems in _KIN.items() for stem in stems}


def family_of(model: str) -> str:
    """The family that a model's name speaks of: `meta-llama/Llama-3.1-8B` is of `llama`.

    By its first word without the maker's name before a slash. A distilled or renamed model may be
    of another family than its name says; `revision` and licence tell no more.
    """
    word = re.match(r"[a-z]*", model.rpartition("/")[2].lower().removeprefix("meta-"))
    stem = word.group() if word is not None else ""
    return _FAMILY.get(stem, stem or model.lower())


def asks_a_model(name: str, registry: Registry) -> bool:
    """Whether there is a filter of this name that asks a model."""
    return name in registry.filters and getattr(registry.filters.get(name), "kind", "") == "model"


def roles_of_filters(filters: Sequence[FilterEntry], registry: Registry) -> dict[str, str]:
    """The role that each filter asks, of those that ask a model."""
    return {
        entry.name: registry.filters.get(entry.name).role
        for entry in filters
        if asks_a_model(entry.name, registry)
    }


def check_judges(
    roles: Roles | None,
    filters: Sequence[FilterEntry],
    asking: Mapping[str, str],
    asked_by_methods: Collection[str],
    generate: Generate | None,
    raw: Any,
    findings: Findings,
    registry: Registry,
    *,
    compares_arms: bool,
) -> None:
    """Report a filter without its role, such a role that nobody asks, and one that is no second opinion.

    `asking` are the roles that filters ask, by filter, `asked_by_methods` those that methods ask; `raw` is
    the section `filters` as it was written. `compares_arms` tells whether `train --judge` may ask which of
    two arms answers better.
    """
    if roles is None or findings.touch(("roles",)):
        return
    for name, role in asking.items():
        if role not in roles.bound:
            findings.add(
                place_of_filter(raw, name),
                f"the filter '{name}' asks the role {role}, which the recipe does not fill; write roles: "
                f"{{{role}: {{model: …, endpoint: …}}}}, or take the filter out",
            )
    asked = {*asking.values(), *asked_by_methods, *([_COMPARES_ARMS] if compares_arms else [])}
    judging = [name for name in roles.bound if name in asking.values() or asks_a_model(name, registry)]
    useless = [name for name in judging if not _is_of_use(name, roles, asked, findings)]
    if not useless:
        _check_family(roles, _judged(filters, asking, asked_by_methods, generate), findings)


def _is_of_use(name: str, roles: Roles, asked: Collection[str], findings: Findings) -> bool:
    """Whether somebody asks the role of a filter and what it says means something; else it is reported."""
    if name not in asked:
        if not findings.touch(("filters",), ("generate", "methods")):
            message = f"nothing asks this role; add the filter {name} to filters, or remove the role"
            findings.add(("roles", name), message)
        return False
    rehearses = isinstance(roles.bound[name], RehearsalRole)
    if rehearses != isinstance(roles.teacher, RehearsalRole):
        which, other = (name, "teacher") if rehearses else ("teacher", name)
        findings.add(
            ("roles", which),
            f"this role rehearses and the {other} does not, so that a score would say nothing; let both "
            "rehearse, or neither",
        )
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the roles `writers` write is scored by the role `judge`; of their kin where it is `allowed`."""

    judge: str
    writers: Sequence[str]
    allowed: bool


def _judged(
    filters: Sequence[FilterEntry],
    asking: Mapping[str, str],
    asked_by_methods: Collection[str],
    generate: Generate | None,
) -> list[_Judged]:
    """By each filter that may favour kin, and by each method with a role for its judge.

    A method's `answers` may be other roles'. A filter without the option `same_family` has no opinion of
    quality to favour anybody by.
    """
    teachers = ["teacher", *(generate.teachers if generate is not None else ())]
    found = [
        _Judged(asking[entry.name], teachers, _allows(entry.options))
        for entry in filters
        if entry.name in asking and hasattr(entry.options, "same_family")
    ]
    for entry in generate.methods if generate is not None else ():
        judge = getattr(entry.options, "judge", "")
        if judge not in asked_by_methods:
            continue
        writers = [*teachers, *(each.role for each in getattr(entry.options, "answers", ()))]
        # Whoever names a writer as the judge has said that it judges itself.
        if judge not in writers:
            found.append(_Judged(judge, writers, _allows(entry.options)))
    return found


def _allows(options: BaseModel) -> bool:
    return getattr(options, "same_family", None) == "allow"


def _check_family(roles: Roles, judged: Sequence[_Judged], findings: Findings) -> None:
    """A judge of the kin of whoever writes must be said, by an option of a filter or method that asks it."""
    allowed = {each.judge for each in judged if each.allowed}
    pairs = dict.fromkeys((each.judge, writer) for each in judged for writer in each.writers)
    told: set[str] = set()
    for name, writing in pairs:
        judge, writer = roles.bound.get(name), roles.bound.get(writing)
        if name in allowed | told or not isinstance(judge, WireRole) or not isinstance(writer, WireRole):
            continue
        family = family_of(judge.model)
        if family == family_of(writer.model):
            findings.add(
                ("roles", name, "model"),
                f"'{judge.model}' is of the {writing}'s own family ({family}), and models favour their kin; "
                "bind a judge of another one, or say that it may, where it is asked: {same_family: allow}",
            )
            told.add(name)
