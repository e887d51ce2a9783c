"""The tests of a program in a sandbox of their own. The program is elsewhere: what they call goes out.

Tests may be asserts at the top level, functions named `test…` without arguments, classes of unittest, or
a function `check(candidate)`. They import the program as the module `solution`, or use its names at once.
"""

from __future__ import annotations

import builtins
import importlib
import socket
import sys
import traceback
import types
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from .frames import LARGEST, MESSAGE, frame, packed, read_frame, unpacked
from .listed_modules import is_listed
from .solution import NAME, told
from .values import Encoder, Unsupported, decode


class _NoAnswer(BaseException):
    """The program gave no answer that a test could look at. Tests that catch `Exception` do not catch it."""


class _Program:
    """The program at the other end of the channel."""

    def __init__(self, channel: socket.socket, exceptions: Mapping[str, str]) -> None:
        self._channel = channel
        self._stand_ins: dict[int, Remote] = {}
        self.exceptions = {
            name: type(name, (kind,), {})
            for name, base in exceptions.items()
            if isinstance(kind := getattr(builtins, base, None), type) and issubclass(kind, Exception)
        }

    def ask(self, do: str, target: int, *arguments: Any) -> Any:
        try:
            given = Encoder(_number_of).encode(list(arguments))
            self._channel.sendall(frame(MESSAGE, packed({"do": do, "target": target, "with": given})))
            _, body = read_frame(self._channel.recv, LARGEST)
            answer = unpacked(body)
            if "raised" in answer:
                self._raise(answer["raised"], may_end=do == "next")
            if "with" in answer:
                _update(list(arguments), decode(answer["with"], self.object))
            if "value" in answer:
                return decode(answer["value"], self.object)
        except (Unsupported, MemoryError, RecursionError) as error:
            self.give_up(str(error) or type(error).__name__)
        raise _NoAnswer

    def give_up(self, why: str) -> NoReturn:
        """Nothing can be said of the program: whoever drives this is told, whatever the tests make of it."""
        self._channel.sendall(frame(MESSAGE, packed({"unsupported": why})))
        raise _NoAnswer

    def object(self, number: int) -> Remote:
        if number not in self._stand_ins:
            self._stand_ins[number] = Remote(self, number)
        return self._stand_ins[number]

    def _raise(self, told: Mapping[str, str], *, may_end: bool) -> NoReturn:
        """The program's error; only the end of an iterator may be one that ends a loop of the tests."""
        kind = self.exceptions.get(told["type"]) or getattr(builtins, told["base"], None)
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            kind = Exception
        if issubclass(kind, StopIteration | StopAsyncIteration) and not may_end:
            kind = RuntimeError
        try:
            error = kind(told["message"])
        except TypeError:  # UnicodeDecodeError and its like want more than a message
            raise ValueError(told["message"]) from None
        raise error


