"""Programs against tests: what passes, and what each way of not passing is called."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.filters.verify import ProgramLimits
from seedbed.verify.code import CodeVerifier, Demands
from seedbed.verify.sandbox.backends import BUBBLEWRAP, LANDLOCK, Backend
from seedbed.verify.sandbox.broker import Limits, SandboxError
from seedbed.verify.sandbox.probes import NoSandbox, best_backend, escapes

ADD = "def add(a, b):\n    return a + b\n"
ADD_TESTS = "assert add(1, 2) == 3\nassert add(-1, 1) == 0\n"

STACK = """
class Empty(Exception):
    pass

class Stack:
    limit = 3
    def __init__(self, items=()):
        self.items = list(items)
    def push(self, item):
        if len(self.items) >= self.limit:
            raise OverflowError(f"no more than {self.limit}")
        self.items.append(item)
        return self
    def pop(self):
        if not self.items:
            raise Empty("nothing there")
        return self.items.pop()
    def __len__(self):
        return len(self.items)
    def __getitem__(self, at):
        return self.items[at]
    def __add__(self, other):
        return Stack(self.items + other.items)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self.items.clear()
"""

STACK_TESTS = """
import unittest
from solution import Empty, Stack

class StackTest(unittest.TestCase):
    def test_push_and_pop(self):
        stack = Stack()
        self.assertIs(stack.push(1).push(2), stack)
        self.assertEqual([stack.pop(), stack.pop()], [2, 1])

    def test_empty(self):
        with self.assertRaises(Empty):
            Stack().pop()

    def test_full(self):
        with self.assertRaisesRegex(OverflowError, "no more than 3"):
            Stack([1, 2, 3]).push(4)

    def test_as_a_collection(self):
        three = Stack([1, 2, 3])
        self.assertEqual((len(three), three[0], list(three), three.items), (3, 1, [1, 2, 3], [1, 2, 3]))

def test_with():
    with Stack([1]) as stack:
        assert len(stack) == 1
    assert len(stack) == 0
    stack.limit = 0
    try:
        stack.push(1)
    except OverflowError:
        return
    raise AssertionError
"""


@pytest.fixture(scope="module")
def verifier(sandbox: Backend) -> Iterator[CodeVerifier]:
    with CodeVerifier(Limits(seconds=5), backend=sandbox) as made:
        yield made


ERRORS = """
try:
    first([])
    raise AssertionError
except IndexError:
    pass
