"""Every starter recipe goes from end to end offline, and its data is what a newcomer may learn from."""

from __future__ import annotations

import csv
import importlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import seedbed
from seedbed.cli.init import examples, purpose
from seedbed.core.record import Record
from seedbed.models.imitation import shingles, words_of
from seedbed.publish import EXPORTERS
from seedbed.run.registry import registry
from seedbed.run.view import RunView
from seedbed.text.normalise import normalise
from seedbed.verify.mathematics import stated_equations
from seedbed.verify.programs import syntax_tree
from tests.cli.workspace import Workspace, check_accounts

EXAMPLES = Path(seedbed.__file__).parent / "examples"


@dataclass(frozen=True)
class Starter:
    """What a test runs of it. `target` is small, but for what the recipe asks for by count."""

    target: int
    methods: frozenset[str]
    exports: Sequence[str] = ("jsonl", "trl-sft")
    changes: Sequence[str] = ()


def _starter(target: int, *methods: str, **more: Any) -> Starter:
    return Starter(target, frozenset(methods), **more)


STARTERS: Mapping[str, Starter] = {
    "codebase-instructions": _starter(30, "iterative", "grounded", "template"),
    "extraction": _starter(60, "template"),
    "handbook-preferences": _starter(
        20,
        "preference",
        "iterative",
        exports=("jsonl", "trl-dpo"),
        changes=("generate.axes.persona.count=6",),
    ),
    "low-german": _starter(15, "translate"),
    "python-tasks": _starter(16, "code_from_seed"),
    "support-dialogues": _starter(10, "dialogue"),
    "support-tickets": _starter(100, "template", changes=("student=null", "mix=null", "filters=[default]")),
    "word-problems": _starter(40, "self_consistency", "rejection", "template"),
}


def folder_of(name: str) -> Path:
    return EXAMPLES / name.replace("-", "_")


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def data_of(name: str) -> Mapping[str, list[dict[str, Any]]]:
    """The rows of each file in its folder `data`."""
    files = (folder_of(name) / "data").iterdir()
    return {path.stem: rows_of(path) for path in files if path.suffix in (".csv", ".jsonl")}


def rows(name: str) -> list[dict[str, Any]]:
    return [row for part in data_of(name).values() for row in part]


def test_all_of_them_are_here() -> None:
    assert set(examples()) == set(STARTERS)


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_says_in_a_line_what_it_is_for(name: str) -> None:
    line = purpose(examples()[name])
    assert line.endswith(".")
    assert len(line) <= 110
    assert (folder_of(name) / "recipe.yaml").stat().st_size < 4_000


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_goes_from_end_to_end(name: str, tmp_path: Path) -> None:
    starter, workspace = STARTERS[name], Workspace(tmp_path)
    workspace.run("init", "it", "--example", name)
    changes = [f"--set={change}" for change in (f"generate.target={starter.target}", *starter.changes)]
    report = workspace.run("run", "it", "--json", *changes).json
    check_accounts(report["accounts"])
    assert report["accounts"]["drafts"]["accepted"] == starter.target

    view = RunView.open(tmp_path / "it")
    task, accepted = view.task(registry()), list(view.ledger().accepted())
    assert {record.provenance.method for record in accepted} == starter.methods
    for export in starter.exports:
        exporter = EXPORTERS.get(export)
        out = tmp_path / f"{export}{exporter.suffix}"
        exporter(exporter.Options()).write(accepted, task, out, rehearsal=True)
        assert len(rows_of(out)) == starter.target
    if name in AFTERWARDS:
        AFTERWARDS[name](accepted)


def _of_the_codebase(accepted: Sequence[Record]) -> None:
    by_method = Counter(record.provenance.method for record in accepted)
    assert min(by_method.values()) >= 3
    quoted = [record.notes for record in accepted if record.provenance.method == "grounded"]
    assert all(quoted)


def _of_the_handbook(accepted: Sequence[Record]) -> None:
    assert Counter(record.slots["kind"] for record in accepted) == {"answerable": 16, "not_in_handbook": 4}
    assert all(record.fields["chosen"] != record.fields["rejected"] for record in accepted)


def _of_translations(accepted: Sequence[Record]) -> None:
    english = {row["source"] for row in data_of("low-german")["english"]}
    assert {record.fields["source"] for record in accepted} <= english


def _of_programs(accepted: Sequence[Record]) -> None:
    assert all(syntax_tree(record.fields[name]) for record in accepted for name in ("solution", "tests"))


