"""The process behind one of `workers.Workers`: reads a call, makes it, writes what came of it."""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
import traceback

from seedbed.core.child_process import read_frames, send
from seedbed.core.errors import SeedbedError
from seedbed.core.garbage import collect_rarely


def main() -> None:
    collect_rarely()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a filter prints goes to stderr and never between two answers
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=read_frames, args=(calls,), daemon=True).start()
    path, beginning = pickle.loads(calls.get())
    sys.path += [entry for entry in path if entry not in sys.path]  # plug-ins stand where they stood
    begin, state = pickle.loads(beginning)
    begin(state)
    while True:
        send(answers, _answer(calls.get()))


def _answer(call: bytes) -> bytes:
    try:
        function, argument = pickle.loads(call)
        return pickle.dumps((True, function(argument)), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - handed to the caller, which raises it
        return _as_answer(error)


def _as_answer(error: Exception) -> bytes:
    error.add_note("in a worker process:\n" + "".join(traceback.format_tb(error.__traceback__)))
    try:
        answer = pickle.dumps((False, error))
        pickle.loads(answer)
    except Exception:  # noqa: BLE001 - an exception of a plug-in need not survive the way; its text does
        return pickle.dumps((False, SeedbedError(f"{type(error).__name__}: {error}")))
    return answer


if __name__ == "__main__":
    main()
