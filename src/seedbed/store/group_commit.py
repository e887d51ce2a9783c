"""A thread that commits the rows of many callers together: one fsync for all that wait."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from seedbed.core.errors import StoreError
from seedbed.store.reply_file import store_error
from seedbed.store.statements import MOST_TOGETHER, insert, insert_all

# Jobs are waited for this long, and longer where the latest transaction was of several: each takes the
# interpreter from the event loop as often, whatever it holds.
WINDOW_SECONDS = 0.003
BUSY_WINDOW_SECONDS = 0.015
MOST_ROWS = MOST_TOGETHER

Row: TypeAlias = tuple[Any, ...]
Pack: TypeAlias = Callable[[Sequence[Row]], Sequence[Row]]


class _Job(NamedTuple):
    """Rows of one caller, as `pack` makes them; the future gets how many of them are new."""

    statement: str
    rows: Sequence[Row]
    pack: Pack | None
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[int]


class GroupCommit:
    """Owns the connection that writes, from its making until `close`.

    A job is in the thread's hands as soon as `submit` returns: cancelling the future does not take
    it back. Jobs are committed in the order they came. A transaction that fails is tried again job by
    job, so that an error reaches only the caller whose rows raise it; the thread goes on with the next,
    which succeeds if the cause (a full disk) has gone.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, what: str = "reply log") -> None:
        self._db = db
        self._path = path
        self._what = what
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # nothing may be queued behind the None that ends the thread
        self._closed = "was closed"
        self._open = True
        self._unheard: StoreError | None = None
        self._busy = False
        self._thread = threading.Thread(target=self._run, name=f"commits {path.name}", daemon=True)
        self._thread.start()

    def submit(
        self,
        statement: str,
        rows: Sequence[Row],
        pack: Pack | None = None,
    ) -> asyncio.Future[int]:
        """A future that is done when the rows are on disk. Its result counts those that were new.

        The statement inserts one row, `VALUES (?, …)`. `pack` makes the rows that are written of those that
        are given, and of those of other callers, in the thread.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        with self._lock:
            if not self._open:
                raise self._closed_error()
            self._queue.put(_Job(statement, rows, pack, loop, future))
        return future

    async def flush(self) -> None:
        """Wait for all that was submitted. Raises the error of a commit whose caller had gone."""
        await self.submit("", ())
        unheard, self._unheard = self._unheard, None
        if unheard is not None:
            raise unheard

    def close(self) -> None:
        """Commit what was submitted, end the thread, close the connection. May be called again."""
        with self._lock:
            if self._open:
                self._open = False
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        batch: list[_Job] = []
        try:
            while batch := self._gather():
                self._busy = len(batch) > 1
                self._commit(batch)
        finally:
            self._end(batch)

    def _gather(self) -> list[_Job]:
        """The jobs of the next transaction; none when the log closes."""
        job = self._queue.get()
        if self._queue.qsize() < MOST_ROWS:
            time.sleep(BUSY_WINDOW_SECONDS if self._busy else WINDOW_SECONDS)
        batch: list[_Job] = []
        rows = 0
        while job is not None:
            batch.append(job)
            rows += len(job.rows)
            if rows >= MOST_ROWS:
                return batch
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return batch
        if batch:
            self._queue.put(None)
        return batch

    def _commit(self, batch: list[_Job]) -> None:
        try:
            if self._committed_at_once(batch):
                return
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:  # locked, or gone: no job's fault, and the same for each alone
            self._settle(batch, store_error(self._path, error, self._what))
            return
        try:
            stored = self._insert_together(batch)
            if stored is None:
                self._db.execute("ROLLBACK")
                self._db.execute("BEGIN IMMEDIATE")
                stored = [self._insert([job]) for job in batch]
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - rows raise what they like, and are not the thread's end
            self._roll_back()
            if len(batch) == 1:
                self._settle(batch, self._error_of_rows(error))
            else:
                for job in batch:
                    self._commit([job])
        else:
            self._settle(batch, stored)

    def _committed_at_once(self, batch: list[_Job]) -> bool:
        """Commit them in a single statement, if they have one and every row is new; else nothing is done.

        So it is with most, and the interpreter is handed over less than by the statements of a transaction.
        Raises sqlite3.Error where no row is to blame.
        """
        sizes = [len(job.rows) for job in batch]
        alike = len({(job.statement, job.pack) for job in batch}) == 1
        if not alike or not 0 < sum(sizes) <= MOST_TOGETHER:
            return False
        try:
            insert_all(self._db, batch[0].statement, _rows_of(batch))
        except sqlite3.OperationalError:
            raise
        except Exception:  # noqa: BLE001 - which of the rows it is, and what that means, shows job by job
            return False
        self._settle(batch, sizes)
        return True

    def _error_of_rows(self, error: Exception) -> StoreError:
        if isinstance(error, sqlite3.Error):
            return store_error(self._path, error, self._what)
        return StoreError(
            f"{self._path}: {self._what}: a row cannot be written ({type(error).__name__}: {error}); the "
            "rows of others are, and this one is a defect of Seedbed: please report it"
        )

    def _insert_together(self, batch: list[_Job]) -> list[int] | None:
        """How many rows of each job are new; None where some are not and it may be of several jobs."""
        stored: list[int] = []
        for _, alike in groupby(batch, key=lambda job: (job.statement, job.pack)):
            jobs = list(alike)
            new, sizes = self._insert(jobs), [len(job.rows) for job in jobs]
            if new < sum(sizes) and len(jobs) > 1:
                return None
            stored += sizes if len(jobs) > 1 else [new]
        return stored

    def _insert(self, jobs: Sequence[_Job]) -> int:
        """How many rows of the jobs, which have one statement, are new."""
        return insert(self._db, jobs[0].statement, _rows_of(jobs))

    def _roll_back(self) -> None:
        if self._db.in_transaction:  # a full disk may have rolled it back already
            with contextlib.suppress(sqlite3.Error):  # the first error is the one to tell
                self._db.execute("ROLLBACK")

    def _settle(self, batch: list[_Job], outcome: list[int] | StoreError) -> None:
        """Wake the callers, with one wake-up for each event loop."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Job, int | StoreError]]] = {}
        for index, job in enumerate(batch):
            result = outcome if isinstance(outcome, StoreError) else outcome[index]
            by_loop.setdefault(job.loop, []).append((job, result))
        for loop, results in by_loop.items():
            with contextlib.suppress(RuntimeError):  # that loop has closed: nobody waits there any more
                loop.call_soon_threadsafe(self._resolve, results)

    def _resolve(self, results: list[tuple[_Job, int | StoreError]]) -> None:
        for job, result in results:
            if isinstance(result, int):
                if not job.future.done():
                    job.future.set_result(result)
            elif job.future.done():
                self._unheard = result
            else:
                job.future.set_exception(StoreError(str(result)))  # its own, for its own traceback

    def _end(self, batch: list[_Job]) -> None:
        """Whatever ended the thread, nobody is left waiting and nobody queues in vain."""
        with self._lock:
            self._open = False
        fault = sys.exc_info()[1]
        if fault is not None:
            self._closed = f"stopped on a defect: {fault!r}"
        while not self._queue.empty():
            job = self._queue.get()
            if job is not None:
                batch.append(job)
        if batch:
            self._settle(batch, self._closed_error())
        self._db.close()

    def _closed_error(self) -> StoreError:
        return StoreError(f"{self._path}: {self._what}: it {self._closed} and takes no more rows")


def _rows_of(jobs: Sequence[_Job]) -> Sequence[Row]:
    """The rows that the jobs, which have one statement, are written as."""
    pack = jobs[0].pack
    rows = [row for job in jobs for row in job.rows]
    return rows if pack is None else pack(rows)
