"""Programs that are read and never run: whether they parse, and which of them are the same program."""

from __future__ import annotations

import ast
import warnings

_LONGEST = 100_000


def syntax_tree(program: str) -> str | None:
    """The program's syntax tree as text, equal where programs differ in layout and comments alone.

    None where it is no Python of this interpreter's version, or too long or nested to be worth the reading.
    """
    if len(program) > _LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that a later Python refuses
            return ast.dump(ast.parse(program))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