def _of_dialogues(accepted: Sequence[Record]) -> None:
    for record in accepted:
        said = [turn["role"] for turn in record.fields["messages"]]
        assert said == ["user", "assistant"] * (len(said) // 2)
        assert {"teacher", "customer"} <= set(record.provenance.models)


AFTERWARDS = {
    "codebase-instructions": _of_the_codebase,
    "handbook-preferences": _of_the_handbook,
    "low-german": _of_translations,
    "python-tasks": _of_programs,
    "support-dialogues": _of_dialogues,
}


def text_of(row: Mapping[str, Any]) -> str:
    """What is asked in a row: its first field, of a conversation the user's turns."""
    first = next(iter(row.values()))
    return first if isinstance(first, str) else " ".join(t["content"] for t in first if t["role"] == "user")


@pytest.mark.parametrize("name", STARTERS)
def test_no_row_is_like_another_within_or_between_the_files(name: str) -> None:
    texts = [text_of(row) for row in rows(name)]
    sets = [shingles(words_of(text), 3) for text in texts]
    alike = [
        (one, other)
        for (one, left), (other, right) in combinations(zip(texts, sets, strict=True), 2)
        if left | right and len(left & right) / len(left | right) > 0.2
    ]
    assert not alike


@pytest.mark.parametrize("name", STARTERS)
def test_no_prompt_quotes_a_row_of_the_data(name: str) -> None:
    prompts = [folder_of(name) / "recipe.yaml", *folder_of(name).glob("prompts/*.j2")]
    quoted = {run for path in prompts for run in shingles(words_of(path.read_text("utf-8")), 7)}
    for row in rows(name):
        assert not shingles(words_of(text_of(row)), 7) & quoted


def test_the_codebase_works_and_its_list_of_names_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of("codebase-instructions")
    monkeypatch.syspath_prepend(str(folder / "code"))
    package = importlib.import_module("loafplan")
    parts = {
        path.stem: importlib.import_module(f"loafplan.{path.stem}")
        for path in folder.glob("code/loafplan/[a-z]*.py")
    }
    formula = package.Formula("rye", 850, {"flour": 100, "water": 78}, proof=90, bake=50, per_deck=20)
    orders = package.parse_orders("Harbour: 40 rye @ 07:15\n\nMill Lane: 30 rye  # by van")
    batches = package.plan_day(orders, {"rye": formula}, parts["ovens"].Oven(decks=2))
    assert [batch.count for batch in batches] == [15, 15, 20, 20]
    assert batches[-1].unload + parts["schedule"].COOLING <= 7 * 60 + 15
    assert parts["clock"].show(batches[0].mix) == "03:00"
    with pytest.raises(package.LoafplanError, match="line 1"):
        package.parse_orders("Harbour: rye")
    assert parts["labels"].allergens(formula) == ["wheat"]

    listed = (
        (folder / "recipe.yaml").read_text("utf-8").partition("description: |")[2].partition("sources:")[0]
    )
    named = set(re.findall(r"([A-Za-z_]\w*)\(", listed))
    public = {name for module in [package, *parts.values()] for name in vars(module)}
    methods = {name for module in parts.values() for it in vars(module).values() for name in dir(it)}
    assert named <= public | methods


def test_the_order_book_keeps_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder_of("codebase-instructions") / "code"))
    package, book = importlib.import_module("loafplan"), importlib.import_module("loafplan.book")
    orders = package.parse_orders("Harbour: 4 rye, 12 milk_roll @ 07:15")
    kept = book.OrderBook(tmp_path)
    kept.write(date(2031, 5, 2), orders)
    assert (kept.read(date(2031, 5, 2)), kept.read(date(2031, 5, 3))) == (orders, [])


@pytest.mark.parametrize("row", rows("python-tasks"), ids=lambda row: row["prompt"][:40])
def test_a_program_passes_its_own_tests(row: Mapping[str, str]) -> None:
    names: dict[str, Any] = {}
    exec(row["solution"] + row["tests"], names)
    entry = re.search(r"`(\w+)[`(]", row["prompt"])
    assert entry is not None
    assert entry[1] in names
    assert entry[1] in row["tests"]


@pytest.mark.parametrize("seed", sorted(folder_of("python-tasks").glob("seeds/*.py")), ids=lambda p: p.stem)
def test_a_seed_is_a_program(seed: Path) -> None:
    names: dict[str, Any] = {"__name__": "seed"}
    exec(compile(seed.read_text("utf-8"), seed.name, "exec"), names)
    assert any(getattr(thing, "__module__", "") == "seed" for thing in names.values()), "nothing of its own"


def test_the_equations_of_the_word_problems_hold_and_lead_to_the_answer() -> None:
    for row in rows("word-problems"):
        equations = stated_equations(row["solution"])
        assert equations
        assert all(equation.holds for equation in equations), row["question"]
        # The answer is the last thing that is said, with or without its unit.
        assert row["answer"] in row["solution"].splitlines()[-1]


def test_the_pairs_keep_to_their_own_glossary() -> None:
    terms = {
        row["source"]: row["target"].split("|") for row in rows_of(folder_of("low-german") / "glossary.csv")
    }
    pairs = [row for name in ("pairs", "locked") for row in data_of("low-german")[name]]
    assert len({pair["source"] for pair in pairs}) == len(pairs) == 58
    for pair in pairs:
        asked = set(normalise(pair["source"]).split()) & terms.keys()
        assert all(any(normalise(form) in normalise(pair["target"]) for form in terms[it]) for it in asked)


def test_what_an_order_says_can_be_found_in_its_text() -> None:
    for row in rows("extraction"):
        text, record = row["text"], row["record"]
        assert record["customer"] in text
        for item in record["items"]:
            assert item["plant"] in text
            assert item["size"] is None or item["size"] in text


def test_turns_of_the_conversations_alternate_and_end_with_an_answer() -> None:
    for row in rows("support-dialogues"):
        said = [turn["role"] for turn in row["messages"]]
        assert said == ["user", "assistant"] * (len(said) // 2)
