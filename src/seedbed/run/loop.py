"""The event loop that runs take place in."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")

# Writes the body of a request; it waits for nothing unless the body is larger than the socket's buffer.
_WRITES = "ClientRequest.write_bytes"


def run_in_loop(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, with uvloop where it exists: its loop takes less of the core that all share."""
    if sys.platform == "win32":
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(main)


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    if sys.version_info < (3, 12):
        loop.set_task_factory(_write_at_once)
    return loop


def _write_at_once(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, T] | Generator[Any, None, T],
    context: Context | None = None,
) -> asyncio.Future[T]:
    """Makes tasks as the loop would, but begins those that write a request's body then and there.

    aiohttp asks for it from Python 3.12 on. Before, each request goes out after a task of its own and one
    more turn of the loop, which with all that other answers ask for is some milliseconds.
    """
    name = getattr(work, "__qualname__", "")
    if name != _WRITES or not isinstance(work, Coroutine) or context is not None:
        return asyncio.Task(work, loop=loop, context=context)
    try:
        awaited = work.send(None)
    except StopIteration as end:
        written: asyncio.Future[T] = loop.create_future()
        written.set_result(end.value)
        return written
    return asyncio.Task(_go_on(work, awaited), loop=loop)


@types.coroutine
def _go_on(work: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    """The rest of a coroutine that has begun and waits for something."""
    try:
        while True:
            try:
                value = yield awaited
            except BaseException as error:  # noqa: BLE001 - a cancellation, for one: the coroutine's to handle
                awaited = work.throw(error)
            else:
                awaited = work.send(value)
    except StopIteration as end:
        result: T = end.value
        return result
