"""A program in its sandbox: loaded, and then called from outside, one call at a time.

Nothing of the tests is here. Whatever the program does in this process (walk the frames, patch built-ins,
write into the channel) comes out as values that it claims its functions return.
"""

from __future__ import annotations

import builtins
import operator
import socket
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from .frames import LARGEST, MESSAGE, Gone, frame, packed, read_frame, unpacked
from .values import Encoder, Unsupported, decode

NAME = "solution"
_LONGEST_MESSAGE = 500


class _Objects:
    """Objects of the program by number: they stay here, the other side has the numbers."""

    def __init__(self) -> None:
        self._held: list[Any] = []
        self._numbers: dict[int, int] = {}

    def number_of(self, value: Any) -> int:
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._held)
            self._held.append(value)
        return self._numbers[id(value)]

    def get(self, number: int) -> Any:
        return self._held[number]


def serve(channel: socket.socket, start: Mapping[str, Any]) -> None:
    """Load the program, say what it has, and answer until the channel closes."""
    module = types.ModuleType(NAME)
    sys.modules[NAME] = module
    try:
        exec(compile(start["source"], f"<{NAME}>", "exec"), module.__dict__)
    except Exception as error:  # noqa: BLE001 - it is the program's own, and told
        _send(channel, {"raised": told(error)})
        return
    objects = _Objects()
    _send(channel, {"names": _names(module, objects), "exceptions": _exceptions(module)})
    try:
        while True:
            _, body = read_frame(channel.recv, LARGEST)
            _send(channel, _answer(unpacked(body), objects))
    except Gone:
        return


def _answer(question: Mapping[str, Any], objects: _Objects) -> dict[str, Any]:
    """`do` something to the object of that number."""
    try:
        held = objects.get(question["target"])
        given = question["with"]
        arguments = decode(given, objects.get)
        value = _DO[question["do"]](held, *arguments)
        answer = {"value": Encoder(objects.number_of).encode(value)}
        if question["do"] == "call":  # a function may change what it is given
            after = Encoder(objects.number_of).encode(list(arguments))
            if after != given:
                answer["with"] = after
        return answer
    except Unsupported as error:
        return {"unsupported": str(error)}
    except Exception as error:  # noqa: BLE001 - handed to the test, which may expect it
        return {"raised": told(error)}


def _call(held: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return held(*positional, **named)


_DO: Mapping[str, Callable[..., Any]] = {
    "call": _call,
    "get": getattr,
    "set": setattr,
    "len": len,
    "bool": bool,
    "str": str,
    "repr": repr,
    "iter": iter,
    "next": next,
    "enter": lambda held: type(held).__enter__(held),
    "exit": lambda held: type(held).__exit__(held, None, None, None),
    "operator": lambda held, name, *others: getattr(operator, name)(held, *others),
}


def told(error: BaseException) -> dict[str, str]:
    """Name and message of an exception, and the built-in class that it is one of."""
    kind = type(error)
    base = next(each for each in kind.__mro__ if getattr(builtins, each.__name__, None) is each)
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - the program's own class, which need not have a text
        message = ""
    return {"type": kind.__name__, "base": base.__name__, "message": message[:_LONGEST_MESSAGE]}


def _names(module: types.ModuleType, objects: _Objects) -> dict[str, Any]:
    """What the program's module has, encoded; modules that it imports by their own names."""
    found: dict[str, Any] = {}
    for name, value in vars(module).items():
        if isinstance(value, types.ModuleType):
            found[name] = {"m": value.__name__}
        elif not name.startswith("__"):
            try:
                found[name] = Encoder(objects.number_of).encode(value)
            except Unsupported:
                found[name] = {"o": objects.number_of(value)}
    return found


def _exceptions(module: types.ModuleType) -> dict[str, str]:
    """The program's own exception classes, with the built-in class that each is one of."""
    found = {}
    for name, value in vars(module).items():
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == NAME:
            found[name] = next(e.__name__ for e in value.__mro__ if getattr(builtins, e.__name__, None) is e)
    return found


def _send(channel: socket.socket, message: Mapping[str, Any]) -> None:
    channel.sendall(frame(MESSAGE, packed(message)))
