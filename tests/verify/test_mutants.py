"""Programs that are wrong on purpose."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from seedbed.verify.consensus import assertions, by_consensus
from seedbed.verify.mutants import mutants, stub

PROGRAM = """
import math
LIMIT = 3

class Box:
    def __init__(self, size=1):
        self.size = size

    def fits(self, other):
        return self.size >= other.size and not False

def area(a, b):
    '''The area.'''
    total = a * b
    total += 1
    return total if a < b else -total
"""


def test_a_stub_has_the_names_and_does_nothing() -> None:
    space: dict[str, object] = {}
    exec(stub(PROGRAM) or "", space)
    assert space["LIMIT"] == 3
    assert space["area"](2, 3) is None  # type: ignore[operator]
    assert space["Box"](2).fits(None) is None  # type: ignore[operator]
    assert stub("def broken(:") is None


def test_each_mutant_differs_by_one_change() -> None:
    made = mutants(PROGRAM, 100) or []
    plain = ast.unparse(ast.parse(PROGRAM)).splitlines()
    assert len(made) == len(set(made)) > 5
    for mutant in made:
        lines = mutant.splitlines()
        assert len(lines) == len(plain)
        assert sum(a != b for a, b in zip(lines, plain, strict=True)) == 1
    assert ast.unparse(ast.parse(PROGRAM)) not in made


def test_few_mutants_come_from_all_over_the_program() -> None:
    few = mutants(PROGRAM, 3) or []
    assert len(few) == 3
    assert set(few) < set(mutants(PROGRAM, 100) or [])
    assert mutants("def broken(:", 3) is None
    assert mutants("def f(x):\n    return x\n", 3) == []


def test_a_consensus_is_held_by_many_and_passes_much() -> None:
    wrong_alone = [0, 1, 2, 3]
    right = [1, 2, 4]
    assert by_consensus([[], wrong_alone, right, right, [2]])[:2] == [2, 3]
    assert by_consensus([[], []]) == [0, 1]
    assert by_consensus([[1], [2]]) == [0, 1]


@given(st.lists(st.frozensets(st.integers(0, 5)), min_size=1))
def test_a_consensus_ranks_each_program_once_and_as_its_equals(passed: list[frozenset[int]]) -> None:
    ranks = by_consensus(passed)
    assert sorted(ranks) == list(range(len(passed)))
    best = passed[ranks[0]]
    assert ranks[0] == passed.index(best)
    assert [at for at in ranks if passed[at] == best] == [at for at, one in enumerate(passed) if one == best]


def test_assertions_of_a_reply_that_runs_on() -> None:
    reply = """assert add(1, 2) == 3, 'small'
    assert add(
        1, 1) == 2
assert other(1)
assert add(1, 2) == 3, 'small'
assert add(1,
"""
    assert assertions(reply, "add") == ["assert add(1, 2) == 3, 'small'", "assert add(1, 1) == 2"]
    assert assertions("nothing of that kind", "add") == []


DEEP = f"x = {' + '.join(['1'] * 700)}\n"
LONG = f"x = 0x{'f' * 5000}\n"


def test_what_cannot_be_written_again_is_told_and_never_taken_for_unchanged() -> None:
    for program in (DEEP, LONG):
        assert stub(program) is None
        assert mutants(program, 3) is None
        assert assertions(f"assert f({program[4:-1]}) == 1", "f") == []


def test_a_long_text_is_not_parsed() -> None:
    assert mutants("a\n" * 60_000, 3) is None
    assert assertions("assert f([\n" + "1,\n" * 20_000, "f") == []
