"""A run that many tests look at, or damage a copy of."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.workspace import Workspace


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Workspace]:
    """`rehearsal(folder)` is a workspace there with a finished rehearsal of 20 records."""
    made = Workspace.make(tmp_path_factory.mktemp("rehearsal"))
    made.run("run", ".", "--target", "20")

    def copied(folder: Path) -> Workspace:
        shutil.copytree(made.folder, folder, dirs_exist_ok=True)
        return Workspace(folder)

    return copied
