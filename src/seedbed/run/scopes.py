"""Which rows of the reply log are a run's."""

from __future__ import annotations

from seedbed.run.asking import scope_of
from seedbed.store.asked import AskedContents
from seedbed.store.folder import RunFolder
from seedbed.store.rounds import Rounds


def all_scopes(folder: RunFolder, recipe: str) -> set[bytes]:
    """Scopes of every cell that a run ever planned and of every content that it asked a judge about.

    They are its requests, whatever version of the recipe sent them.
    """
    every = [folder.rounds, *sorted(folder.path.glob("earlier/*/rounds"))]
    cells = {scope_of(recipe, cell) for rounds in every for cell in Rounds(rounds).planned_ids()}
    return cells | asked_scopes(folder)


def asked_scopes(folder: RunFolder) -> set[bytes]:
    """Scopes of the contents that model filters of this run were the first to ask about."""
    return AskedContents(folder.asked_contents).read()
