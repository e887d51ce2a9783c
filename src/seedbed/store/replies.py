"""The reply log: every reply a model gave, on disk before anybody reads it.

One row per choice, keyed by (request, scope, draw); a second reply to the same key is dropped, so
that what was once read stays what is read. A permanent refusal of a request stands in the log like
a reply. Failed attempts are kept apart: they count and cost, and answer nothing.

SQLite in WAL mode with an integer rowid and a unique index: rows are appended in order of arrival,
where a table keyed by hash would write each into another page. Values are zstd-compressed JSON.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import zstandard

from seedbed.core.chat import Choice, LoggedReply, ReplyKey, Usage
from seedbed.core.errors import StoreError
from seedbed.core.money import Charge
from seedbed.store.forgotten import FIND, HAS_TABLE
from seedbed.store.group_commit import Row
from seedbed.store.reply_file import REFUSAL, REPLY, connect, pack, store_error, unpack
from seedbed.store.shared_file import SharedFile
from seedbed.store.statements import insert
from seedbed.store.tally import Tally, read_tally

_ADD = (
    "INSERT INTO replies"
    " (request, scope, draw, kind, first_of_call, prompt_tokens, completion_tokens, value, cost, charged)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, request, draw) DO NOTHING"
)
_ADD_ATTEMPT = (
    "INSERT INTO attempts"
    " (request, scope, draw, cause, status, detail, endpoint, prompt_tokens, completion_tokens, cost,"
    " charged)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_GET = (
    "SELECT draw, kind, prompt_tokens, completion_tokens, value FROM replies"
    " WHERE scope = ? AND request = ? AND draw BETWEEN ? AND ?"
)
# Only the C backend, which CPython has.
_COMPRESSES_MANY = "multi_compress_to_buffer" in zstandard.backend_features
_SCOPES_AT_ONCE = 1 << 14
# The scopes that a query is about, in the reader's own memory.
_WANTED = "CREATE TEMP TABLE IF NOT EXISTS wanted (scope BLOB PRIMARY KEY) WITHOUT ROWID"


@dataclass(frozen=True, slots=True)
class LoggedRefusal:
    """The endpoint's word that it will never answer this request; `cause` is a slug."""

    key: ReplyKey
    cause: str
    detail: str
    status: int | None = None


