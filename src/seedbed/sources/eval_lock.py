"""The eval lock as the rest of the program meets it: a server that it starts, clients that ask.

This process never opens the eval file. What it learns of it is in EvalInfo and EvalHit. That is
proof against accidents, not against an attacker with the same user account.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from seedbed.core.child_process import Child, end_child
from seedbed.core.errors import EvalLockError, SeedbedError
from seedbed.core.protocols import EvalHit
from seedbed.sources import wire
from seedbed.sources.ignore_after import Suggestion
from seedbed.sources.sealed import answer_of, start_sealed
from seedbed.sources.spec import SourceSpec

OWN_SHARE = 0.05
FEWEST_OWN_ROWS = 3
_TEXTS_A_QUESTION = 1_000
_CHARACTERS_A_QUESTION = 4_000_000
_HASHES_A_QUESTION = 200_000
_SECONDS_FOR_AN_ANSWER = 300.0


@dataclass(frozen=True, slots=True)
class EvalInfo:
    """What may be known of a locked set. `compare` are columns of the file; `canary` is None unless
    a split wrote the file; `draft_rows` counts its rows that equal a draft of the workspace."""

    path: str
    sha256: str
    rows: int
    compare: tuple[str, ...]
    ignore_after: str | None
    canary: str | None
    draft_rows: int = 0


class EvalLockClient:
    """Asks the eval lock. Synchronous and picklable; each process and thread has a connection of its own."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._token = token
        self._here = threading.local()
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()

    def __reduce__(self) -> tuple[type[EvalLockClient], tuple[str, str]]:
        return EvalLockClient, (self._address, self._token)

    def check(self, texts: Sequence[str]) -> list[list[EvalHit]]:
        """For each text its hits, strongest first; an empty list where it is clean."""
        return [
            [EvalHit(rule, score, row) for rule, score, row in hits]
            for part in _parts(texts)
            for hits in self._ask("check", part)
        ]

    def ignore_common(self, texts: Sequence[str]) -> None:
        """Phrases common in this sample of train texts no longer count as near, for every client."""
        self._ask("ignore_common", list(texts))

    def suggest_ignore_after(self, texts: Sequence[str]) -> Suggestion | None:
        """A marker with which more of these seeds are seen to equal an eval row, if there is one."""
        found = self._ask("suggest", list(texts))
        return None if found is None else Suggestion(**found)

    def count_drafts(self, hashes: Iterable[bytes]) -> int:
        """How many eval rows equal a draft, of all drafts told so far (`marks.text_hash` of each)."""
        rows = 0
        rest = iter(hashes)
        while part := list(itertools.islice(rest, _HASHES_A_QUESTION)):
            rows = self._ask("drafts", b"".join(part).hex())
        return rows

    def close(self) -> None:
        """Close this process's connections; a later question opens a new one."""
        for connection in list(self._open):
            connection.close()
        self._here.__dict__.clear()

    def _ask(self, question: str, argument: Any) -> Any:
        try:
            connection = self._connection()
            answer = connection.exchange({"do": question, "with": argument})
        except OSError as error:
            raise SeedbedError(
                f"the eval lock at {self._address} no longer answers ({error.strerror or error}); "
                "run the same command again: what was paid for is on disk"
            ) from None
        if "failed" in answer:
            raise SeedbedError(
                f"the eval lock failed: {answer['failed']}; this is a defect, please report it"
            )
        return answer["result"]

    def _connection(self) -> _Connection:
        """This thread's connection. One that a fork inherited belongs to the parent: it is left alone."""
        connection: _Connection | None = getattr(self._here, "connection", None)
        if connection is None or not connection.usable:
            connection = self._here.connection = _Connection(self._address, self._token)
            self._open.add(connection)
        return connection