assert first("ab") == "a"
assert first([(1, {2})]) == (1, {2})
"""
COUNT = "def count(n):\n    at = 0\n    while at < n:\n        yield at\n        at += 1\n"

# What tests may look like: program, tests, and the name that a function `check` is given.
PASSING: dict[str, tuple[str, str, str | None]] = {
    "asserts": (ADD, ADD_TESTS, None),
    "imported": (ADD, "from solution import add as plus\nassert plus(1, 2) == 3\n", None),
    "a function": (ADD, "def test_it():\n    assert add(1, 2) == 3\n", None),
    "check": (ADD, "def check(candidate):\n    assert candidate(1, b=2) == 3\n", "add"),
    "in place": (
        "def turn(items):\n    items[:] = items[2:] + items[:2]\n",
        "x = [3, 1, 2]\nturn(x)\nassert x == [2, 3, 1]",
        None,
    ),
    "a generator": (COUNT, "assert list(count(3)) == [0, 1, 2]\nassert next(count(1)) == 0", None),
    "a module and a constant": (
        "import math\nLIMIT = 2\ndef area(r):\n    return math.pi * r ** 2\n",
        "assert math.isclose(area(LIMIT), 12.566370614359172)",
        None,
    ),
    "an error": ("def first(items):\n    return items[0]\n", ERRORS, None),
    "a class": (STACK, STACK_TESTS, None),
}


@pytest.mark.parametrize("name", PASSING)
def test_programs_that_pass(verifier: CodeVerifier, name: str) -> None:
    assert verifier.check(*PASSING[name]).finding == "passed"


@pytest.mark.parametrize(
    ("program", "tests", "reason"),
    [
        ("def add(a, b:\n", ADD_TESTS, "no_python"),
        (ADD, "assert add(1, 2) ==", "no_python"),
        ("raise ValueError('no')", ADD_TESTS, "program_raises"),
        ("def add(a, b):\n    return a - b\n", ADD_TESTS, "test_failed"),
        ("import os\ndef add(a, b):\n    os._exit(3)\n", ADD_TESTS, "program_ended"),
        (ADD, "import os\nos._exit(0)\n", "tests_ended"),
        ("def add(a, b):\n    while True: pass\n", ADD_TESTS, "timed_out"),
        ("def add(a, b):\n    return str(a + b) * 10 ** 7\n", ADD_TESTS, "program_said_too_much"),
        (ADD, "", "vacuous_tests"),
        (ADD, "assert True", "vacuous_tests"),
        (ADD, "assert add(1, 2) in (3, None)", "vacuous_tests"),
        (ADD, "assert isinstance(add(1, 2), int)", "vacuous_tests"),
        ("def add(a, b):\n    return a + b if {'x', 'y', 'z'}.pop() == 'PICK' else 0\n", ADD_TESTS, "flaky"),
    ],
)
def test_programs_that_do_not(sandbox: Backend, program: str, tests: str, reason: str) -> None:
    if reason == "flaky":
        program = program.replace("PICK", _popped_first(sandbox))
    with CodeVerifier(Limits(seconds=2, cpu_seconds=1, output=1 << 20), backend=sandbox) as verifier:
        found = verifier.check(program, tests)
    assert (found.finding, found.reason) == ("failed", reason), found


def _popped_first(sandbox: Backend) -> str:
    """What the order of a set brings first under the first hash seed, and not under the second."""
    with CodeVerifier(backend=sandbox) as verifier:
        for name in "xyz":
            program = f"def is_it():\n    return {{'x', 'y', 'z'}}.pop() == {name!r}\n"
            found = [verifier.attempt(program, "assert is_it()", seed=seed).finding for seed in (1, 2)]
            if found == ["passed", "failed"]:
                return name
    raise AssertionError("the two seeds order this set alike")


@pytest.mark.parametrize(
    ("program", "tests"),
    [
        ("def it():\n    return object()\n", "assert it() == 1"),
        ("def it():\n    return object()\n", "try:\n    assert it() == 1\nexcept BaseException:\n    pass"),
        ("class A: pass\n", "assert A() == A()"),
        (f"x = 0x{'f' * 5000}\ndef it():\n    return 1\n", "assert it() == 1"),
        ("class A: pass\n", "assert isinstance(A(), A)"),
        ("def it(f):\n    return f(1)\n", "assert it(lambda x: x) == 1"),
        ("def it():\n    x = []\n    for _ in range(99): x = [x]\n    return x\n", "assert it()"),
    ],
)
def test_what_cannot_be_compared_is_undecided(verifier: CodeVerifier, program: str, tests: str) -> None:
    found = verifier.check(program, tests)
    assert found.finding == "undecided", found
    assert found.reason in ("unsupported_value", "no_mutants"), found


def test_each_suite_has_its_own_outcome_and_an_end_of_the_program_is_that_of_all(
    verifier: CodeVerifier, sandbox: Backend
) -> None:
    suites = ["assert half(4) == 2", "assert half(4) == 3", "assert half('x') == 1", "assert half(2) == 1"]
    half = "def half(n):\n    return n // 2\n"
    found = verifier.attempt_each(half, suites)
    assert [one.finding for one in found] == ["passed", "failed", "failed", "passed"]
    patched = "import builtins; builtins.abs = lambda x: 2"
    suites = ["while True: pass", "import os; os._exit(0)", patched, "assert abs(half(2)) == 2"]
    with CodeVerifier(Limits(seconds=10, cpu_seconds=1), backend=sandbox) as strict:
        found = strict.attempt_each(half, suites)
    assert [one.reason for one in found] == ["timed_out", "tests_ended", "", "test_failed"]
    ends = "import os\ndef half(n):\n    return n // 2 if n == 4 else os._exit(0)\n"
    found = verifier.attempt_each(ends, ["assert half(4) == 2", "assert half(2) == 1", "assert half(4) == 2"])
    assert [one.reason for one in found] == ["", "program_ended", "program_ended"]


OWN_NAMES = """
def sorted(x):
    return [1, 2]