Logged = LoggedReply | LoggedRefusal


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A row that answers its question: an answer or a refusal, without what it says."""

    id: int
    key: ReplyKey
    refusal: bool
    usage: Usage


class ReplyLog(SharedFile):
    """The log of one workspace, for any number of processes at a time.

    Writes are awaited and return when their rows are on disk. Reads are synchronous (some ten
    microseconds a key), on a connection of their own, and see every finished write. Both raise
    StoreError naming the file and the remedy.
    """

    what = "reply log"
    connect = staticmethod(connect)

    def __init__(self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        super().__init__(path, writer, reader)
        self._fresh: set[bytes] = set()  # scopes under which nothing stood when they were looked up
        self._wanted: set[bytes] | None = None  # what is in the table `wanted`
        self._compress = zstandard.ZstdCompressor(level=1)  # for the thread that commits
        self._decompress = zstandard.ZstdDecompressor()

    async def add(self, replies: Sequence[LoggedReply], charges: Sequence[Charge] = ()) -> int:
        """Log the choices of one call; return when they are on disk, with the number of those new.

        `charges` are their shares of what the call is charged; without them it has no price.

        A key that is in the log already keeps what it has. The rows are handed over before this
        first suspends: a caller that is cancelled here leaves them to be committed all the same.
        """
        self._fresh.difference_update(reply.key.scope for reply in replies)
        rows = [
            (reply, charges[index] if charges else None, index == 0) for index, reply in enumerate(replies)
        ]
        return await self._commits.submit(_ADD, rows, self._reply_rows)

    async def add_refusal(
        self,
        key: ReplyKey,
        cause: str,
        detail: str,
        status: int | None = None,
        charge: Charge | None = None,
    ) -> None:
        """Log that this request is refused for good; it replays like a reply."""
        self._fresh.discard(key.scope)
        await self._commits.submit(_ADD, [(key, [cause, detail, status], charge)], self._refusal_rows)

    async def add_attempt(
        self,
        key: ReplyKey,
        cause: str,
        status: int | None,
        detail: str,
        endpoint: str,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        charge: Charge | None = None,
    ) -> None:
        """Log a failed try. It is no answer: the key stays open. Tokens are None where unknown."""
        tokens = (prompt_tokens, completion_tokens)
        row = (*_key_columns(key), cause, status, detail, endpoint, *tokens, *_charge_columns(charge))
        await self._commits.submit(_ADD_ATTEMPT, [row])

    async def flush(self) -> None:
        """Wait until all that was handed over is on disk.

        Raises the StoreError of a write whose caller was cancelled and so never heard of it.
        """
        await self._commits.flush()

    def get(self, key: ReplyKey) -> Logged | None:
        return self._get(key.request, key.scope, key.draw, key.draw)[0]

    def get_many(self, request: bytes, scope: bytes, n: int) -> list[Logged | None]:
        """What stands under draws 0 to n-1, in order; None where there is nothing yet."""
        return self._get(request, scope, 0, n - 1)

    def look_ahead(self, scopes: Iterable[bytes]) -> None:
        """Find out, in a few queries, under which of these scopes nothing stands yet.

        For them `get` and `get_many` need not ask the file until something is added here. What another
        process adds meanwhile is found out by `add`, which keeps the first reply to a key.
        """
        wanted = set(scopes)
        known = self._under(wanted, "SELECT DISTINCT scope FROM replies WHERE true")
        self._fresh |= wanted - {scope for (scope,) in known}

    def last_row(self) -> int:
        """Number of the newest row: what is logged from now on has a higher one."""
        with self._lock:
            ((newest,),) = self._query("SELECT coalesce(max(id), 0) FROM replies", ())
        return int(newest)

    def count(self, scopes: Iterable[bytes] | None = None, after: int = 0) -> int:
        """Replies (choices, no refusals) under these scopes, or in the whole log, past row `after`."""
        query = f"SELECT count(*) FROM replies WHERE kind = {REPLY} AND draw >= 0 AND id > {int(after)}"
        rows = self._under(scopes, query)
        return sum(n for (n,) in rows)

    def answered_scopes(self, scopes: Iterable[bytes]) -> set[bytes]:
        """Those of the scopes under which a reply or a refusal stands already."""
        rows = self._under(scopes, "SELECT DISTINCT scope FROM replies WHERE draw >= 0")
        return {scope for (scope,) in rows}

    def standing(self, scopes: Iterable[bytes]) -> list[StandingRow]:
        """The rows that answer questions of these scopes, oldest first; forgotten ones are not among them."""
        query = (
            "SELECT id, request, scope, draw, kind, prompt_tokens, completion_tokens FROM replies"
            " WHERE draw >= 0"
        )
        return [
            StandingRow(row, ReplyKey(request, scope, draw), kind == REFUSAL, Usage(prompt, completion))
            for row, request, scope, draw, kind, prompt, completion in sorted(self._under(scopes, query))
        ]

    def times_forgotten(self, request: bytes, scope: bytes) -> int:
        """How many rows of one question were forgotten: what is asked again gets another seed."""
        if scope in self._fresh:
            return 0
        query = "SELECT count(*) FROM replies WHERE scope = ? AND request = ? AND draw < 0"
        with self._lock:
            ((times,),) = self._query(query, (scope, request))
        return int(times)

    def forgotten_questions(self) -> Counter[tuple[bytes, bytes]]:
        """(request, scope) of every question with forgotten rows, with their number."""
        query = "SELECT request, scope, count(*) FROM replies WHERE draw < 0 GROUP BY request, scope"
        return Counter({(request, scope): n for request, scope, n in self._under(None, query)})

    def get_forgotten(self, key: ReplyKey) -> Logged | None:
        """The newest reply that stood under this key and was forgotten."""
        with self._lock:
            if not self._query(HAS_TABLE, ())[0][0]:
                return None
            for kind, prompt, completion, value in self._query(FIND, (key.scope, key.request, key.draw)):
                return self._logged(key, kind, prompt, completion, value)
        return None

    def tally(self, scopes: Iterable[bytes] | None = None) -> Tally:
        """What the rows under these scopes, each given once, or of the whole log, come to.

        They are asked about some thousands at a time: what this holds does not grow with a run.
        """
        if scopes is None:
            return self._tally(None)
        each, total = iter(scopes), None
        while some := set(islice(each, _SCOPES_AT_ONCE)):
            total = self._tally(some) if total is None else total + self._tally(some)
        return total if total is not None else self._tally(set())

    def _tally(self, wanted: set[bytes] | None) -> Tally:
        return read_tally(lambda query, group: self._under(wanted, query, group))

    def _refusal_rows(self, given: Sequence[Row]) -> list[Row]:
        """Rows of (key, what is kept, charge)."""
        packed = self._packed([value for _, value, _ in given])
        return [
            (*_key_columns(key), REFUSAL, 1, 0, 0, value, *_charge_columns(charge))
            for (key, _, charge), value in zip(given, packed, strict=True)
        ]

    def _reply_rows(self, given: Sequence[Row]) -> list[Row]:
        """Rows of (reply, charge, whether it is the first of its call)."""
        packed = self._packed([_kept(reply) for reply, _, _ in given])
        return [
            (
                *_key_columns(reply.key),
                REPLY,
                int(first),
                reply.usage.prompt_tokens,
                reply.usage.completion_tokens,
                value,
                *_charge_columns(charge),
            )
            for (reply, charge, first), value in zip(given, packed, strict=True)
        ]

    def _packed(self, values: Sequence[Any]) -> list[bytes]:
        """Compressed JSON of each value. All at once where zstandard can, leaving the interpreter once."""
        plain: list[bytes | bytearray | memoryview] = [pack(value) for value in values]
        if len(plain) < 2 or not _COMPRESSES_MANY:
            return [self._compress.compress(data) for data in plain]
        packed = self._compress.multi_compress_to_buffer(plain)
        return [packed[at].tobytes() for at in range(len(packed))]

    def _get(self, request: bytes, scope: bytes, first: int, last: int) -> list[Logged | None]:
        found: list[Logged | None] = [None] * (last - first + 1)
        if scope in self._fresh:
            return found
        with self._lock:
            for draw, kind, prompt, completion, value in self._query(_GET, (scope, request, first, last)):
                key = ReplyKey(request, scope, draw)
                found[draw - first] = self._logged(key, kind, prompt, completion, value)
        return found

    def _logged(self, key: ReplyKey, kind: int, prompt: int, completion: int, value: bytes) -> Logged:
        parts = self._unpack(key, value)
        if kind == REFUSAL:
            return LoggedRefusal(key, *parts)
        *answer, model, endpoint = parts
        return LoggedReply(key, Choice(*answer), model, endpoint, Usage(prompt, completion))

    def _unpack(self, key: ReplyKey, value: bytes) -> list[Any]:
        try:
            parts: list[Any] = unpack(self._decompress.decompress(value))
        except (zstandard.ZstdError, ValueError) as error:
            raise StoreError(
                f"{self.path}: reply log: the reply {key} is damaged ({error}); restore a backup of the "
                "log, or delete that row and run again to have it asked for anew"
            ) from error
        return parts

    def _under(self, scopes: Iterable[bytes] | None, query: str, group: str = "") -> list[tuple[Any, ...]]:
        """Rows of the query over the whole log, or over what stands under the scopes."""
        wanted = None if scopes is None else set(scopes)
        with self._lock:
            if wanted is None:
                return self._query(query + group, ())
            if wanted != self._wanted:
                self._put_down(wanted)
            return self._query(f"{query} AND scope IN (SELECT scope FROM wanted){group}", ())

    def _put_down(self, wanted: set[bytes]) -> None:
        """Make them the table `wanted`, for as many questions as are asked about the same scopes."""
        self._wanted = None  # unknown until all of them stand
        for statement in ("PRAGMA temp_store = MEMORY", _WANTED, "BEGIN"):
            self._query(statement, ())
        try:
            self._reader.execute("DELETE FROM wanted")
            insert(self._reader, "INSERT INTO wanted VALUES (?)", [(scope,) for scope in sorted(wanted)])
        except sqlite3.Error as error:
            raise store_error(self.path, error) from error
        finally:
            self._query("COMMIT", ())
        self._wanted = wanted

    def _query(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._reader.execute(query, values).fetchall()
        except sqlite3.ProgrammingError as error:  # what a closed connection raises
            raise StoreError(f"{self.path}: reply log: it was closed ({error})") from error
        except sqlite3.Error as error:
            raise store_error(self.path, error) from error


def _kept(reply: LoggedReply) -> list[Any]:
    choice = reply.choice
    return [
        choice.text,
        choice.finish_reason,
        choice.reasoning,
        choice.refused,
        reply.model,
        reply.endpoint,
    ]


def _key_columns(key: ReplyKey) -> tuple[bytes, bytes, int]:
    return (key.request, key.scope, key.draw)


def _charge_columns(charge: Charge | None) -> tuple[int | None, int | None]:
    return (None, None) if charge is None else (charge.cost, None if charge.told else charge.tokens)
