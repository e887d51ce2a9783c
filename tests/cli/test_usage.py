"""What the command line says to who does not know it yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.cli.init import examples, purpose
from tests.cli.workspace import Workspace


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("evalute", "no command is called 'evalute'; did you mean 'evaluate'?"),
        ("exprot", "no command is called 'exprot'; did you mean 'export'?"),
        ("frobnicate", "no command is called 'frobnicate'; `seedbed --help` lists them"),
        ("validate", "no command is called 'validate'; `seedbed plan RECIPE` checks a recipe as a whole"),
        ("--frobnicate", "No such option"),
    ],
)
def test_an_unknown_command_names_the_one_that_was_meant(typed: str, said: str, tmp_path: Path) -> None:
    done = Workspace(tmp_path).run(typed, ".", expect=2)
    assert said in done.err


def test_the_help_of_init_lists_the_starter_recipes(tmp_path: Path) -> None:
    text = " ".join(Workspace(tmp_path).run("init", "--help").out.split())
    for name, example in examples().items():
        assert f"{name} {purpose(example)}" in text
