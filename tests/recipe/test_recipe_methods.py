"""What methods need of the rest of a recipe is asked for at its line, all of it together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.recipe.fake_registry import Fail, Load

TASK = "name: a\ntask: {kind: classification, input: text, label: kind, labels: [x, y]}\n"


@pytest.fixture
def files(folder: Path) -> None:
    for name in ("inbox.csv", "other.csv", "train.csv"):
        (folder / name).write_text("text,kind\nhello,x\n", "utf-8")
    (folder / "book.md").write_text("# Hello\n", "utf-8")


SOURCES = {
    "inbox": "inbox: {path: inbox.csv, unlabelled: true}",
    "other": "other: {path: other.csv, unlabelled: true}",
    "train": "train: {path: train.csv}",
    "book": "book: {path: '*.md', chunk: {tokens: 100}}",
}


def recipe(methods: str, *sources: str, roles: str = "") -> str:
    written = f"sources: {{{', '.join(SOURCES[name] for name in sources)}}}\n"
    return f"{TASK}{written}{roles}generate: {{target: 9, methods: {methods}}}\n"


LOCKED = f"{TASK}sources: {{a: {{path: inbox.csv, unlabelled: true, lock: true}}}}\n"
TWO_SIZES = f"{TASK}sources: {{a: {{path: '*.md', chunk: {{tokens: 99, lines: 9}}}}}}\n"
WEAK = "{paraphrase: {role: weak}}"
REHEARSING = "roles: {weak: {rehearsal: {}}}\n"
REAL = "roles: {weak: {model: m, endpoint: http://h/v1}}\n"

LACKS = {
    recipe("label"): ("generate.methods", "works on rows without label .* add one under sources"),
    recipe("{label: {source: inbx}}", "inbox"): (
        "generate.methods.label.source",
        "no source is called 'inbx'",
    ),
    recipe("{label: {source: train}}", "inbox", "train"): (
        "generate.methods.label.source",
        "which the source",
    ),
    recipe("label", "inbox", "other"): ("generate.methods", "any of inbox, other; write which"),
    recipe("grounded", "book"): ("generate.methods", "of kind instruction, and this is classification"),
    recipe(WEAK, "train"): ("generate.methods.paraphrase", "asks the role weak"),
    recipe("paraphrase", "train", roles=REHEARSING): ("roles.weak", "unknown key 'weak'"),
    recipe(WEAK, "train", roles=REAL): ("roles.teacher", "let both rehearse, or neither"),
    LOCKED: ("sources.a.lock", "lock is for real rows"),
    TWO_SIZES: ("sources.a.chunk", "so many"),
}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("text", LACKS)
def test_one_lack_is_one_problem(fail: Fail, text: str) -> None:
    key, message = LACKS[text]
    (problem,) = fail(text)
    assert problem.key == key
    assert re.search(message, problem.message)


@pytest.mark.usefixtures("files")
def test_all_lacks_are_told_together(fail: Fail) -> None:
    problems = fail(recipe("[grounded, label, {paraphrase: {role: weak}}]"))
    assert [problem.key for problem in problems] == [
        "generate.methods[0]",
        "generate.methods[0]",
        "generate.methods[1]",
        "generate.methods[2].paraphrase",
        "generate.methods[2].paraphrase",
    ]


@pytest.mark.usefixtures("files")
def test_a_role_of_ones_own_is_bound_like_the_teacher(load: Load) -> None:
    loaded = load(recipe(WEAK, "train", roles=REHEARSING))
    assert list(loaded.recipe.roles.bound) == ["teacher", "weak"]
