"""Programs that are read and never run: whether they parse, and which of them are the same program."""

from __future__ import annotations

import ast
import warnings

_LONGEST = 100_000


def is_python(language: str) -> bool:
    """Whether this is a name of the language that can be parsed and run here."""
    return language.casefold() in ("python", "python3")


def parsed(program: str) -> ast.Module | str:
    """The program's syntax tree, or why this interpreter's Python has none of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that a later Python refuses
            return ast.parse(program)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__


def syntax_tree(program: str) -> str | None:
    """The program's syntax tree as text, equal where programs differ in layout and comments alone.

    None where it is no Python of this interpreter's version, or too long or nested to be worth the reading.
    """
    if len(program) > _LONGEST:
        return None
    tree = parsed(program)
    try:
        return None if isinstance(tree, str) else ast.dump(tree)
    except (RecursionError, MemoryError):
        return None