class _Connection:
    """One socket, closed with the object. An exchange that is cut short leaves it unusable."""

    def __init__(self, address: str, token: str) -> None:
        self._process = os.getpid()
        self._socket = socket.socket(socket.AF_UNIX)
        self.close = weakref.finalize(self, self._socket.close)
        self._socket.settimeout(_SECONDS_FOR_AN_ANSWER)
        try:
            self._socket.connect(address)
            wire.send(self._socket, token)
        except BaseException:
            self.close()
            raise

    @property
    def usable(self) -> bool:
        return self.close.alive and self._process == os.getpid()

    def exchange(self, request: Any) -> Any:
        try:
            wire.send(self._socket, request)
            answer = wire.receive(self._socket)
            if answer is None:
                raise wire.BrokenFrame("closed without an answer")
        except BaseException:
            self.close()
            raise
        return answer


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts in questions of a bounded size, so that no client keeps the others waiting for long."""
    part: list[str] = []
    characters = 0
    for text in texts:
        part.append(text)
        characters += len(text)
        if len(part) >= _TEXTS_A_QUESTION or characters >= _CHARACTERS_A_QUESTION:
            yield part
            part, characters = [], 0
    if part:
        yield part


class EvalLockServer:
    """A running eval lock: its `info`, a `client` to hand on, and `close`. Also a context manager."""

    def __init__(self, process: Child, info: EvalInfo, client: EvalLockClient, folder: Path):
        self.info = info
        self.client = client
        self._process = process
        self._folder = folder

    @classmethod
    def start(
        cls,
        spec: SourceSpec,
        *,
        needs: Sequence[str] = (),
        may_be_empty: Sequence[str] = (),
        common: Sequence[str] = (),
        own_hashes: Iterable[bytes] = (),
        decoys: Sequence[str] = (),
    ) -> Self:
        """Lock an eval file behind a new process.

        `needs` are further columns or task fields that must hold text (the label), `may_be_empty` those
        where it may be no more than white space; `common` is a sample of train texts whose common
        phrases do not count as near; `own_hashes` the `marks.text_hash` of the
        workspace's drafts *from before this file was locked for the first time*: later drafts may
        repeat an eval row without the file being made of them. `decoys` are invented texts that a
        rehearsal is to be caught with: the lock finds them like rows, under numbers past the last row,
        and neither the file nor its hash or its count of rows knows of them.

        Raises SourceError for a file that cannot be read, EvalLockError for one of the program's own.
        """
        request = {
            "spec": spec.to_json(),
            "needs": [spec.column(name) for name in needs],
            "may_be_empty": [spec.column(name) for name in may_be_empty],
            "decoys": list(decoys),
        }
        process = start_sealed("seedbed.sources.eval_lock_process", request, numpy_alone=True)
        try:
            answer = answer_of(process, spec.path)
            client = EvalLockClient(answer["address"], answer["token"])
            try:
                draft_rows = client.count_drafts(own_hashes)
                _refuse_own_output(spec.path, draft_rows, answer["rows"])
                if common:
                    client.ignore_common(common)
            except BaseException:
                client.close()
                raise
        except BaseException:
            end_child(process)
            raise
        info = EvalInfo(
            path=str(spec.path),
            sha256=answer["sha256"],
            rows=answer["rows"],
            compare=tuple(answer["compare"]),
            ignore_after=answer["ignore_after"],
            canary=answer["canary"],
            draft_rows=draft_rows,
        )
        return cls(process, info, client, Path(answer["address"]).parent)

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """End the process and remove its folder. A second call does nothing."""
        self.client.close()
        end_child(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _refuse_own_output(path: Path, draft_rows: int, rows: int) -> None:
    """A row or two may be a teacher's leak; from 5 % on (and 3 rows) the file is made of drafts."""
    if draft_rows >= max(FEWEST_OWN_ROWS, OWN_SHARE * rows):
        raise EvalLockError(
            f"{path}: the program's own output cannot be an eval set: {draft_rows} of its {rows} rows "
            "equal a draft of this workspace; lock a file of real rows"
        )
