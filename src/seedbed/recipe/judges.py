"""Filters that ask a model, and the roles that answer them: each needs the other."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

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
    if roles.judge is None:
        return
    if "judge" not in asking.values() and "judge" not in asked_by_methods:
        if not findings.touch(("filters",), ("generate", "methods")):
            message = "nothing asks this role; add the filter judge to filters, or remove the role"
            findings.add(("roles", "judge"), message)
        return
    if isinstance(roles.judge, RehearsalRole) != isinstance(roles.teacher, RehearsalRole):
        which, other = (
            ("judge", "teacher") if isinstance(roles.judge, RehearsalRole) else ("teacher", "judge")
        )
        findings.add(
            ("roles", which),
            f"this role rehearses and the {other} does not, so that a score would say nothing; let both "
            "rehearse, or neither",
        )
        return
    _check_family(roles, filters, generate, findings)


def _check_family(
    roles: Roles, filters: Sequence[FilterEntry], generate: Generate | None, findings: Findings
) -> None:
    """A judge of the kin of whoever writes must be said, by an option of a filter or method that asks it."""
    options = [entry.options for entry in filters]
    options += [entry.options for entry in generate.methods] if generate is not None else []
    if any(getattr(each, "same_family", None) == "allow" for each in options):
        return
    judge = roles.judge
    writing = ["teacher", *(generate.teachers if generate is not None else ())]
    for name in dict.fromkeys(writing):
        writer = roles.bound.get(name)
        if not isinstance(writer, WireRole) or not isinstance(judge, WireRole):
            continue
        family = family_of(judge.model)
        if family == family_of(writer.model):
            findings.add(
                ("roles", "judge", "model"),
                f"'{judge.model}' is of the {name}'s own family ({family}), and models favour their kin; "
                "bind a judge of another one, or say that it may, where it is asked: {same_family: allow}",
            )
            return
