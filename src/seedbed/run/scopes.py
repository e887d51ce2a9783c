"""Which rows of the reply log are a run's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seedbed.core.cell import asker_of
from seedbed.run.asked_values import asked_scope
from seedbed.run.asking import scope_of
from seedbed.store.asked import AskedContents
from seedbed.store.atomic import read_json
from seedbed.store.folder import RunFolder
from seedbed.store.rounds import Rounds


def all_scopes(folder: RunFolder, recipe: str, *, rehearsal: bool) -> Iterator[bytes]:
    """Scopes of what the recipe itself asked, of every cell that a run folder ever planned or previewed,
    and of every content that it was the first to ask a filter's model about; each once.

    They are a run's requests, whatever version of the recipe sent them; those of a rehearsal are another's
    (`asker_of`).
    """
    yield from standing_scopes(folder, asker_of(recipe, rehearsal=rehearsal))
    yield from other_scopes(folder, recipe, rehearsal=rehearsal)


def standing_scopes(folder: RunFolder, asker: str) -> Iterator[bytes]:
    """Scopes of the cells of the rounds that stand now: what asking for all of them anew would ask.

    Each once, and never all in memory: a run may have millions.
    """
    return _scopes_of_cells(folder.rounds, asker)


def other_scopes(folder: RunFolder, recipe: str, *, rehearsal: bool) -> set[bytes]:
    """What `all_scopes` has beyond those that stand now."""
    asker = asker_of(recipe, rehearsal=rehearsal)
    earlier = [_scopes_of_cells(rounds, asker) for rounds in folder.path.glob("earlier/*/rounds")]
    cells = {scope_of(asker, cell) for cell in previewed_cells(folder)}.union(*earlier)
    if cells:
        cells.difference_update(standing_scopes(folder, asker))
    contents = asked_scopes(folder, rehearsal=rehearsal).values()
    return {asked_scope(asker)}.union(cells, *contents)


def _scopes_of_cells(rounds: Path, asker: str) -> Iterator[bytes]:
    return (scope_of(asker, cell) for cell in Rounds(rounds).planned_ids())


def previewed_cells(folder: RunFolder) -> list[str]:
    """Ids of the cells that previews of this run asked, whichever version of the recipe they were of."""
    if not folder.preview.is_file():
        return []
    asked: list[str] = read_json(folder.preview)["asked"]
    return asked


def asked_scopes(folder: RunFolder, *, rehearsal: bool) -> dict[str, set[bytes]]:
    """Scopes of the contents that each model filter of this run was the first to ask about, by its name."""
    files = folder.asked_contents(rehearsal=rehearsal).glob("*.bin")
    return {file.stem: AskedContents(file).read() for file in sorted(files)}
