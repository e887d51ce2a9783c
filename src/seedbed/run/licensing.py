"""Licences of all that may answer, before the first call: what the recipe says, held against the table."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from seedbed.core.errors import RecipeError
from seedbed.core.licences import Judgement, Match, Terms, all_terms, by_own_word, judge, table_version
from seedbed.core.registry import nearest
from seedbed.recipe import (
    LicenceTerms,
    LoadedRecipe,
    Recipe,
    RecordedRole,
    RehearsalRole,
    Role,
    WireRole,
    roles_asked,
    roles_of_filters,
    roles_of_student,
)
from seedbed.run.registry import registry


def judgements_of(recipe: Recipe, role: Role) -> list[tuple[str, Judgement]]:
    """Each model that may answer, by its endpoint's name for it, and what is to be thought of its terms.

    One for each endpoint of a role; none where no model is behind it that anybody knows of. A rehearsal
    makes no training data. Of replies recorded before nobody but the user knows who gave them: they may
    say, and need not.
    """
    if isinstance(role, RehearsalRole):
        return []
    if not isinstance(role, WireRole):
        found = _judge(recipe, role, "", None) if role.licence is not None else None
        return [("the recorded replies", found)] if found is not None else []
    named = [(each.model or role.model, urlsplit(each.url).hostname) for each in role.endpoints]
    return [(model, _judge(recipe, role, model, host)) for model, host in named]


def _judge(recipe: Recipe, role: WireRole | RecordedRole, model: str, host: str | None) -> Judgement:
    if isinstance(role.licence, LicenceTerms):
        return by_own_word(role.licence.terms, role.licence.allows_training)
    return judge(model, host, recipe.use, role.licence)


def licence_labels(recipe: Recipe, role: Role) -> list[str | None]:
    """What a record's provenance says of an answer, for each endpoint of the role."""
    return [found.licence for _, found in judgements_of(recipe, role)]


def check_licence(loaded: LoadedRecipe, name: str, role: Role) -> None:
    """Raise RecipeError where the terms of any model behind the role forbid the use, or are not known."""
    messages = [
        (_denied if found.verdict == "deny" else _unknown)(loaded.recipe, model, found)
        for model, found in judgements_of(loaded.recipe, role)
        if found.verdict not in ("allow", "conditional")
    ]
    if messages:
        where = ("roles", name, "licence")
        raise RecipeError([loaded.problem(where, message) for message in dict.fromkeys(messages)])


def writing_roles(recipe: Recipe) -> dict[str, Role]:
    """The roles whose answers stand in the data or decide what does, by name.

    What a student alone is asked in is examined, and nothing is trained on its answers.
    """
    asked = {
        "teacher",
        *recipe.generate.teachers,
        *roles_asked(recipe.generate, registry()),
        *roles_of_filters(recipe.filters, registry()).values(),
    }
    examined = set(roles_of_student(recipe.student)) - asked
    return {name: role for name, role in recipe.roles.bound.items() if name not in examined}


def licence_facts(recipe: Recipe, name: str, role: Role) -> list[dict[str, Any]]:
    """What a card says of the licences of the role's models and the duties that travel with the data."""
    facts: list[dict[str, Any]] = []
    for model, found in judgements_of(recipe, role):
        if (fact := _fact(recipe, name, model, found)) not in facts:
            facts.append(fact)
    return facts


def _fact(recipe: Recipe, name: str, model: str, found: Judgement) -> dict[str, Any]:
    terms = found.terms
    return {
        "role": name,
        "model": model,
        "use": recipe.use,
        "licence": found.licence,
        "verdict": found.verdict,
        "stated": found.stated,
        "obligations": list(found.obligations),
        "source": terms.source if terms is not None else None,
        "section": terms.section if terms is not None else None,
        "checked": terms.date if terms is not None else None,
        "table": table_version(),
    }


def licences_of(recipe: Recipe) -> list[dict[str, Any]]:
    """The facts of every role that writes or decides and whose licence anybody knows of."""
    return [
        fact for name, role in writing_roles(recipe).items() for fact in licence_facts(recipe, name, role)
    ]


def _denied(recipe: Recipe, model: str, found: Judgement) -> str:
    if found.terms is None:
        return (
            f"the terms of '{model}' ({found.licence}) do not allow training other models on its answers, as "
            "the recipe itself says; name another model"
        )
    return (
        f"'{model}' comes under {_row(found.terms)}, which forbids training a model for use: {recipe.use} on "
        "its answers; name another model, or, if you have other terms in writing, state them: "
        f"{OWN_WORD}"
    )


# What to paste where the user has read the terms. The date is theirs to fill in.
OWN_WORD = 'licence: {terms: "which terms, read on which day", allows_training: true}'


def _unknown(recipe: Recipe, model: str, found: Judgement) -> str:
    if found.terms is not None:
        believed = found.terms.verdicts[recipe.use]
        why = (
            f"the terms {_row(found.terms)} are listed as '{believed}' for use: {recipe.use}, but unverified"
        )
    elif found.licence is not None:
        words = [terms.id for terms in all_terms()]
        close = nearest(found.licence, words)
        meant = f"did you mean {close!r}?" if close else "it has: " + ", ".join(words)
        why = f"'{found.licence}' is not in the table of licences ({meant})"
    else:
        why = f"nobody has said under which terms '{model}' answers{_listed(found.match)}"
    return (
        f"{why}, so whether other models may be trained on its answers is unknown; read its terms, and if "
        f"they allow it paste into the role: {_line_to_paste(found)}"
    )


def _listed(match: Match | None) -> str:
    if match is None:
        return ""
    return f" (listed as {match.terms.id}, unverified; see {match.source})"


def _line_to_paste(found: Judgement) -> str:
    """A licence of the table where its text is checked and the model alone is not; else the user's word."""
    if found.licence is None and found.match is not None and found.match.terms.checked:
        return f"licence: {found.match.terms.id}"
    if found.licence is None and found.match is None:
        return f"licence: apache-2.0 (or what it is), or {OWN_WORD}"
    return OWN_WORD


def _row(terms: Terms) -> str:
    return f"{terms.id} ({terms.name}, {terms.section}; {terms.source}; checked: {terms.date})"
