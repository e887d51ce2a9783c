"""libcurl's transfers in the loop of asyncio.

libcurl says at the end of every request that it no longer waits for its socket, and at the next one that it
does again. A selector of our own takes that up and is the one thing that the loop watches: what has become
ready in the meantime is worked off in one call. `pycurl.AsyncCurlMulti` makes and drops a handle of the loop
for each of these instead, and takes a third more of the core (docs/architecture.md, "The HTTP client").
"""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

import pycurl

_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
"""What libcurl waits for."""

_READY = {
    0: 0,
    selectors.EVENT_READ: pycurl.CSELECT_IN,
    selectors.EVENT_WRITE: pycurl.CSELECT_OUT,
    selectors.EVENT_READ | selectors.EVENT_WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}
"""What it is told."""


class Transfers:
    """Requests that are under way, in the running event loop, until `close`; `idle` connections are kept at
    most."""

    def __init__(self, idle: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[Any, asyncio.Future[None]] = {}
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watched: set[int] = set()
        self._sockets = selectors.DefaultSelector()
        self._loop.add_reader(self._sockets.fileno(), self._on_ready)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, idle)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)

    async def perform(self, curl: pycurl.Curl) -> None:
        """Return when it is done. Raises pycurl.error; a request that is cancelled is given up."""
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("this client belongs to another event loop; make one for each")
        try:
            self._multi.add_handle(curl)
        except pycurl.error as error:  # the codes of these mean other things than those of a request
            raise RuntimeError(f"libcurl takes no request: {error}") from None
        self._under_way[curl] = done = self._loop.create_future()
        try:
            await done
        finally:
            del done  # it knows the error, which knows this frame
            if self._under_way.pop(curl, None) is not None:
                self._multi.remove_handle(curl)

    def close(self) -> None:
        """Cancels what is under way and ends all connections. A second call does nothing."""
        if self._multi.closed:
            return
        under_way, self._under_way = self._under_way, {}
        for curl, done in under_way.items():
            self._multi.remove_handle(curl)
            done.cancel()
        self._multi.close()
        # Only now: until then libcurl may want to be called.
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        self._loop.remove_reader(self._sockets.fileno())
        self._sockets.close()

    def _on_socket(self, what: int, descriptor: int, multi: pycurl.CurlMulti, known: object) -> None:
        """libcurl waits for this socket, or no longer."""
        events = _EVENTS.get(what)
        if events is None:
            if descriptor in self._watched:
                self._sockets.unregister(descriptor)
                self._watched.remove(descriptor)
        elif descriptor in self._watched:
            self._sockets.modify(descriptor, events)
        else:
            self._sockets.register(descriptor, events)
            self._watched.add(descriptor)

    def _on_timer(self, milliseconds: int) -> None:
        """libcurl wants to be called then, below 0 not at all; it must not be called within this call."""
        if milliseconds == 0:
            if self._soon is None:
                self._soon = self._loop.call_soon(self._on_soon)
        elif milliseconds < 0:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        else:
            # With every answer it becomes a little later. A timer that is too early may stay: libcurl, called
            # before it is time, says again when that is.
            due = self._loop.time() + milliseconds / 1000
            if self._timer is not None and self._timer.when() > due:
                self._timer.cancel()
                self._timer = None
            if self._timer is None:
                self._timer = self._loop.call_at(due, self._on_time)

    def _on_soon(self) -> None:
        self._soon = None
        self._work(pycurl.SOCKET_TIMEOUT, 0)
        self._settle()

    def _on_time(self) -> None:
        self._timer = None
        self._work(pycurl.SOCKET_TIMEOUT, 0)
        self._settle()

    def _on_ready(self) -> None:
        for key, events in self._sockets.select(0):
            if key.fd in self._watched:  # still, after those before it
                self._work(key.fd, events)
        self._settle()

    def _work(self, descriptor: int, events: int) -> None:
        try:
            self._multi.socket_action(descriptor, _READY[events])
        except pycurl.error as error:  # of no request but of all: memory is short, or we are wrong
            for done in self._under_way.values():
                if not done.done():
                    done.set_exception(RuntimeError(f"libcurl cannot go on: {error}"))

    def _settle(self) -> None:
        """Tell those whose requests are done."""
        _, good, failed = self._multi.info_read()
        for curl in good:
            self._end(curl, None)
        for curl, code, said in failed:
            self._end(curl, pycurl.error(code, said))

    def _end(self, curl: pycurl.Curl, error: Exception | None) -> None:
        done = self._under_way.pop(curl)
        if not done.done():  # else it was cancelled, and is not yet given up
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
        self._multi.remove_handle(curl)
