"""Which of several programs is right, where neither they nor the tests of them can be trusted alone.

Dual execution agreement (CodeT, Chen et al. 2022, arXiv 2207.10397): every program is run against every
test. Programs that pass the same tests are one opinion, held by so many; it counts for as many tests as
they pass. Right programs agree with one another and with right tests, while each error errs its own way.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Sequence

from seedbed.verify.programs import parsed, unparsed

_MOST_LINES = 30  # of one assertion, each of which is tried as its end
_ASSERT = re.compile(r"^[ \t]*assert\b", re.MULTILINE)


def by_consensus(passed: Sequence[Collection[int]]) -> list[int]:
    """Programs, the likeliest to be right first; `passed[i]` are the tests that program i passes.

    Of equals the one that stands first is first.
    """
    opinions: defaultdict[frozenset[int], int] = defaultdict(int)
    for tests in passed:
        opinions[frozenset(tests)] += 1
    worth = {tests: held * len(tests) for tests, held in opinions.items()}
    return sorted(range(len(passed)), key=lambda at: -worth[frozenset(passed[at])])


def assertions(text: str, name: str) -> list[str]:
    """The single assertions about `name` in a text, each once; what is cut off or no Python is left out.

    A model that was to write tests runs on into other things, or is stopped in the middle.
    """
    found: dict[str, None] = {}
    for piece in _ASSERT.split(text)[1:]:
        lines = piece.strip().splitlines()[:_MOST_LINES]
        while lines and isinstance(tree := parsed("assert " + "\n".join(lines)), str):
            lines.pop()
        if not lines or isinstance(tree, str) or not _calls(tree.body[0], name):
            continue
        if (written := unparsed(tree.body[0])) is not None:
            found[written] = None
    return list(found)


def _calls(node: ast.AST, name: str) -> bool:
    return any(
        isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name
        for call in ast.walk(node)
    )
