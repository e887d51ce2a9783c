"""The calibration files that a recipe names: read, and held against the judge that the recipe asks now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from seedbed.core.errors import InputError, Problem
from seedbed.core.hashing import short_id
from seedbed.filters.scoring import ScoringFilter
from seedbed.recipe import LoadedRecipe
from seedbed.review.calibration import Calibration
from seedbed.run.roles import asked_model

# What of a judge must be as it was when people were compared with it, as errors tell of it.
_TOLD = {
    "filter": "version of the filter",
    "model": "model",
    "revision": "revision of the model",
    "rubric": "rubric",
    "prompt": "text of the rubric",
    "task": "task that the rubric is filled with (its description, labels, fields)",
}
# Values that mean something to a reader; the others are hashes.
_SHOWN = ("filter", "model", "revision", "rubric")


def identity_of(
    loaded: LoadedRecipe, judge: ScoringFilter, variables: Mapping[str, str], labels: Sequence[str]
) -> dict[str, str | None]:
    """All that decides what the judge says of a record."""
    asked = asked_model(loaded, loaded.recipe.roles.bound[judge.role])
    return {
        "filter": f"{judge.name}@{judge.version}",
        "model": asked.model,
        "revision": asked.revision,
        "rubric": judge.prompt.name.removeprefix("judge/"),
        "prompt": judge.prompt.hash,
        "task": short_id("task of a judge", [dict(variables), list(labels)]),
    }


def read_calibration(path: Path, judge: Mapping[str, str | None]) -> Calibration:
    """The calibration of exactly this judge.

    Raises InputError where the file is missing or damaged, or of another judge, with what differs.
    """
    again = "run `seedbed calibrate` on the recipe"
    try:
        found = Calibration.from_json(orjson.loads(path.read_bytes()))
    except OSError as error:
        message = f"cannot be read: {(error.strerror or '').lower()}; {again}, which writes it"
        raise InputError([Problem(message, str(path))]) from None
    except ValueError as error:
        message = f"is no calibration: {error}; {again}, which writes it anew"
        raise InputError([Problem(message, str(path))]) from None
    differences = [
        f"{told} ({found.judge.get(name)}, now {judge[name]})" if name in _SHOWN else told
        for name, told in _TOLD.items()
        if found.judge.get(name) != judge[name]
    ]
    if differences:
        message = (
            f"is of another judge than the recipe asks; other {', '.join(differences)}. {again.capitalize()} "
            "again with the labels: what is answered already is not asked again"
        )
        raise InputError([Problem(message, str(path))])
    return found
