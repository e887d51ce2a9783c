"""The process behind the eval lock: `python -m seedbed.sources.eval_lock_process`.

It alone opens the eval file. It serves on a Unix socket in a private folder of the temporary
directory until its parent closes its standard input or is gone, and then removes the folder.
"""

from __future__ import annotations

import hmac
import os
import secrets
import select
import shutil
import signal
import socket
import socketserver
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seedbed.core.garbage import collect_rarely
from seedbed.sources import wire
from seedbed.sources.locked_set import LockedSet
from seedbed.sources.marks import TEXT_HASH_BYTES
from seedbed.sources.sealed import answer_with, kind_and_place, read_request
from seedbed.sources.spec import SourceSpec

FOLDER_PREFIX = "seedbed-lock-"
_SOCKET = "socket"
_NOT_YET_LISTENING = "new"
# The kernel allows 108 bytes (macOS 104) for a socket's address.
_LONGEST_ADDRESS = 100
_SECONDS_BETWEEN_LOOKS_AT_PARENT = 1.0
_SECONDS_UNTIL_A_FOLDER_WITHOUT_SOCKET_IS_STALE = 60.0


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A thread for each connection; one question at a time, as the index is bound by the CPU anyway."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: str, locked: LockedSet) -> None:
        super().__init__(address, _Conversation)
        self.token = secrets.token_hex(16)
        self._one_at_a_time = threading.Lock()
        self._answers: Mapping[str, Callable[[Any], Any]] = {
            "check": lambda texts: [[[h.rule, h.score, h.row] for h in hits] for hits in locked.check(texts)],
            "ignore_common": locked.ignore_common,
            "suggest": lambda texts: (found := locked.suggest_ignore_after(texts)) and asdict(found),
            "drafts": lambda text: locked.count_drafts(_hashes(bytes.fromhex(text))),
        }

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            with self._one_at_a_time:
                return {"result": self._answers[request["do"]](request["with"])}
        except Exception as error:  # noqa: BLE001 - told to the client, without text
            return {"failed": kind_and_place(error)}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event; socketserver would print a traceback."""


class _Conversation(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        hello = wire.receive(self.request, largest=1024)
        if not isinstance(hello, str) or not hmac.compare_digest(hello, self.server.token):
            return
        while (request := wire.receive(self.request)) is not None:
            wire.send(self.request, self.server.answer(request))


def _hashes(data: bytes) -> list[bytes]:
    return [data[at : at + TEXT_HASH_BYTES] for at in range(0, len(data), TEXT_HASH_BYTES)]


def _private_folder() -> Path:
    """A new folder that this user alone may enter, short enough for a socket's address."""
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base)) + len(FOLDER_PREFIX) + 20 > _LONGEST_ADDRESS:
        base = Path("/tmp")
    _remove_stale(base)
    return Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=base))


def _remove_stale(base: Path) -> None:
    """Remove the folders of locks that were killed together with their parent."""
    for folder in base.glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):
            if folder.stat().st_uid == os.getuid() and not _is_served(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_served(folder: Path) -> bool:
    address = folder / _SOCKET
    if not address.exists():
        age = time.time() - folder.stat().st_mtime
        return age < _SECONDS_UNTIL_A_FOLDER_WITHOUT_SOCKET_IS_STALE
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(address))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def _wait_for_the_parent_to_end(parent: int) -> None:
    """Return when standard input ends, or when the parent (its process id) is gone.

    The second look is for a parent that forked: a fork holds the pipe open after the parent's death.
    """
    while os.getppid() == parent:
        ready, _, _ = select.select([sys.stdin], [], [], _SECONDS_BETWEEN_LOOKS_AT_PARENT)
        if ready and not os.read(sys.stdin.fileno(), 1024):
            return


def main() -> None:
    collect_rarely()
    wanted = read_request()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder: Path | None = None

    def open_and_serve() -> Mapping[str, Any]:
        nonlocal folder
        locked = LockedSet(
            SourceSpec.from_json(wanted["spec"]), wanted["needs"], wanted["may_be_empty"], wanted["decoys"]
        )
        folder = _private_folder()
        server = _Server(str(folder / _NOT_YET_LISTENING), locked)
        # Only now under its name: whoever looks for stale folders sees a socket that answers, or none.
        (folder / _NOT_YET_LISTENING).rename(folder / _SOCKET)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return {
            "address": str(folder / _SOCKET),
            "token": server.token,
            "sha256": locked.sha256,
            "rows": locked.rows,
            "compare": locked.compare,
            "ignore_after": locked.ignore_after,
            "canary": locked.canary,
        }

    try:
        if answer_with(open_and_serve):
            _wait_for_the_parent_to_end(wanted["parent"])
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
