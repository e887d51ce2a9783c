"""Every command, recipe fragment and Python block of the documentation is gone through, page by page."""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs_pages import Block, Reader, Servers, blocks, prepare

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
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter recipe after `seedbed run tickets --target 100`; one for all processes of the suite."""
    from tests.cli.workspace import Workspace

    shared = tmp_path_factory.getbasetemp().parent / "docs-ran"
    with (shared.parent / "docs-ran.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            shutil.rmtree(shared, ignore_errors=True)
            shared.mkdir()
            Workspace(shared).run("init", "tickets")
            Workspace(shared).run("run", "tickets", "--target", "100")
            (shared / "done").touch()
    return shared / "tickets"


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
    page: Path, ran: Path, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "JUDGE_URL"):
        monkeypatch.setenv(name, "")  # so that what a page exports is taken back
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    steps = to_go_through(page)
    prepare(page.read_text("utf-8"), steps, ran, tmp_path)
    reader = Reader(tmp_path, servers)
    for block in steps:
        reader.go_through(block)
