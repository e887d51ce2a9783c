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


def check_judges(
    roles: Roles | None,
    filters: Sequence[FilterEntry],
    asked_by_methods: Collection[str],
    generate: Generate | None,
    raw: Any,
    findings: Findings,
    registry: Registry,
) -> None:
    """Report a model filter without its role, a judge that nobody asks, and one that is no second opinion.

    `asked_by_methods` are the roles that methods ask, `raw` is the section `filters` as it was written.
    """
    asking = {
        entry.name: registry.filters.get(entry.name).role
        for entry in filters
        if getattr(registry.filters.get(entry.name), "kind", "") == "model"
    }
    if roles is None or findings.touch(("roles",)):
        return
    for name, role in asking.items():
        if role not in roles.bound:
            findings.add(
                place_of_filter(raw, name),
                f"the filter '{name}' asks the role {role}, which the recipe does not fill; write roles: "
                f"{{{role}: {{model: …, endpoint: …}}}}, or take the filter out",
            )
    if roles.judge is not None and not _is_of_use(roles, asking.values(), asked_by_methods, findings):
        return
    _check_family(roles, _judged(filters, asking, asked_by_methods, generate), findings)


def _is_of_use(
    roles: Roles, asked_by_filters: Collection[str], asked_by_methods: Collection[str], findings: Findings
) -> bool:
    """Whether somebody asks the role `judge` and its score says something; else it is reported."""
    if "judge" not in asked_by_filters and "judge" not in asked_by_methods:
        if not findings.touch(("filters",), ("generate", "methods")):
            message = "nothing asks this role; add the filter judge to filters, or remove the role"
            findings.add(("roles", "judge"), message)
        return False
    if isinstance(roles.judge, RehearsalRole) != isinstance(roles.teacher, RehearsalRole):
        which, other = (
            ("judge", "teacher") if isinstance(roles.judge, RehearsalRole) else ("teacher", "judge")
        )
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
    """By each filter, and by each method with a role for its judge; its `answers` may be other roles'."""
    teachers = ["teacher", *(generate.teachers if generate is not None else ())]
    found = [
        _Judged(asking[entry.name], teachers, _allows(entry.options))
        for entry in filters
        if entry.name in asking
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
