"""`extends`: a recipe takes another file's keys and says only what differs.

The merge works on the tree that knows where each value stands, so that a problem is told at the file and
line that someone has to change. Paths in a base are relative to the base's own folder; they are
rewritten to the recipe's folder as they are taken over, so that nothing else needs to know of bases.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from seedbed.core.errors import Problem, RecipeError
from seedbed.recipe.document import ANY_ITEM, Entry, KeyPath, Place, fits, parse
from seedbed.recipe.section import OneOrMore, Section, Text

RECIPE_FILE = "recipe.yaml"
EXTENDS = "extends"
MOST_FILES_DEEP = 8

# Every key that holds a path relative to the recipe's folder (a test holds the list to the descriptions).
PATH_KEYS: tuple[KeyPath, ...] = (
    ("task", "schema"),
    ("sources", "*", "path"),
    ("roles", "*", "recorded"),
    ("generate", "templates"),
    ("generate", "templates", ANY_ITEM),
    ("generate", "axes", "*", "file"),
    # Of methods, which stand in a map or in a list of maps.
    ("generate", "methods", "*", "answers", ANY_ITEM, "prompt"),
    ("generate", "methods", ANY_ITEM, "*", "answers", ANY_ITEM, "prompt"),
)
# A map here is one of several kinds, told by which of these keys it has (no keys: by its one key, a name).
# One of another kind takes the place of the whole.
_KINDS: tuple[tuple[KeyPath, tuple[str, ...]], ...] = (
    (("roles", "*"), ("model", "recorded", "rehearsal")),
    (("generate", "axes", "*"), ("file", "from")),
    (("student",), ()),
)


class Extends(Section):
    """What a recipe is built on."""

    extends: Annotated[tuple[Text, ...], OneOrMore] = Field(
        (),
        description="a recipe or several whose keys this one takes and overrides, the later over the earlier",
    )


def read_tree(file: Path) -> tuple[Entry, list[Problem]]:
    """The tree of a recipe with the keys of its bases in it, and what is wrong with the form of either.

    `extends` itself is gone from it. Raises RecipeError where nothing is left to look at.
    """
    root, problems = _parsed(file)
    if not isinstance(root.value, dict):
        return root, problems
    try:
        return _with_bases(root, file, (file.resolve(),)), problems
    except RecipeError as error:
        raise RecipeError([*problems, *error.problems]) from None


def _with_bases(root: Entry, file: Path, chain: tuple[Path, ...]) -> Entry:
    assert isinstance(root.value, dict)
    own = Entry({key: entry for key, entry in root.value.items() if key != EXTENDS}, root.place)
    declared = root.value.get(EXTENDS)
    if declared is None or declared.value is None:
        return own
    merged = Entry({}, root.place)
    for entry in declared.value if isinstance(declared.value, list) else [declared]:
        merged = merge(merged, _base(entry, declared.place, file, chain))
    return merge(merged, own)


def _base(entry: Entry, place: Place, file: Path, chain: tuple[Path, ...]) -> Entry:
    """The whole tree of one base, its paths as seen from the extending file's folder."""
    if not isinstance(entry.value, str) or not entry.value.strip():
        raise _refused(place, "must name a recipe to build on, or a list of them")
    where = Place(place.file, entry.place.line or place.line)
    path = file.parent / entry.value
    path = path / RECIPE_FILE if path.is_dir() else path
    if not path.is_file():
        remedy = "paths are relative to the folder of the file that says extends"
        raise _refused(where, f"no such recipe: {path}; {remedy}")
    if path.resolve() in chain:
        way = " extends ".join(str(step) for step in (*chain[chain.index(path.resolve()) :], path.resolve()))
        raise _refused(where, f"the recipes extend one another in a circle: {way}; take one extends out")
    if len(chain) >= MOST_FILES_DEEP:
        raise _refused(
            where, f"{path} would be file {len(chain) + 1} of this chain; {MOST_FILES_DEEP} are the most"
        )
    try:
        root, problems = _parsed(path)
    except RecipeError as error:
        raise _through(error.problems, where) from None
    if not isinstance(root.value, dict) and not problems:
        what = "is empty" if root.value is None else "is no map of keys and values"
        raise _refused(where, f"{path} {what}, so that it is no recipe to build on")
    if problems:
        raise _through(problems, where)
    tree = _with_bases(root, path, (*chain, path.resolve()))
    return _seen_from(tree, path.parent, file.parent)


