"""The licence table: whether other models may be trained on a model's answers, and under which duties.

Its rows are data of the package (`licences.toml`), read once at the first question. A row that nobody has
checked says what is believed and acts as unknown; so does a licence that the table does not have. Unknown
is no permission: it waits for the user's own word.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

Verdict = Literal["allow", "conditional", "deny", "unknown"]
Use = Literal["research", "commercial", "competing"]

USES: tuple[Use, ...] = ("research", "commercial", "competing")
UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Terms:
    """One licence. `checked` is the day (ISO) its text was read, None where nobody has."""

    id: str
    name: str
    verdicts: Mapping[str, Verdict]
    obligations: tuple[str, ...]
    source: str
    section: str
    checked: str | None

    @property
    def date(self) -> str:
        return self.checked or UNVERIFIED


@dataclass(frozen=True, slots=True)
class Match:
    """The licence that the table has for a model's name or host, and where that is said."""

    terms: Terms
    source: str
    checked: str | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the table or the user says of one model for one use. `licence` is None where nothing is known.

    `match` is the table's row for the model's name or host, whatever else was decided by.
    """

    verdict: Verdict
    licence: str | None = None
    terms: Terms | None = None
    match: Match | None = None
    stated: bool = False

    @property
    def obligations(self) -> tuple[str, ...]:
        return self.terms.obligations if self.terms is not None else ()


@dataclass(frozen=True)
class _Table:
    version: str
    licences: Mapping[str, Terms]
    models: tuple[Mapping[str, Any], ...]


@cache
def _table() -> _Table:
    raw = tomllib.loads((resources.files("seedbed.core") / "licences.toml").read_text("utf-8"))
    licences = {row["id"]: _terms(row) for row in raw["licence"]}
    return _Table(raw["version"], licences, tuple(raw["model"]))


def _terms(row: Mapping[str, Any]) -> Terms:
    verdict = row["verdict"]
    return Terms(
        id=row["id"],
        name=row["name"],
        verdicts=verdict if isinstance(verdict, dict) else dict.fromkeys(USES, verdict),
        obligations=tuple(row.get("obligations", ())),
        source=row["source"],
        section=row["section"],
        checked=row.get("checked"),
    )


def table_version() -> str:
    """The day of the table's last change."""
    return _table().version


def all_terms() -> tuple[Terms, ...]:
    return tuple(_table().licences.values())


def terms_of(licence: str) -> Terms | None:
    """The row of a licence by its id (an SPDX id, or a word of the table), without regard to case."""
    return _table().licences.get(licence.strip().lower())


def match_of(model: str, host: str | None) -> Match | None:
    """The first row that fits the model's name (after any `owner/`) or the host that serves it."""
    name = model.rpartition("/")[2]
    for row in _table().models:
        pattern, of = (row["name"], name) if "name" in row else (row["host"], host or "")
        search = re.fullmatch if "name" in row else re.search
        if search(pattern, of, re.IGNORECASE):
            return Match(_table().licences[row["licence"]], row["source"], row.get("checked"))
    return None


def judge(model: str, host: str | None, use: Use, stated: str | None) -> Judgement:
    """Whether a model's answers may train other models. `stated` is the licence that the user names.

    A licence that the user names counts, unless the table has checked that the model comes under one
    which forbids the use.
    """
    match = match_of(model, host)
    of_name = match.terms if match is not None and match.checked and match.terms.checked else None
    forbidden = of_name is not None and of_name.verdicts[use] == "deny"
    if of_name is not None and (stated is None or forbidden):
        return Judgement(of_name.verdicts[use], of_name.id, of_name, match)
    if stated is None:
        return Judgement("unknown", match=match)
    terms = terms_of(stated)
    if terms is None or terms.checked is None:
        return Judgement("unknown", stated.strip(), terms, match, stated=True)
    return Judgement(terms.verdicts[use], terms.id, terms, match, stated=True)


def by_own_word(terms: str, allows_training: bool) -> Judgement:
    """The user has read terms that the table does not have, and answers for what they say."""
    return Judgement("allow" if allows_training else "deny", terms, stated=True)
