"""Programs that are wrong on purpose: tests that pass on one of them test nothing, or not enough.

A *stub* has every function of the program and none of what they do. A *mutant* is the program with one
small change (DeMillo, Lipton and Sayward, Hints on Test Data Selection, 1978): a comparison turned, an
operator exchanged, a number off by one, `and` for `or`, a truth turned round.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from seedbed.verify.programs import parsed, unparsed

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}


def stub(program: str) -> str | None:
    """The program with functions that do nothing and return None; None where it cannot be written."""
    tree = parsed(program)
    if isinstance(tree, str):
        return None
    try:
        return unparsed(ast.fix_missing_locations(_Emptied().visit(tree)))
    except RecursionError:
        return None


class _Emptied(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = [ast.Pass()]
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        node.body = [ast.Pass()]
        return node


def mutants(program: str, most: int) -> list[str] | None:
    """At most `most` programs with one change each, from all over the program; None where they cannot be
    written."""
    tree = parsed(program)
    if isinstance(tree, str):
        return None
    changes = list(_changes(tree))
    step = max(1, len(changes) // most)
    made = []
    for change, undo in changes[::step][:most]:
        change()
        made.append(unparsed(tree))
        undo()
    written = [mutant for mutant in made if mutant is not None]
    return written if len(written) == len(made) else None


Change = Callable[[], None]


def _changes(tree: ast.Module) -> Iterator[tuple[Change, Change]]:
    """Every small change that there is, each with what takes it back."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
            ops = [_COMPARISONS[type(node.ops[0])](), *node.ops[1:]]
            yield _set(node, "ops", ops), _set(node, "ops", node.ops)
        elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS:
            yield _set(node, "op", _OPERATORS[type(node.op)]()), _set(node, "op", node.op)
        elif isinstance(node, ast.BoolOp):
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield _set(node, "op", other), _set(node, "op", node.op)
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):  # a truth as well
            value = not node.value if isinstance(node.value, bool) else node.value + 1
            yield _set(node, "value", value), _set(node, "value", node.value)


def _set(node: ast.AST, name: str, value: object) -> Change:
    return lambda: setattr(node, name, value)
