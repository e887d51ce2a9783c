"""Rounds that are made beside those of a run and take their place at once, or not at all.

They grow in `next/rounds`. `next/whole.json` decides: without it whatever lies in `next/` is
garbage of a crash; with it the change is due, and whoever next holds the run's lock carries out what
is left of it. Each step may be done twice: forget replies, set the present rounds aside, move
the new ones in, write the manifest.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.store.atomic import read_json, sync_folder, write_json
from seedbed.store.folder import RunFolder
from seedbed.store.forgotten import forget_rows
from seedbed.store.rounds import Rounds


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Rows of the reply log that the change forgets, and why, in the user's words."""

    rows: Sequence[int]
    at: str
    why: str


class Successor:
    """The rounds to come of one run folder, whose lock the caller holds."""

    def __init__(self, folder: RunFolder) -> None:
        """Begins with no rounds; what an earlier attempt left is removed."""
        self._folder = folder
        shutil.rmtree(folder.successor, ignore_errors=True)
        (folder.successor / "rounds").mkdir(parents=True)
        self.rounds = Rounds(folder.successor / "rounds")

    def discard(self) -> None:
        shutil.rmtree(self._folder.successor)

    def take_over(
        self, manifest: Mapping[str, Any], *, log: Path | None = None, forgetting: Forgetting | None = None
    ) -> None:
        """Make these the rounds of the run. `manifest` is the run's from now on.

        The rounds that go are kept in `earlier/`; the manifest's last entry of `set_aside` is told
        where. `log` is the reply log that `forgetting` is about.
        """
        aside = free_place(self._folder)
        entries = [*manifest["set_aside"][:-1], {**manifest["set_aside"][-1], "folder": aside}]
        due: dict[str, Any] = {"manifest": {**manifest, "set_aside": entries}, "aside": aside}
        if forgetting is not None:
            due["forget"] = {
                "log": os.path.relpath(str(log), self._folder.path),
                "rows": list(forgetting.rows),
                "at": forgetting.at,
                "why": forgetting.why,
            }
        sync_folder(self.rounds.folder)
        write_json(self._folder.successor / "whole.json", due)
        settle(self._folder)


def free_place(folder: RunFolder) -> str:
    """Where rounds can be set aside, relative to the run folder: never over a folder that is there."""
    number = 1
    while (folder.path / "earlier" / f"{number:04d}").exists():
        number += 1
    return f"earlier/{number:04d}"


def settle(folder: RunFolder) -> bool:
    """Carry out a change that is due, or what a crash left of it; says whether there was one.

    The caller holds the run's lock. Raises StoreError.
    """
    if not (folder.successor / "whole.json").is_file():
        return False
    due = read_json(folder.successor / "whole.json")
    if "forget" in due:
        wanted = due["forget"]
        forget_rows(folder.path / wanted["log"], wanted["rows"], wanted["at"], wanted["why"])
    aside, coming = folder.path / due["aside"] / "rounds", folder.successor / "rounds"
    if coming.is_dir():
        # Once they are aside, a folder of this name is the empty one that each command makes where none is.
        if folder.rounds.is_dir() and not aside.is_dir():
            aside.parent.mkdir(parents=True, exist_ok=True)
            folder.rounds.replace(aside)
            sync_folder(aside.parent)
        coming.replace(folder.rounds)
        sync_folder(folder.path)
    write_json(folder.manifest, due["manifest"])
    # First what makes the change due: a half-removed folder must not be carried out again.
    (folder.successor / "whole.json").unlink()
    shutil.rmtree(folder.successor)
    return True