class Remote:
    """Stands for a function, class or object of the program. Compared by identity alone."""

    def __init__(self, program: _Program, target: int) -> None:
        vars(self).update(_program=program, _target=target)  # past our own __setattr__

    def _ask(self, do: str, *arguments: Any) -> Any:
        return vars(self)["_program"].ask(do, vars(self)["_target"], *arguments)

    def __call__(self, *positional: Any, **named: Any) -> Any:
        return self._ask("call", positional, named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__array", "__dlpack", "__buffer")):  # numpy would believe where its memory is
            self._undecidable("taken for an array")
        return self._ask("get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("set", name, value)

    def __len__(self) -> Any:
        return self._ask("len")

    def __bool__(self) -> Any:
        return self._ask("bool")

    def __str__(self) -> str:
        return str(self._ask("str"))

    def __repr__(self) -> str:
        return str(self._ask("repr"))

    def __iter__(self) -> Any:
        return self._ask("iter")

    def __next__(self) -> Any:
        return self._ask("next")

    def __enter__(self) -> Any:
        return self._ask("enter")

    def __exit__(self, *_: object) -> None:
        self._ask("exit")

    def __eq__(self, other: object) -> bool:
        return self is other or self._undecidable("compared")

    def __hash__(self) -> int:
        return self._undecidable("looked up")

    def __contains__(self, item: Any) -> bool:
        return self._undecidable("searched")

    def __instancecheck__(self, instance: object) -> bool:
        return self._undecidable("asked for its class")

    def __lt__(self, other: object) -> bool:
        return self._undecidable("compared")

    __le__ = __gt__ = __ge__ = __lt__

    def _undecidable(self, how: str) -> NoReturn:
        """Only the program could say, and it would say what suits it."""
        program: _Program = vars(self)["_program"]
        program.give_up(f"an object of the program's own, {how}")


def _forwarded(name: str) -> Callable[..., Any]:
    return lambda self, *others: self._ask("operator", name, *others)


# What these give is the program's, as what a call returns is.
for _name in ("getitem", "setitem", "delitem", "neg", "abs", "invert"):
    setattr(Remote, f"__{_name}__", _forwarded(_name))
# These would hand it the value that is expected of it: `abs(total(x) - 6.5) < 1e-6`, `3 in divisors(6)`.
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
    for _side in ("", "r"):
        setattr(Remote, f"__{_side}{_name}__", lambda self, *others: self._undecidable("reckoned with"))


def _number_of(value: Any) -> int:
    if isinstance(value, Remote):
        return int(vars(value)["_target"])
    raise Unsupported(f"an argument of type {type(value).__name__}")


def _update(arguments: list[Any], after: list[Any]) -> None:
    """Let lists, dicts and sets be what the program has made of them."""
    positional, named = arguments
    now_positional, now_named = after
    pairs = [*zip(positional, now_positional, strict=True)]
    pairs += [(named[name], now_named[name]) for name in named]
    for given, now in pairs:
        if type(given) is not type(now) or _same(given, now):
            continue
        if isinstance(given, list):
            given[:] = now
        elif isinstance(given, dict | set):
            given.clear()
            given.update(now)
        elif hasattr(given, "dtype") and given.shape == now.shape:
            given[...] = now


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except ValueError:  # arrays, which are equal item by item
        return False


def report(channel: socket.socket, start: Mapping[str, Any]) -> None:
    """Run the tests and say what came of them: how many ran, and the first that failed."""
    program = _Program(channel, start["exceptions"])
    entry = start["entry"]
    module = types.ModuleType(NAME)
    for name, value in start["names"].items():
        # The names are the program's word; `__builtins__` and its like are not its to give.
        if name.isidentifier() and not name.startswith("__"):
            vars(module)[name] = _held(program, name, value)
    usable = {name: value for name, value in vars(module).items() if _may_be_used(name, value, entry)}
    vars(module)["__all__"] = [name for name in usable if not name.startswith("_")]
    sys.modules[NAME] = module
    finished = _run(start["source"], {**usable, "__name__": "tests", "__builtins__": builtins}, entry)
    channel.sendall(frame(MESSAGE, packed({"finished": finished})))


def _run(suite: str, space: dict[str, Any], entry: str | None) -> dict[str, Any]:
    ran = 0
    failed: dict[str, Any] | None = None
    try:
        exec(compile(suite, "<tests>", "exec"), space)
        for run in _tests(space, entry):
            ran += 1
            run()
    except _NoAnswer:
        failed = {"type": "", "message": "the program gave no answer"}
    except Exception as error:  # noqa: BLE001 - a test that fails, told
        failed = {**told(error), "line": _line(error)}
    return {"ran": ran, "failed": failed}


def _may_be_used(name: str, value: Any, entry: str | None) -> bool:
    """Whether tests find a name of the program without importing it: none that could pass for Python's own.

    A program that brings its own `sorted` or `math` would else take part in the tests.
    """
    own = name != entry and not isinstance(value, types.ModuleType)
    known = hasattr(builtins, name) or name in sys.stdlib_module_names or is_listed(name)
    return not (own and known)


def _held(program: _Program, name: str, value: Any) -> Any:
    """What a name of the program's module stands for here: a value, a stand-in, an exception, a module."""
    if isinstance(value, dict) and "o" in value and name in program.exceptions:
        return program.exceptions[name]
    if isinstance(value, dict) and "m" in value:
        try:
            return importlib.import_module(value["m"])
        except ImportError:
            return None
    return decode(value, program.object)


def _tests(space: Mapping[str, Any], entry: str | None) -> Iterator[Callable[[], Any]]:
    own = [value for value in space.values() if getattr(value, "__module__", "") == "tests"]
    for value in own:
        if isinstance(value, types.FunctionType) and value.__name__.startswith("test"):
            yield value
        elif isinstance(value, type) and issubclass(value, unittest.TestCase):
            for test in unittest.defaultTestLoader.loadTestsFromTestCase(value):
                yield test.debug
    check = space.get("check")
    if entry is not None and isinstance(check, types.FunctionType):
        yield lambda: check(space[entry])


def _line(error: BaseException) -> int | None:
    """The line of the tests at which it came up."""
    lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if at.filename == "<tests>"]
    return lines[-1] if lines else None
