"""Programs that are read and never run: whether they parse, and which of them are the same program."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any

_LONGEST = 100_000
_IDLE = re.compile(r", (?:Load|Store|Del)\(\)|Expr\(Constant\(None\)\)")


def is_python(language: str) -> bool:
    """Whether this is a name of the language that can be parsed and run here."""
    return language.casefold() in ("python", "python3")


def parsed(program: Any) -> ast.Module | str:
    """The program's syntax tree, or why this interpreter's Python has none of it."""
    if not isinstance(program, str):
        return "it is no text"
    if len(program) > _LONGEST:  # a parser takes a thousand times the memory
        return f"longer than {_LONGEST:,} characters"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that a later Python refuses
            return ast.parse(program)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__


def unparsed(tree: ast.AST) -> str | None:
    """The code of a tree; None where it is nested too deep or has a number too long to be written."""
    try:
        return ast.unparse(tree)
    except (RecursionError, ValueError, MemoryError):
        return None


def syntax_tree(program: str) -> str | None:
    """The program's syntax tree as text, equal where programs differ in layout and comments alone.

    None where it is no Python of this interpreter's version, or too long or nested to be worth the reading.
    """
    tree = parsed(program)
    try:
        return None if isinstance(tree, str) else ast.dump(tree)
    except (RecursionError, MemoryError):
        return None


def shape(program: str) -> str | None:
    """The nodes of the program's syntax tree as words, without docstrings and with its own names numbered.

    Programs that differ in names, layout and comments alone have one shape. None as for `syntax_tree`.
    """
    tree = parsed(program)
    if isinstance(tree, str):
        return None
    own = {name: f"own{number}" for number, name in enumerate(dict.fromkeys(_bound(tree)))}
    for node in ast.walk(tree):
        for key in ("id", "arg", "name"):
            if getattr(node, key, None) in own:
                setattr(node, key, own[getattr(node, key)])
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = None
    try:
        return _IDLE.sub("", ast.dump(tree, annotate_fields=False))
    except (RecursionError, MemoryError):
        return None


def _bound(tree: ast.AST) -> Iterator[str]:
    """The names that a program gives: to functions, classes, arguments and values."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
