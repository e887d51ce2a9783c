"""Every command, recipe fragment and Python block of the documentation is gone through, page by page."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.core.errors import RecipeError
from tests.docs_pages import Block, FirstRun, Reader, Servers, blocks

ROOT = Path(__file__).resolve().parent.parent
# CONTRIBUTING's examples are those of tests/test_docs.py.
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Of whole recipes whose data nobody has: they are loaded in tests/test_docs.py and tests/recipe.
WHOLE = re.compile(r"^name: ", re.MULTILINE)


def to_go_through(page: Path) -> list[Block]:
    """The blocks of a page that a reader would do something with."""
    return [
        block
        for block in blocks(page)
        if "file" in block.comments
        or block.language in ("console", "sh", "python")
        or (block.language == "yaml" and not WHOLE.search(block.text))
    ]


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    """One for all processes of the suite."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "docs-first-run"
    folder.mkdir(exist_ok=True)
    made = FirstRun(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.made:
            made.make()
    return made


@pytest.fixture
def servers() -> Iterator[Servers]:
    with Servers() as these:
        yield these


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if to_go_through(page)],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_a_page_can_be_gone_through(
    page: Path, first_run: FirstRun, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "JUDGE_URL"):
        monkeypatch.setenv(name, "")  # so that what a page exports is taken back
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    steps = to_go_through(page)
    first_run.prepare(page.read_text("utf-8"), steps, tmp_path)
    reader = Reader(tmp_path, servers, first_run)
    for block in steps:
        reader.go_through(block)


@pytest.mark.parametrize(
    "page",
    [
        "```console\n$ seedbed init a   # ends with 2\n```\n",
        "```console\n$ seedbed init a\nseedbed: made b; …\n```\n",
        "```console\n$ seedbed init a\n…\n$ ls a\ndata\n```\n",
        "```console\n$ curl somewhere\n```\n",
        "```console\n$ seedbed init tickets\n```\n\n```yaml\nfilters: [defualt]\n```\n",
        "<!-- file: a/recipe.yaml -->\n```yaml\nname: a\ntask: {kind: classification}\n```\n",
    ],
    ids=["exit code", "output", "lines left out", "another command", "fragment", "recipe"],
)
def test_a_page_that_says_what_is_not_so_fails(
    page: str, first_run: FirstRun, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.md").write_text(page, "utf-8")
    reader = Reader(tmp_path, servers, first_run)
    *before, last = blocks(tmp_path / "page.md")
    for block in before:
        reader.go_through(block)
    with pytest.raises((AssertionError, RecipeError)):
        reader.go_through(last)


_FRAGMENT = re.compile(r"`((?:filters|generate|mix|roles|sources|student|budget|use): [^`\n]+)`")


def test_fragments_within_a_line_load(first_run: FirstRun, servers: Servers, tmp_path: Path) -> None:
    found = {text for page in PAGES for text in _FRAGMENT.findall(page.read_text("utf-8"))}
    assert found
    for number, text in enumerate(sorted(found)):
        folder = tmp_path / str(number)
        first_run.prepare("", [], folder)
        Reader(folder, servers, first_run).go_through(Block(1, "yaml", text, {}))
