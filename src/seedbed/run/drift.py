"""The guard against paying twice: where the recipe is the same and its questions are not.

A new release of a library, of a plug-in or of Seedbed may render a prompt or write a schema
otherwise than before; then the hashes of requests differ, and a resumed run would ask again what the
log has answered. How many cells that concerns is counted by letting the log answer all of them. Why,
is told by trial requests: those of some 250 cells of the recipe, kept by part in the run folder
(`versions/requests.json`) each time that a run begins with other ones than before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice, product
from typing import Any, NoReturn

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatRequest, Message
from seedbed.core.errors import InputError, NoAnswer, Problem
from seedbed.core.hashing import short_id
from seedbed.core.protocols import Method
from seedbed.run.asking import AskingSpace, CellAsking
from seedbed.run.binding import BoundRecipe
from seedbed.run.manifest import Manifest
from seedbed.run.planner import Combination, Sequences
from seedbed.run.replaying import LoggedOnly, NotLogged, from_the_log
from seedbed.run.versions import software
from seedbed.store.atomic import read_json, write_json

MOST_TRIALS = 256
MOST_ENTRIES = 8
_MOST_COMBINATIONS = 64

Fingerprint = Mapping[str, Any]


class WouldAskAgain(InputError):
    """The recipe is the same, and a run would still pay again for what is in the log."""


def trial_cells(bound: BoundRecipe) -> Iterator[Cell]:
    """Cells as a run would plan them, of as many combinations of cover values as may be."""
    space = bound.space
    covered = product(*(space.axes[name] for name in space.cover)) if space.guided else ()
    combinations: list[Combination] = list(islice(covered, _MOST_COMBINATIONS))
    combinations += [None] if space.open_label else []
    sequences = Sequences(space)
    for _ in range(max(1, MOST_TRIALS // len(combinations))):
        for combination in combinations:
            if (cell := sequences.take(combination)) is not None:
                yield cell


async def trial_requests(
    bound: BoundRecipe, asking: AskingSpace, methods: Mapping[str, Method]
) -> dict[str, Fingerprint]:
    """The first request of each trial cell, by part: cell id -> hashes."""
    found: dict[str, Fingerprint] = {}
    for cell in trial_cells(bound):
        filling = LoggedOnly(None)
        with suppress(NotLogged, NoAnswer):
            await methods[cell.method](cell, CellAsking(cell, from_the_log(asking, filling)))
        if first := filling.first:
            found[cell.id] = {"method": cell.method, "template": cell.template, **fingerprint(first)}
    return found


def fingerprint(request: ChatRequest) -> dict[str, Any]:
    """A request by part. Prompts are hashed: they quote real rows."""

    def content(role: str) -> list[str]:
        return [message.content for message in request.messages if message.role == role]

    return {
        "request": request.hash.hex(),
        "model": request.model,
        "revision": request.revision,
        "system message": short_id("fingerprint", content("system")),
        "user message": short_id("fingerprint", content("user")),
        "other messages": short_id("fingerprint", _others(request.messages)),
        "sampling": short_id("fingerprint", request.sampling.to_json()),
        "schema": short_id("fingerprint", request.schema),
    }


def _others(messages: Sequence[Message]) -> list[list[str]]:
    return [[message.role, message.content] for message in messages if message.role in ("assistant", "raw")]


class TrialFile:
    """The trial requests of a run, an entry for each time that they changed."""

    def __init__(self, bound: BoundRecipe) -> None:
        self._bound = bound
        self.path = bound.folder.versions / "requests.json"
        self.entries: list[dict[str, Any]] = read_json(self.path) if self.path.is_file() else []

    def note(self, requests: Mapping[str, Fingerprint]) -> None:
        """Keep them, unless they are those of last time."""
        if self.entries and self.entries[-1]["requests"] == requests:
            return
        self.path.parent.mkdir(exist_ok=True)
        entry = {"software": software(self._bound), "requests": dict(requests)}
        write_json(self.path, [*self.entries, entry][-MOST_ENTRIES:])

    def why(self, requests: Mapping[str, Fingerprint]) -> list[str]:
        """What differs from the newest requests that were others, and what other software made them."""
        for entry in reversed(self.entries):
            if told := _parts(entry["requests"], requests):
                return [*told, *_software(entry["software"], software(self._bound))]
        if not self.entries:
            return ["no trial requests were kept, so that nobody can tell which part differs"]
        return ["the first question of every trial cell is the same: what a method asks after it differs"]


def _parts(before: Mapping[str, Fingerprint], after: Mapping[str, Fingerprint]) -> list[str]:
    both = before.keys() & after.keys()
    changed: Counter[tuple[str, str]] = Counter()
    of_template: Counter[str] = Counter()
    for cell in sorted(both):
        old, new = before[cell], after[cell]
        of_template[new["template"]] += 1
        parts = [p for p in new if p not in ("method", "template", "request") and old.get(p) != new[p]]
        if not parts and old["request"] != new["request"]:
            parts = ["the form that is hashed"]  # every part is the same, and their hash is not
        for part in parts:
            changed[new["template"], part] += 1
    return [
        f"{part} of {template}: differs in {count} of {of_template[template]} trial requests"
        for (template, part), count in sorted(changed.items())
    ]


def _software(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    told = []
    if before["seedbed"] != after["seedbed"]:
        told.append(f"Seedbed {before['seedbed']} → {after['seedbed']}")
    for kind in ("libraries", "methods"):
        for name, now in sorted(after[kind].items()):
            was = before[kind].get(name)
            if was not in (None, now):
                told.append(f"{name} {was} → {now}")
    return told


def refuse(manifest: Manifest, cells: int, why: Sequence[str]) -> NoReturn:
    """Raise WouldAskAgain with how many cells would be asked again, the reasons, and the ways out."""
    told = "; ".join([*manifest.change.differences, *why])
    raise WouldAskAgain(
        [
            Problem(
                f"the recipe asks nothing else than before, but {cells:,} cells that the reply log answers "
                f"would be asked again, because their requests are no longer the same ({told}); go back "
                "to the software that made them, or pay for them again with `seedbed run --allow-reask`",
                str(manifest.folder.path),
            )
        ]
    )