class math:
    def isclose(a, b):
        return True
def it():
    return [3]
"""


def test_names_of_python_are_the_tests_own(verifier: CodeVerifier) -> None:
    for tests in ("assert sorted(it()) == [1, 2]", "import math\nassert math.isclose(it()[0], 9)"):
        assert verifier.attempt(OWN_NAMES, tests).reason == "test_failed"
    asked_for = "from solution import sorted\nassert sorted(0) == [1, 2]"
    assert verifier.attempt(OWN_NAMES, asked_for).finding == "passed"


def test_who_only_waits_has_four_times_the_processor_time(sandbox: Backend) -> None:
    assert Limits().seconds == 4 * Limits().cpu_seconds  # of what methods run
    waits = "import time\ndef add(a, b):\n    time.sleep(a)\n    return a + b\n"
    with CodeVerifier(ProgramLimits(seconds=0.5).limits(), backend=sandbox) as verifier:
        assert verifier.attempt(waits, "assert add(1.2, 1) == 2.2").finding == "passed"
        assert verifier.attempt(waits, "assert add(9, 1) == 10").evidence == {"seconds": 2.0}


def test_demands_can_be_lowered(sandbox: Backend) -> None:
    with CodeVerifier(demands=Demands(fails_on_stub=True, kills_mutants=0), backend=sandbox) as verifier:
        assert verifier.check(ADD, "assert isinstance(add(1, 2), int)").finding == "passed"
        assert verifier.check(ADD, "assert True").reason == "vacuous_tests"
    with CodeVerifier(demands=Demands(fails_on_stub=False, kills_mutants=0), backend=sandbox) as verifier:
        assert verifier.check(ADD, "assert True").finding == "passed"


def test_a_verifier_travels_to_another_process(verifier: CodeVerifier) -> None:
    assert verifier.check(ADD, ADD_TESTS).finding == "passed"
    with pickle.loads(pickle.dumps(verifier)) as other:
        assert other.check(ADD, ADD_TESTS).finding == "passed"


def test_where_there_is_no_sandbox_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with (
        CodeVerifier(backend=BUBBLEWRAP) as verifier,
        pytest.raises(SandboxError, match="bubblewrap is not installed"),
    ):
        verifier.attempt(ADD, ADD_TESTS)


def test_what_is_missing_is_told_with_the_way_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoSandbox, match=r"bubblewrap is not installed.*; to have one, ") as caught:
        best_backend((BUBBLEWRAP,))
    assert caught.value.exit_code == 1
    assert "bubblewrap" in caught.value.remedy


def test_a_sandbox_that_lets_a_program_out_is_none() -> None:
    """Probes that get what they are after are named: here reading a file that any program may read."""
    assert "read a file of the user" not in escapes(LANDLOCK)
    with pytest.raises(NoSandbox, match="landlock lets a program read a file of the user"):
        best_backend((Leaky(LANDLOCK.name, LANDLOCK.around),))


class Leaky(Backend):
    """Lets programs read the whole package, the file of the user among it."""

    def command(self, hash_seed: int, packages: tuple[str, ...] = ()) -> list[str]:
        return [*super().command(hash_seed, packages), str(Path(escapes.__code__.co_filename).parent)]


FLOODS = """
import os, threading
def it(text):
    return len(text)
def flood():
    body = b'{"value":0}' + b' ' * (1 << 16)
    for at in range(200):
        for fd in range(3, 16):
            try: os.write(fd, b'M' + len(body).to_bytes(4, 'little') + body)
            except OSError: pass
flood()
"""


def test_a_program_that_talks_without_being_asked_holds_nobody_up(sandbox: Backend) -> None:
    """What it says fills the pipe to us while the tests have much to say to it."""
    with CodeVerifier(Limits(seconds=2, cpu_seconds=2), backend=sandbox) as verifier:
        found = verifier.attempt(FLOODS, "assert it('x' * (1 << 20)) == 1 << 20\n" * 9)
        assert found.finding == "failed"
        assert verifier.attempt(ADD, ADD_TESTS).finding == "passed"
