"""Programs with packages: what is listed can be imported and its values compared; nothing else can."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seedbed.verify.code import CodeVerifier
from seedbed.verify.packages import problem, visible
from seedbed.verify.sandbox.backends import BACKENDS, Backend
from seedbed.verify.sandbox.broker import Limits, SandboxError
from seedbed.verify.sandbox.probes import escapes


@pytest.fixture(scope="module", params=BACKENDS, ids=lambda backend: backend.name)
def verifier(request: pytest.FixtureRequest) -> Iterator[CodeVerifier]:
    backend: Backend = request.param
    try:
        assert escapes(backend) == []
    except SandboxError as error:
        pytest.skip(str(error))
    with CodeVerifier(Limits(), backend=backend, packages=("numpy",)) as made:
        yield made


PROGRAM = """
import numpy as np

def scaled(values, by):
    return np.asarray(values) * by

def mean(values):
    return np.mean(values)

def double(array):
    array *= 2
"""
TESTS = """
import numpy as np

def test_arrays():
    assert scaled([1, 2], 3).tolist() == [3, 6]
    assert np.array_equal(scaled(np.array([[1.5, np.nan]]), 2), [[3.0, np.nan]], equal_nan=True)
    assert scaled(np.array([1, 2], dtype="int8"), 1).dtype == "int8"

def test_numbers():
    assert mean([1, 2]) == 1.5 and isinstance(mean([1]), float)
    assert np.isclose(mean(np.array([0.1, 0.2])), 0.15)

def test_what_is_changed_in_place():
    held = np.array([1, 2])
    double(held)
    assert held.tolist() == [2, 4]
"""


def test_arrays_and_numbers_are_compared_as_plain_values(verifier: CodeVerifier) -> None:
    found = verifier.check(PROGRAM, TESTS)
    assert found.finding == "passed", found
    wrong = PROGRAM.replace("* by", "+ by")
    assert verifier.check(wrong, TESTS).reason == "test_failed"


NUMPY = "import numpy as np\n"


@pytest.mark.parametrize(
    "returned",
    [
        "np.array([object()])",
        "np.float64.__new__(type('F', (np.float64,), {'__eq__': lambda a, b: True, '__hash__': None}), 3)",
        "np.array([3.0]).view(type('A', (np.ndarray,), {'__eq__': lambda a, b: np.True_}))",
        "type('I', (), {'__array_interface__': {'shape': (1,), 'typestr': '<f8', 'data': (id(0), True)}})()",
        "type('L', (), {'__array__': lambda *a, **k: np.array([3.0])})()",
        "np.longdouble(3)",
    ],
)
@pytest.mark.parametrize(
    "tests", ["assert f() == 3", "assert np.allclose(f(), 3)", "assert np.all(f() == 3)"]
)
def test_what_is_none_of_numpys_own_values_never_passes(
    verifier: CodeVerifier, returned: str, tests: str
) -> None:
    found = verifier.attempt(f"{NUMPY}def f():\n    return {returned}\n", NUMPY + tests)
    assert (found.finding, found.reason) == ("undecided", "unsupported_value"), found


def test_a_programs_own_numpy_takes_no_part_in_the_tests(verifier: CodeVerifier) -> None:
    own = "class numpy:\n    def allclose(a, b):\n        return True\ndef f():\n    return 4\n"
    assert verifier.attempt(own, "import numpy\nassert numpy.allclose(f(), 3)").reason == "test_failed"
    assert verifier.attempt(own, "assert numpy.allclose(f(), 3)").reason == "test_failed"


@pytest.mark.parametrize("name", ["pydantic", "pytest", "seedbed", "sklearn", "pip"])
def test_what_is_not_listed_cannot_be_imported(verifier: CodeVerifier, name: str) -> None:
    program = (
        f"def f():\n    try:\n        import {name}\n    except ModuleNotFoundError as error:\n"
        "        return error.name\n"
    )
    assert verifier.attempt(program, f"assert f() == {name!r}").finding == "passed"


def test_chance_is_equal_for_each_run(verifier: CodeVerifier) -> None:
    draws = f"{NUMPY}def f():\n    return float(np.random.random())\n"
    with CodeVerifier(Limits(), packages=("numpy",)) as other:
        shows = other.attempt(draws, "raise ValueError(f())").evidence["message"]
    assert verifier.attempt(draws, "raise ValueError(f())").evidence["message"] == shows


def test_they_are_imported_before_a_programs_memory_is_counted_out() -> None:
    with CodeVerifier(Limits(memory=64 << 20), packages=("numpy",)) as small:
        assert small.attempt(PROGRAM, "assert scaled([1], 2).tolist() == [2]").finding == "passed"


def test_a_package_comes_with_what_it_requires_and_with_nothing_else() -> None:
    shown = visible(("pandas",))
    assert {"pandas", "numpy", "dateutil"} <= set(shown.modules)
    assert not {"pytest", "seedbed", "pip"} & set(shown.modules)
    assert visible(()).paths == ()


def test_what_programs_cannot_be_given_is_refused() -> None:
    assert problem(["numpy"]) == ""
    assert "pip install it" in problem(["numpy", "no_such_package"])
    assert "Python's own" in problem(["math"])