def merge(base: Entry, over: Entry, path: KeyPath = ()) -> Entry:
    """`over` laid over `base`: maps key by key, everything else replaced. Neither is changed.

    A key without a value takes the base's away. A key keeps its place in the order of the base.
    """
    if (
        not isinstance(base.value, dict)
        or not isinstance(over.value, dict)
        or _another_kind(base, over, path)
    ):
        return over
    merged = dict(base.value)
    for key, entry in over.value.items():
        if key in merged and entry.value is None:
            del merged[key]
        else:
            merged[key] = merge(merged[key], entry, (*path, key)) if key in merged else entry
    return Entry(merged, over.place)


def difference(base: Entry, wanted: Entry, path: KeyPath = ()) -> Entry:
    """The tree that makes `wanted` of `base` when it is laid over it by `merge`. Neither is changed.

    What only the base has stands in it without a value, since `merge` takes that away.
    """
    if not isinstance(base.value, dict) or not isinstance(wanted.value, dict):
        return wanted
    over = {key: Entry(None, wanted.place) for key in base.value if key not in wanted.value}
    # The keys by which `merge` tells a kind of map must all be there, or it may take it for another kind.
    whole = any(fits(pattern, path) for pattern, _ in _KINDS)
    for key, entry in wanted.value.items():
        if key not in base.value:
            over[key] = entry
        elif whole or not _same(base.value[key], entry):
            over[key] = difference(base.value[key], entry, (*path, key))
    return Entry(over, wanted.place)


def _same(one: Entry, other: Entry) -> bool:
    """Whether two trees say the same, a scalar in the same spelling, wherever they stand."""
    if isinstance(one.value, dict) and isinstance(other.value, dict):
        same_keys = one.value.keys() == other.value.keys()
        return same_keys and all(_same(entry, other.value[key]) for key, entry in one.value.items())
    if isinstance(one.value, list) and isinstance(other.value, list):
        return len(one.value) == len(other.value) and all(map(_same, one.value, other.value))
    return type(one.value) is type(other.value) and (one.value, one.written) == (other.value, other.written)


def _another_kind(base: Entry, over: Entry, path: KeyPath) -> bool:
    for pattern, keys in _KINDS:
        if fits(pattern, path):
            assert isinstance(base.value, dict)
            assert isinstance(over.value, dict)
            one, other = (
                {key for key in tree if not keys or key in keys} for tree in (base.value, over.value)
            )
            return bool(one and other and one.isdisjoint(other))
    return False


def _seen_from(tree: Entry, base: Path, folder: Path, path: KeyPath = ()) -> Entry:
    """The tree with the paths of folder `base` written as they are from `folder`."""
    if isinstance(tree.value, dict):
        return Entry(
            {key: _seen_from(entry, base, folder, (*path, key)) for key, entry in tree.value.items()},
            tree.place,
        )
    if isinstance(tree.value, list):
        items = [_seen_from(entry, base, folder, (*path, at)) for at, entry in enumerate(tree.value)]
        return Entry(items, tree.place)
    moved = os.path.relpath(base.resolve(), folder.resolve())
    if not isinstance(tree.value, str) or moved == "." or not any(fits(p, path) for p in PATH_KEYS):
        return tree
    if path == ("task", "schema") and not tree.value.endswith(".json"):
        return tree  # the class of a module
    # An absolute path stays what it is.
    here = str(Path(moved) / tree.value)
    return Entry(here, tree.place, here)


def _refused(place: Place, message: str) -> RecipeError:
    return RecipeError([place.problem(message, (EXTENDS,))])


def _through(problems: Sequence[Problem], place: Place) -> RecipeError:
    """Problems of a base, each with the line that took the base in."""
    taken_in = f"(taken in by {place.file}:{place.line})"
    return RecipeError([Problem(f"{p.message} {taken_in}", p.file, p.line, p.key) for p in problems])


def _parsed(file: Path) -> tuple[Entry, list[Problem]]:
    """Raises RecipeError where the file cannot be read or its YAML not be parsed."""
    root, problems = parse(_read(file), str(file))
    if root.value is None and problems:
        raise RecipeError(problems)  # a syntax error: there is nothing else to look at
    return root, problems


def _read(file: Path) -> str:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        remedy = f"a recipe is a folder with a {RECIPE_FILE}, or such a file; `seedbed init DIR` makes one"
        raise RecipeError([Place(str(file)).problem(f"no such file; {remedy}")]) from None
    except OSError as error:
        raise RecipeError([Place(str(file)).problem(f"cannot be read: {error.strerror}")]) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte {data[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        raise RecipeError([Place(str(file), line).problem(message)]) from None
