"""A run as anybody may look at it: from its folder alone, without its recipe or data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from seedbed.core.cell import asker_of
from seedbed.core.errors import StoreError
from seedbed.core.protocols import Task
from seedbed.core.registry import Registry
from seedbed.publish.exporter import Changes
from seedbed.review.calibration import Comparison
from seedbed.run.task_facts import bound_task
from seedbed.store.atomic import read_json
from seedbed.store.folder import RunFolder, find_run
from seedbed.store.ledger import Ledger
from seedbed.store.replies import ReplyLog
from seedbed.store.rounds import Rounds


@dataclass(frozen=True)
class RunView:
    """Read-only. Raises StoreError where the folder is damaged."""

    folder: RunFolder

    @classmethod
    def open(cls, path: Path) -> RunView:
        """`path` is a run folder, or a recipe's folder with one run in it; InputError otherwise.

        Raises StoreError where a file is not what the run wrote.
        """
        view = cls(find_run(path))
        _ = view.manifest
        view.rounds.verify()
        return view

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        value = read_json(self.folder.manifest)
        if (
            not isinstance(value, dict)
            or not {"facts", "versions", "stopped", "replies_after"} <= value.keys()
        ):
            raise StoreError(f"{self.folder.manifest}: is no manifest of a run (damaged?); restore it")
        return value

    @property
    def facts(self) -> Mapping[str, Any]:
        facts: Mapping[str, Any] = self.manifest["facts"]
        return facts

    @property
    def model_filters(self) -> tuple[str, ...]:
        """Its model filters as verdicts name them. A run of before there were any says nothing of them."""
        return tuple(self.facts.get("model_filters", ()))

    @property
    def roles_of_filters(self) -> Mapping[str, str]:
        """The role that each of its model filters asks."""
        return dict(self.facts.get("roles_of_filters", {}))

    @property
    def compared(self) -> Mapping[str, Comparison]:
        """Its calibrated judges beside people, by the name of the filter."""
        return {name: Comparison.from_json(value) for name, value in self.facts.get("compared", {}).items()}

    @property
    def recipe(self) -> str:
        return str(self.facts["recipe"])

    @property
    def rehearsal(self) -> bool:
        return self.facts["rehearsal"] is not None

    @property
    def asker(self) -> str:
        """Under which name the reply log keeps what the run asks."""
        return asker_of(self.recipe, rehearsal=self.rehearsal)

    @property
    def rounds(self) -> Rounds:
        coming = self.folder.successor / "rounds"
        # Killed between two renames, a run has its rounds there: see store/successor.py.
        return Rounds(self.folder.rounds if self.folder.rounds.is_dir() or not coming.is_dir() else coming)

    def task(self, registry: Registry) -> Task:
        return bound_task(self.facts["task"], registry)

    def ledger(self) -> Ledger:
        return Ledger(self.rounds)

    @property
    def log_path(self) -> Path:
        """Where the workspace's reply log was; a run folder that was moved has left it behind."""
        return Path(os.path.normpath(self.folder.path.absolute() / self.facts["reply_log"]))

    @property
    def has_log(self) -> bool:
        """Whether the log can be opened: SQLite in WAL mode wants to write beside it even to read."""
        path = self.log_path
        return path.is_file() and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)

    def log(self) -> ReplyLog:
        return ReplyLog.open(self.log_path)

    def times_forgotten(self) -> Mapping[tuple[bytes, bytes], int]:
        """How many answers of each question (request, scope) were forgotten; nothing without the log."""
        if not self.has_log:
            return {}
        with self.log() as log:
            return log.forgotten_questions()


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written. `notes` say what the format made of values it cannot hold."""

    path: Path
    rows: int
    notes: tuple[str, ...]


def export_run(view: RunView, registry: Registry, name: str, out: Path | None = None) -> Exported:
    """Write the accepted records in a format to the file `out`, by default in the run's `export/`."""
    exporter_type = registry.exporters.get(name)
    exporter = exporter_type(exporter_type.Options())
    path = out or view.folder.exports / f"{name}{exporter.suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    ledger = view.ledger()
    task, changes = view.task(registry), Changes()
    rows = exporter.write(ledger.accepted(), task, path, rehearsal=view.rehearsal, changes=changes)
    return Exported(path, rows, tuple(changes.notes()))
