"""Rounds on disk: a plan before the first question, one commit file at the close.

A round is committed by the rename of `rounds/N.json`, which lists its files with their hashes;
a file that no commit lists is garbage of a crash and is written again. `rounds/N.partial.json`
is the marked view of a round left open by a stop: reports and exports read it, planning never does.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.cell import Cell
from seedbed.core.errors import StoreError
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.store import shards
from seedbed.store.atomic import file_hash, read_json, sync_file, sync_folder, write_bytes, write_json
from seedbed.store.kin import EarlierKeys

_COMMIT = re.compile(r"\A(\d{4,})(\.partial)?\.json\Z")
FILES = ("records", "verdicts", "keys", "cells")


@dataclass(frozen=True, slots=True)
class RoundData:
    """Everything a round leaves behind. `measures` is plain JSON: counts that planning reads."""

    records: Sequence[tuple[int, Record]]
    verdicts: Sequence[Verdict]
    keys: Sequence[tuple[str, str, shards.KeyNumbers]]
    cells: Sequence[tuple[int, str, str, str]]
    measures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CommittedRound:
    """A round (or the partial view of one) as its commit file describes it."""

    number: int
    folder: Path
    partial: bool
    measures: Mapping[str, Any]

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"


class Rounds:
    """The rounds of one run folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.earlier_keys = EarlierKeys()

    def _plan_path(self, number: int) -> Path:
        return self.folder / f"{number:04d}" / "plan.parquet"

    def committed(self, partial: bool = True) -> list[CommittedRound]:
        """Closed rounds in order; with `partial` also the views of rounds that a stop left open."""
        found = []
        for path in self.folder.glob("*.json"):
            match = _COMMIT.match(path.name)
            if match is None or (match[2] and not partial):
                continue
            value = _commit_of(path)
            number = int(match[1])
            folder = self.folder / (f"{number:04d}.partial" if match[2] else f"{number:04d}")
            found.append(CommittedRound(number, folder, bool(match[2]), value["measures"]))
        found.sort(key=lambda r: r.number)
        return found

    def verify(self) -> None:
        """Raise StoreError where a committed file is missing or its bytes changed."""
        for path in sorted(self.folder.glob("*.json")):
            for name, expected in _commit_of(path)["files"].items():
                file = self.folder / name
                if not file.is_file() or file_hash(file) != expected:
                    raise StoreError(
                        f"{file}: is not what {path.name} committed; restore it from a backup, or remove "
                        f"{path.name} and every later round and run again: logged replies cost nothing"
                    )

    def open_plans(self, closed: Set[int] | None = None) -> dict[int, list[Cell]]:
        """Plans of rounds that are not closed, by number: the work that a resumed run goes on with.

        `closed` are the rounds taken for closed; by default those that are. Raises StoreError for a
        plan that is not the one that was written.
        """
        if closed is None:
            closed = {r.number for r in self.committed(partial=False)}
        return {number: self.read_open_plan(number) for number in self.open_numbers(closed)}

    def open_numbers(self, closed: Set[int] | None = None) -> list[int]:
        """Numbers of the rounds that have a whole plan and are not closed, in order."""
        if closed is None:
            closed = {r.number for r in self.committed(partial=False)}
        numbers = [int(p.parent.name) for p in self.folder.glob("*/plan.ok") if p.parent.name.isdigit()]
        return sorted(number for number in numbers if number not in closed)

    def read_open_plan(self, number: int) -> list[Cell]:
        """The plan of a round that is not closed. Raises StoreError where it is not what was written."""
        path = self._plan_path(number)
        if not path.is_file() or file_hash(path) != read_json(path.parent / "plan.ok").get("sha256"):
            raise StoreError(
                f"{path}: is not the plan that was written; remove the folder {path.parent} and "
                "run again: its replies are in the log"
            )
        return shards.read_plan(path)

    def write_plan(self, number: int, cells: Sequence[Cell], failed: Mapping[int, str] | None = None) -> None:
        """Put a round's plan on disk; `plan.ok` marks it whole.

        `failed` are cells (position -> cause) of a round that is opened again which failed before
        and shall not be asked again.
        """
        path = self._plan_path(number)
        path.parent.mkdir(exist_ok=True)
        shards.write_plan(path, cells)
        ok: dict[str, Any] = {"cells": len(cells), "sha256": file_hash(path)}
        if failed:
            ok["failed"] = {str(position): cause for position, cause in failed.items()}
        write_json(path.parent / "plan.ok", ok)
        sync_folder(self.folder)

    def failed_before(self, number: int) -> dict[int, str]:
        """Cells of an open round that stay failed, by position: see `write_plan`."""
        failed = read_json(self._plan_path(number).parent / "plan.ok").get("failed", {})
        return {int(position): cause for position, cause in failed.items()}

    def copy_closed(self, source: Rounds, entry: CommittedRound) -> None:
        """Take over a closed round of other rounds as it is."""
        target = self.folder / f"{entry.number:04d}"
        shutil.copytree(entry.folder, target)
        for file in target.iterdir():
            sync_file(file)
        sync_folder(target)
        name = f"{entry.number:04d}.json"
        write_bytes(self.folder / name, (source.folder / name).read_bytes())

    def read_plan(self, number: int) -> list[Cell]:
        return shards.read_plan(self._plan_path(number))

    def planned_ids(self) -> Iterator[str]:
        """The id of every cell of every plan that is whole, closed rounds first."""
        for entry in self.committed(partial=False):
            yield from shards.read_plan_ids(self._plan_path(entry.number))
        for cells in self.open_plans().values():
            yield from (cell.id for cell in cells)

    def discard_partial(self) -> None:
        """Remove partial views: the run goes on and will close those rounds properly."""
        for path in self.folder.glob("*.partial.json"):
            path.unlink()
        for folder in self.folder.glob("*.partial"):
            shutil.rmtree(folder)

    def discard_open(self) -> None:
        """Remove the plans of rounds that are not closed."""
        for number in self.open_plans():
            shutil.rmtree(self.folder / f"{number:04d}")

    def commit(self, number: int, data: RoundData, *, partial: bool = False) -> CommittedRound:
        """Write a round's files, fsync them, and rename the commit file into place."""
        name = f"{number:04d}.partial" if partial else f"{number:04d}"
        folder = self.folder / name
        try:
            folder.mkdir(exist_ok=True)
            shards.write_records(folder / "records.parquet", data.records)
            shards.write_verdicts(folder / "verdicts.parquet", data.verdicts)
            shards.write_keys(folder / "keys.parquet", data.keys)
            shards.write_cells(folder / "cells.parquet", data.cells)
            sync_folder(folder)
        except OSError as error:
            raise StoreError(
                f"{folder}: cannot be written: {error.strerror}; free space and run the same command again"
            ) from error
        files = [f"{name}/{part}.parquet" for part in FILES]
        if not partial:
            files.append(f"{name}/plan.parquet")
        commit = {
            "round": number,
            "partial": partial,
            "files": {file: file_hash(self.folder / file) for file in files},
            "measures": data.measures,
        }
        write_json(self.folder / f"{name}.json", commit)
        return CommittedRound(number, folder, partial, data.measures)


def _commit_of(path: Path) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict) or not {"files", "measures"} <= value.keys():
        raise StoreError(f"{path}: is no commit of a round (damaged?); restore it from a backup")
    return value
