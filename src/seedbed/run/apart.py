"""A coroutine run to its end in a thread with an event loop of its own, for callers that may have one.

A notebook runs its cells inside an event loop, in which `asyncio.run` refuses to work. The caller's
thread waits meanwhile, and so is free to be interrupted and to call back.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, TypeVar

from seedbed.run.loop import run_in_loop

T = TypeVar("T")


def run_apart(
    main: Callable[[], Coroutine[Any, Any, T]],
    *,
    interrupt: Callable[[], None] = lambda: None,
    every: Callable[[], None] = lambda: None,
    seconds: float = 0.5,
) -> T:
    """The result of the coroutine that `main` makes; raises what it raises.

    `every` is called in the caller's thread each so many seconds. Where it raises, or a KeyboardInterrupt
    comes (what Ctrl-C and a notebook's stop button send), `interrupt` is called, which should make the
    coroutine end; once it has, the exception is raised.
    """
    outcome: Future[T] = Future()

    def work() -> None:
        try:
            outcome.set_result(run_in_loop(main()))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            outcome.set_exception(error)

    Thread(target=work, name="seedbed", daemon=True).start()
    stopped: BaseException | None = None
    while True:
        try:
            if wait([outcome], timeout=seconds).done:
                break
            if stopped is None:
                every()
        except BaseException as error:  # noqa: BLE001 - raised once what is under way has ended
            stopped = stopped or error
            interrupt()
    if stopped is not None:
        raise stopped
    return outcome.result()
