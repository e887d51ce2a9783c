"""A teacher's licence, before its first call: what the recipe says, held against the table of licences."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from seedbed.core.errors import RecipeError
from seedbed.core.licences import Judgement, Match, Terms, by_own_word, judge, table_version
from seedbed.recipe import LicenceTerms, LoadedRecipe, Recipe, RehearsalRole, Role, WireRole


def judgement_of(recipe: Recipe, role: Role) -> Judgement | None:
    """None where no model is behind the role that anybody knows of.

    A rehearsal makes no training data. Of replies recorded before nobody but the user knows who gave them:
    they may say, and need not.
    """
    if isinstance(role, RehearsalRole):
        return None
    if isinstance(role.licence, LicenceTerms):
        return by_own_word(role.licence.terms, role.licence.allows_training)
    if isinstance(role, WireRole):
        return judge(role.model, urlsplit(role.endpoint.url).hostname, recipe.use, role.licence)
    return judge("", None, recipe.use, role.licence) if role.licence is not None else None


def licence_label(recipe: Recipe, role: Role) -> str | None:
    """What a record's provenance says of it."""
    found = judgement_of(recipe, role)
    return found.licence if found is not None else None


def check_licence(loaded: LoadedRecipe, name: str, role: Role) -> None:
    """Raise RecipeError where the role's terms forbid the use, or are not known."""
    found = judgement_of(loaded.recipe, role)
    if found is None or found.verdict in ("allow", "conditional"):
        return
    message = _denied if found.verdict == "deny" else _unknown
    where = ("roles", name, "licence")
    raise RecipeError([loaded.problem(where, message(loaded.recipe, _model(role), found))])


def licence_facts(recipe: Recipe, name: str, role: Role) -> dict[str, Any] | None:
    """What a card says of the role's licence and the duties that travel with the data."""
    found = judgement_of(recipe, role)
    if found is None:
        return None
    terms = found.terms
    return {
        "role": name,
        "model": _model(role),
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
    """The facts of every role whose licence anybody knows of."""
    found = [licence_facts(recipe, name, role) for name, role in recipe.roles.bound.items()]
    return [facts for facts in found if facts is not None]


def _model(role: Role) -> str:
    return role.model if isinstance(role, WireRole) else "the recorded replies"


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
        why = f"'{found.licence}' is not in the table of licences"
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
