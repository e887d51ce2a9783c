"""How the repository is laid out: names that say something, rooms with a purpose, modules of one sitting."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import seedbed

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "seedbed"
EXAMPLES = PACKAGE / "examples"  # code that stands there is data of a starter recipe
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if EXAMPLES not in path.parents)
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))

NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}
MOST_LINES = 400
PUBLIC = {
    "__version__", "Asking", "Audit", "BudgetReached", "Cell", "ChatModel", "ChatReply", "ChatRequest",
    "Choice", "CorpusFilter", "Draft", "EndpointError", "FilterContext", "InputError", "Method",
    "ModelFilter", "Preview", "Progress", "Provenance", "Recipe", "RecipeError", "Record",
    "RecordFilter", "Run", "SeedbedError", "Task", "Verdict", "audit", "preview", "run",
}  # fmt: skip


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_names_say_what_is_inside() -> None:
    modules = [path.relative_to(PACKAGE) for path in MODULES]
    vague = [str(path) for path in modules if NAMES_THAT_SAY_NOTHING & {path.stem, *path.parent.parts}]
    assert not vague, "name these for what is in them"


def test_a_module_is_read_in_one_sitting() -> None:
    counts = {where(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    long = {name: count for name, count in counts.items() if count > MOST_LINES}
    assert not long, "a module past about 400 lines is usually two"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_says_what_is_in_it(room: Path) -> None:
    assert ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8")))


def test_every_folder_of_code_is_a_room() -> None:
    """A folder without `__init__.py` would escape both this file and the import rules."""
    loose = {where(path.parent) for path in MODULES if not (path.parent / "__init__.py").exists()}
    assert not loose


def test_the_public_names_are_chosen() -> None:
    """What a notebook may import is a promise: a name comes or goes by a change of this list."""
    assert set(seedbed.__all__) == PUBLIC
    assert all(hasattr(seedbed, name) for name in seedbed.__all__)
    assert set(dir(seedbed)) >= PUBLIC
    with pytest.raises(AttributeError):
        _ = seedbed.no_such_name  # type: ignore[attr-defined]


def test_the_types_of_the_public_names_are_declared() -> None:
    """Type checkers read the stub alone: the package itself imports nothing before it is used."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    declared = {
        alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert declared | {"__version__"} == PUBLIC


def test_importing_the_package_imports_nothing() -> None:
    code = "import sys; before = set(sys.modules); import seedbed; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["seedbed"]


def test_the_command_line_starts_light() -> None:
    """Heavy libraries are imported at first use, so that `seedbed --help` answers at once."""
    code = "import sys, seedbed.cli.main; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"aiohttp", "datasets", "duckdb", "numpy", "pandas", "pyarrow", "pycurl", "scipy", "sklearn"}
    assert not heavy & set(done.stdout.split())


def tracked_files() -> list[Path]:
    """Files under version control, and new ones that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


PLACES_TO_INSTALL_FROM = re.compile(
    r"--(?:extra-)?index-url[ =]|--find-links[ =]|--trusted-host[ =]|(?m:^\s*(?:extra-)?index-url\s*=)"
    r"|files\.pythonhosted|pypi\.(?:org|python)|/simple/?$"
)


def test_no_file_says_where_to_install_from() -> None:
    """Where packages come from is the machine's own setting; the hashes say which they must be."""
    named = {}
    for path in tracked_files():
        if path == Path(__file__).resolve():
            continue
        found = PLACES_TO_INSTALL_FROM.search(path.read_text("utf-8", errors="replace"))
        if found:
            named[where(path)] = found.group()
    assert not named


def pins(name: str) -> dict[str, str]:
    """Distribution -> its block in a requirements file: the pin, its hashes, who wants it."""
    text = (ROOT / "requirements" / name).read_text("utf-8")
    blocks = [block for block in re.split(r"\n(?=\S)", text) if block[:1].isalnum()]
    return {canonicalize_name(block.partition("==")[0]): block for block in blocks}


@pytest.mark.parametrize("name", ["core.txt", "test.txt"])
def test_every_requirement_is_pinned_with_its_hash(name: str) -> None:
    blocks = pins(name)
    assert len(blocks) > 30
    assert [block for block in blocks.values() if "==" not in block or "--hash=sha256:" not in block] == []


def test_the_pins_are_those_of_the_package() -> None:
    """`make lock` was run after the last change of the dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["classifier"]]
    blocks = pins("core.txt")
    for requirement in map(Requirement, declared):
        version = blocks[canonicalize_name(requirement.name)].partition("==")[2].split()[0]
        assert requirement.specifier.contains(version), f"{requirement} is pinned at {version}"
    wanted = {name for name, block in blocks.items() if "(pyproject.toml)" in block}
    assert wanted <= {canonicalize_name(Requirement(text).name) for text in declared}
