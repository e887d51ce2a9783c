"""`seedbed refilter`: new verdicts by the filters in force, for which no endpoint is needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.errors import InputError, Problem
from seedbed.run.assembling import new_verdicts
from seedbed.run.beginning import refuse_lost
from seedbed.run.binding import BoundRecipe
from seedbed.run.built_filters import open_filters
from seedbed.run.judging_again import Difference, difference_between
from seedbed.run.progress import Progress
from seedbed.run.real_keys import real_keys
from seedbed.run.session import open_session
from seedbed.run.view import RunView
from seedbed.store.rounds import Rounds
from seedbed.store.successor import Successor

Note = Callable[[str], None]


class Unasked(Mapping[str, str]):
    """The environment, with a stand-in for what is not set: an address or a key that nobody will use."""

    def __getitem__(self, name: str) -> str:
        return os.environ.get(name) or "http://127.0.0.1:9/unused"

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


def recipe_of(path: Path) -> tuple[Path, int]:
    """The recipe file that made a run, and the target that the run has. Raises InputError."""
    view = RunView.open(path)
    file = Path(os.path.normpath(view.folder.path / view.facts.get("recipe_file", "../../recipe.yaml")))
    if not file.is_file():
        raise InputError(
            [
                Problem(
                    f"the recipe of this run is not at {file}; put the run folder back where its recipe is: "
                    "new verdicts need its filters and data",
                    str(view.folder.path),
                )
            ]
        )
    return file, int(view.facts["target"])


@dataclass(frozen=True, slots=True)
class Refiltered:
    """`accepted` now, of `target`; `applied` says whether the run reads the new verdicts."""

    difference: Difference
    changes: tuple[str, ...]
    accepted: int
    target: int
    applied: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "changes": list(self.changes),
            **self.difference.to_json(),
            "target": self.target,
            "missing": max(0, self.target - self.accepted),
            "calls": 0,
            "applied": self.applied,
        }


async def refilter(
    bound: BoundRecipe, note: Note, progress: Progress, *, dry_run: bool = False
) -> Refiltered:
    """Pass new verdicts over the saved plans and logged replies, and make them the run's.

    Raises InputError where the recipe asks something else now, or its requests are no longer the
    same: then only a run can tell. Nothing is changed in that case, and nothing by `dry_run`.
    """
    if missing := sorted(name for name, unasked in bound.unasked.items() if unasked.missing):
        names = ", ".join(missing)
        message = f"the axis {names} has no values yet; `seedbed run` asks the teacher for them"
        raise InputError([Problem(message, str(bound.loaded.path), key="generate.axes")])
    if bound.unasked_templates is not None and bound.unasked_templates.missing:
        message = "the templates are not all written yet; `seedbed run` asks the teacher for them"
        raise InputError([Problem(message, str(bound.loaded.path), key="generate.templates")])
    async with open_session(bound, note, command="refilter") as session:
        change = session.manifest.change
        if change.asks:
            told = "; ".join(change.differences) or ", ".join(change.parts)
            raise InputError(
                [
                    Problem(
                        f"the recipe asks something else than the run did ({told}), and refilter passes "
                        "verdicts on what was asked; take that change back, or use `seedbed run`, which "
                        "says what it asks anew",
                        str(bound.loaded.path),
                    )
                ]
            )
        async with open_filters(session, note, asks=False) as pool:
            keys = await real_keys(session, pool)
            successor = Successor(session.folder)
            lost = await new_verdicts(session, pool, keys, progress, successor)
        if lost:
            successor.discard()
            await refuse_lost(session, lost)
        if _left_open(session.rounds, successor.rounds):
            successor.discard()
            told = "; ".join(change.differences) or "filters"
            message = (
                f"model filters have no answer for drafts of this run as they ask now ({told}), and refilter "
                "asks nobody; use `seedbed run`, which asks them alone"
            )
            raise InputError([Problem(message, str(bound.loaded.path), key="filters")])
        difference = difference_between(session.rounds, successor.rounds)
        accepted = difference.after["accepted"]
        if dry_run:
            successor.discard()
        else:
            session.take_over(successor, accepted_changed=_accepted_changed(difference))
        return Refiltered(difference, change.differences, accepted, bound.quotas.target, not dry_run)


def _left_open(before: Rounds, after: Rounds) -> bool:
    """Whether a round that was closed could not be closed again: its drafts are replayed, and unjudged."""
    closed = {entry.number for entry in after.committed(partial=False)}
    planned = [e for e in before.committed(partial=False) if e.measures["cells"]["planned"]]
    return any(entry.number not in closed for entry in planned)


def _accepted_changed(difference: Difference) -> bool:
    return any("accepted" in move for move in difference.moved)
