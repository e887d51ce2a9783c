"""The run folder: where everything of a run lies, and the lock that keeps a second process out."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from seedbed.core.errors import InputError, Problem, RunLockedError, StoreError


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run. Creating the object touches nothing."""

    path: Path

    @property
    def rounds(self) -> Path:
        return self.path / "rounds"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def recipe_lock(self) -> Path:
        return self.path / "recipe.lock.yaml"

    @property
    def versions(self) -> Path:
        """The lock of the recipe in each version that the run grew through."""
        return self.path / "versions"

    @property
    def successor(self) -> Path:
        """Rounds in the making that shall take the place of the present ones: see store/successor.py."""
        return self.path / "next"

    @property
    def eval_lock(self) -> Path:
        return self.path / "eval.lock.json"

    @property
    def prompts(self) -> Path:
        return self.path / "prompts"

    @property
    def real(self) -> Path:
        return self.path / "real"

    def spending(self, *, rehearsal: bool) -> Path:
        return self.path / f"spending{'-rehearsal' if rehearsal else ''}.json"

    @property
    def served_spending(self) -> Path:
        """What models that are examined were charged, written by the processes that ask them."""
        return self.path / "spending-served.json"

    def asked_contents(self, *, rehearsal: bool) -> Path:
        """A folder with a file for each filter that asks a model."""
        return self.path / f"asked-contents{'-rehearsal' if rehearsal else ''}"

    @property
    def exports(self) -> Path:
        return self.path / "export"

    @property
    def report_page(self) -> Path:
        return self.path / "report.html"

    @property
    def card(self) -> Path:
        return self.path / "card" / "README.md"

    @property
    def preview(self) -> Path:
        return self.path / "preview.json"

    @property
    def mix(self) -> Path:
        return self.path / "mix"

    @property
    def student(self) -> Path:
        return self.path / "student"

    @property
    def trained(self) -> Path:
        """What students keep of what they learnt, a folder for each arm's key."""
        return self.student / "trained"

    @property
    def proof(self) -> Path:
        return self.student / "proof.json"

    @property
    def loop(self) -> Path:
        """Where `seedbed loop` keeps what its rounds came to."""
        return self.path / "loop"

    @property
    def measures(self) -> Path:
        return self.path / "measures.json"

    def create(self) -> None:
        try:
            for folder in (self.path, self.rounds, self.prompts, self.real, self.versions):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be made: {error.strerror}") from error


def is_at_work(folder: RunFolder) -> bool:
    """Whether a process works on the run right now."""
    try:
        with (folder.path / ".lock").open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def workspace_log(recipe_folder: Path) -> Path:
    """The reply log that all runs of a workspace share."""
    return recipe_folder / ".seedbed" / "replies.sqlite"


def workspace_vectors(recipe_folder: Path) -> Path:
    """The cache of vectors that all runs of a workspace share."""
    return recipe_folder / ".seedbed" / "vectors.sqlite"


class RunLock:
    """An exclusive lock on a run folder; the system releases it when the process ends, however it ends."""

    def __init__(self, folder: RunFolder) -> None:
        self._path = folder.path / ".lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> RunLock:
        try:
            file = self._path.open("a+", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be written: {error.strerror}; fix permissions") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise RunLockedError(
                f"{self._path.parent}: another process (pid {holder}) works on this run; "
                "wait for it to end or stop it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def find_run(path: Path) -> RunFolder:
    """The run that a user means: a run folder, or a recipe's folder that holds exactly one run."""
    if (path / "manifest.json").is_file():
        return RunFolder(path)
    runs = sorted(p.parent for p in (path / "runs").glob("*/manifest.json"))
    if len(runs) == 1:
        return RunFolder(runs[0])
    if runs:
        names = ", ".join(str(run) for run in runs)
        raise InputError([Problem(f"holds several runs, name one of: {names}", str(path))])
    raise InputError([Problem("no run here; start one with `seedbed run RECIPE`", str(path))])
