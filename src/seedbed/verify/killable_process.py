"""The process behind a `killable.KillableProcess`: reads a call, makes it, writes what came of it."""

from __future__ import annotations

import json
import os
import queue
import resource
import signal
import threading
from pkgutil import resolve_name

from seedbed.core.child_process import read_frames, send


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints goes to stderr and never between two answers
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=read_frames, args=(calls,), daemon=True).start()
    limits = json.loads(calls.get())
    function = resolve_name(limits["function"])
    most = limits["megabytes"] << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The kernel acts on it, whatever the interpreter is busy with, also where the parent is gone.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    send(answers, json.dumps({"value": None}).encode())
    while True:
        argument = json.loads(calls.get())
        signal.setitimer(signal.ITIMER_PROF, limits["seconds"])
        try:
            answer = {"value": function(argument)}
        except MemoryError:
            answer = {"killed": "out_of_memory"}
        except Exception as error:  # noqa: BLE001 - a library gave up in its own way, and may be out of order
            answer = {"killed": "crashed", "detail": f"{type(error).__name__}: {error}"}
        signal.setitimer(signal.ITIMER_PROF, 0)
        send(answers, json.dumps(answer).encode())


if __name__ == "__main__":
    main()
