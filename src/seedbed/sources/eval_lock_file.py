"""`eval.lock.json` of a run folder: which eval set the run is bound to, and every opening of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from seedbed.core.errors import EvalLockError, StoreError
from seedbed.sources.eval_lock import EvalInfo
from seedbed.store.atomic import read_json, write_json

Purpose = Literal["check", "evaluate"]

_RESTORE_SPLIT = "put the split and its source back"
_ANOTHER_RUN = "give the recipe another name (a run folder belongs to one eval)"


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of the eval set: to compare texts with it, or to score students on it."""

    purpose: Purpose
    at: str
    by: str


@dataclass
class EvalLockFile:
    """The lock as it stands on disk.

    Its writer is the one process that holds the run's lock, or the evaluator that this one waits for and that
    ends with it.
    """

    path: Path
    sha256: str
    rows: int
    compare: tuple[str, ...]
    ignore_after: str | None
    canary: str | None
    created: str
    openings: list[Opening] = field(default_factory=list)

    @classmethod
    def create_or_verify(cls, path: Path, info: EvalInfo) -> EvalLockFile:
        """Bind a run to an eval set, or make sure that it is still the same one.

        What is compared may change from run to run (`ignore_after` is often found too late); the
        lock then tells the newest. Raises EvalLockError where the eval file itself changed.
        """
        if not path.exists():
            lock = cls(
                path, info.sha256, info.rows, info.compare, info.ignore_after, info.canary, created=_now()
            )
            lock._write()
            return lock
        lock = cls.read(path)
        if lock.sha256 != info.sha256:
            restore = "restore the file" if info.canary is None else _RESTORE_SPLIT
            raise EvalLockError(
                f"{info.path}: the eval file changed since it was locked on {lock.created} ({path}): "
                f"{restore}, or {_ANOTHER_RUN}"
            )
        if (lock.compare, lock.ignore_after) != (info.compare, info.ignore_after):
            lock.compare, lock.ignore_after = info.compare, info.ignore_after
            lock._write()
        return lock

    @classmethod
    def read(cls, path: Path) -> EvalLockFile:
        """Raises EvalLockError where the file is not a lock."""
        try:
            value = read_json(path)
            openings = [Opening(**opening) for opening in value.pop("openings")]
            return cls(path=path, **{**value, "compare": tuple(value["compare"])}, openings=openings)
        except (StoreError, KeyError, TypeError, AttributeError):
            raise EvalLockError(
                f"{path}: not an eval lock (damaged?): restore it, or {_ANOTHER_RUN}"
            ) from None

    def record_opening(self, purpose: Purpose, by: str) -> None:
        """Note an opening, on disk before this returns. `by` is the run's id or the command."""
        self.openings.append(Opening(purpose, _now(), by))
        self._write()

    def to_json(self) -> dict[str, Any]:
        return {
            "sha256": self.sha256,
            "rows": self.rows,
            "compare": list(self.compare),
            "ignore_after": self.ignore_after,
            "canary": self.canary,
            "created": self.created,
            "openings": [{"purpose": o.purpose, "at": o.at, "by": o.by} for o in self.openings],
        }

    def _write(self) -> None:
        write_json(self.path, self.to_json())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
