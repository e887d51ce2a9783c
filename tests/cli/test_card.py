"""The card: every figure of it counted anew from the shards, and nothing from data that acts in it."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from seedbed.publish.card import front_matter, render_card, size_category
from seedbed.publish.card_licence import licence_matter, licence_text
from seedbed.publish.markdown import code, words
from seedbed.run.dossier import dossier, host_of
from seedbed.run.view import RunView
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint, plausible

HOSTILE = (
    "`x` | <img src=x onerror=alert(1)> [a](http://a.example) **b**\n---\nlicense: mit\n# heading {{7*7}}"
)


def matter_of(card: str) -> dict[str, Any]:
    _, yaml, _ = card.split("---\n", 2)
    value: dict[str, Any] = YAML(typ="safe", pure=True).load(yaml)
    return value


def rows_of(card: str, head: str) -> list[list[str]]:
    """The cells of the table whose head begins so, code spans taken off."""
    lines = card.partition(f"\n| {head} |")[2].split("\n\n")[0].split("\n")[2:]
    return [[cell.strip().strip("`") for cell in line.strip("| ").split(" | ")] for line in lines]


def figures(cell: str) -> int:
    return int(cell.replace(",", ""))


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.make(
        tmp_path_factory.mktemp("card"), sources={
            "real": {"path": "data/train.csv", "licence": "cc-by-4.0"},
            "eval": {"path": "data/test.csv", "lock": True},
        }, mix={"synthetic": 0.5}, student="classifier", generate={
            "target": 60, "cover": {"category": {"privacy": 20, "*": "fill"}}, "temperature": [0.7, 1.0],
            "axes": {"tone": ["calm", "cross"], "length": ["short", "long"]}, "round": 32,
        },
    )  # fmt: skip
    workspace.run("run", ".")
    return workspace


def shards(workspace: Workspace, name: str) -> list[dict[str, Any]]:
    found = sorted(workspace.run_folder.glob(f"rounds/[0-9]*[0-9]/{name}.parquet"))
    return [row for path in found for row in pq.ParquetFile(path).read().to_pylist()]


def test_every_figure_equals_a_count_over_the_shards(rehearsed: Workspace) -> None:
    rehearsed.run("card", ".")
    card = (rehearsed.run_folder / "card" / "README.md").read_text("utf-8")
    records, verdicts = shards(rehearsed, "records"), shards(rehearsed, "verdicts")
    # A draft falls to its first rejecting filter.
    first: dict[str, tuple[str, str]] = {}
    for verdict in verdicts:
        if not verdict["keep"]:
            first.setdefault(verdict["record"], (verdict["filter"], verdict["reason"]))
    accepted = [row for row in records if row["id"] not in first]
    assert len(accepted) == 60
    assert f"{len(accepted)} generated records" in card
    assert f"accepted of {len(records)} drafts" in card

    reasons = Counter(reason for _, reason in first.values())
    assert {row[0]: figures(row[1]) for row in rows_of(card, "rejected for")} == reasons
    filters = Counter(name for name, _ in first.values() if not name.startswith("target@"))
    checked = Counter(v["filter"] for v in verdicts if not v["filter"].startswith("target@"))
    shown = {row[0]: (figures(row[3]), figures(row[4])) for row in rows_of(card, "filter")}
    assert shown == {name: (checked[name], filters[name]) for name in checked}

    for head in ("role", "prompt template"):
        all_rows = rows_of(card, head)
        assert sum(figures(row[-2]) for row in all_rows) == len(records)
        assert sum(figures(row[-1]) for row in all_rows) == len(accepted)
    slots: dict[str, Counter[str]] = {}
    for row in accepted:
        for name, value in json.loads(row["slots"]).items():
            slots.setdefault(name, Counter())[value] += 1
    table = {row[0]: row[2] for row in rows_of(card, "slot")}
    assert table.keys() == slots.keys()
    for name, counts in slots.items():
        said = {value: int(n) for value, n in re.findall(r"`?([\w.-]+)`? (\d+)", table[name])}
        assert said == counts

    lock = json.loads((rehearsed.run_folder / "eval.lock.json").read_text("utf-8"))
    assert lock["sha256"] in card
    assert f"Opened {len(lock['openings'])} times" in card
    assert all(f"{opening['at']}: {opening['purpose']}" in card for opening in lock["openings"])
    proof = json.loads((rehearsed.run_folder / "student" / "proof.json").read_text("utf-8"))
    for arm in proof["arms"]:
        assert f"{arm['scores']['macro_f1']['value']:.3f} \\[{arm['scores']['macro_f1']['low']:.3f}" in card
    assert "`data/train.csv` | cc-by-4.0 | seed data" in card
    assert "temperature 0.7, 1" in card


def test_a_rehearsal_says_first_that_it_is_no_training_data(rehearsed: Workspace) -> None:
    card = rehearsed.run("card", ".", "--out", "-").out
    assert card.partition("\n# tickets\n\n")[2].startswith("> **Rehearsal. This is not training data.**")
    assert "rehearsal" in matter_of(card)["tags"]
    said = rehearsed.run("card", ".", "--out", "here/CARD.md", "--json").json
    assert said == {"path": "here/CARD.md", "rows": 60, "rehearsal": True}
    assert (rehearsed.folder / "here" / "CARD.md").read_text("utf-8") == card
    assert rehearsed.run("card", ".", "--out", "-", "--json", expect=2).out == ""


def test_the_hub_s_reader_loads_what_the_card_points_at(rehearsed: Workspace, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="installed by `make test`")
    for name in ("jsonl", "csv"):
        rehearsed.run("export", ".", "--format", name, "--allow-rehearsal")
    root = tmp_path / "repository"
    (root / "export").mkdir(parents=True)
    for path in (rehearsed.run_folder / "export").iterdir():
        (root / "export" / path.name).write_bytes(path.read_bytes())
    rehearsed.run("card", ".", "--out", str(root / "README.md"))
    matter = matter_of((root / "README.md").read_text("utf-8"))
    assert [entry["config_name"] for entry in matter["configs"]] == ["jsonl", "csv"]
    loaded = datasets.load_dataset(str(root), "jsonl", cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].num_rows == 60
    assert set(loaded["train"]["seedbed_id"]) == {f"sbd-{record}" for record in rehearsed.accepted()}


def test_a_damaged_run_is_refused(rehearsed: Workspace, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    shutil.copytree(rehearsed.folder / "runs", tmp_path / "runs")
    lock = workspace.run_folder / "recipe.lock.yaml"
    kept = lock.read_bytes()
    lock.write_text("name: [", "utf-8")
    assert "recipe.lock.yaml: cannot be read" in workspace.run("card", ".", expect=1).err
    lock.write_bytes(kept)
    shard = next(workspace.run_folder.glob("rounds/*/records.parquet"))
    shard.write_bytes(shard.read_bytes() + b"x")
    assert "records.parquet" in workspace.run("card", ".", expect=1).err


def test_the_teacher_is_named_as_its_replies_did_and_its_host_alone(tmp_path: Path) -> None:
    with FakeEndpoint(plausible) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url, generate={"target": 12})
        workspace.run("run", ".")
        card = workspace.run("card", ".", "--out", "-").out
        host = endpoint.url.removeprefix("http://").partition("/")[0]
    (row,) = rows_of(card, "role")
    assert row[0] == "teacher"
    assert row[3] == host
    assert "/v1" not in card
    assert "Rehearsal" not in card


def test_a_host_is_all_that_is_told_of_an_address() -> None:
    assert host_of("https://user:secret@models.example:8443/v1?key=secret") == "models.example:8443"
    assert host_of("http://[::1]:8000/v1") == "::1:8000"
    assert host_of("rehearsal") == "rehearsal"
    assert "secret" not in host_of("http://secret@host:port/")


def poisoned(value: Any) -> Any:
    """Every word of the facts followed by what would act in Markdown or YAML; keys that name parts stay."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, dict):
        return {key: poisoned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return value


def test_nothing_from_data_acts_in_the_card(rehearsed: Workspace) -> None:
    facts = dossier(RunView.open(rehearsed.folder))
    plain = render_card(facts)
    summary = facts["summary"]
    changed = {
        name: poisoned(facts[name])
        for name in (
            "models",
            "methods",
            "templates",
            "sources",
            "labels",
            "fields",
            "description",
            "seedbed",
        )
    }
    changed["slots"] = {f"tone{HOSTILE}": {"values": 1, "counts": {f"calm{HOSTILE}": 120}}}
    changed["summary"] = summary | {
        name: poisoned(summary[name]) for name in ("recipe", "notes", "eval", "versions")
    }
    card = render_card(facts | changed)
    matter = matter_of(card)
    assert matter["license"] == "unknown"
    assert matter["pretty_name"] == f"tickets{HOSTILE}"
    kinds = [
        {token.type for block in tokens for token in [block, *(block.children or ())]}
        for tokens in (MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text) for text in (
            body(plain), body(card),
        ))
    ]  # fmt: skip
    assert kinds[1] <= kinds[0] | {"hardbreak", "softbreak"}
    assert not kinds[1] & {"html_block", "html_inline", "link_open", "image"}
    headings = re.findall(r"^#+ .*", body(card), re.MULTILINE)
    assert len(headings) == len(re.findall(r"^#+ .*", body(plain), re.MULTILINE))


def test_a_measure_has_as_many_decimals_as_its_interval(rehearsed: Workspace) -> None:
    facts = dossier(RunView.open(rehearsed.folder))
    measure = {
        "label": "compression ratio (gzip)", "value": 3.0, "low": 2.93, "high": 3.06,
        "real": 2.9, "real_low": 2.8, "real_high": 3.0, "verdict": "as varied as the real data",
    }  # fmt: skip
    rows = {"generated": 60, "real": 90, "sample": 60}
    measures = {"embedder": "lexical", "rows": rows, "metrics": [measure], "notes": [], "axes": {}}
    card = render_card(facts | {"summary": facts["summary"] | {"measures": measures}})
    assert rows_of(card, "measure") == [
        [
            "compression ratio (gzip)",
            "as varied as the real data",
            r"3.00 \[2.93, 3.06]",
            r"2.90 \[2.80, 3.00]",
        ]
    ]


def body(card: str) -> str:
    """A card without its front matter, which ends at the first line of dashes that begins a line."""
    return re.split(r"^---\n", card, maxsplit=2, flags=re.MULTILINE)[2]


@pytest.mark.parametrize(
    ("licence", "matter"),
    [
        (None, {"license": "unknown"}),
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        ("our terms", {"license": "other", "license_name": "our terms"}),
    ],
)
def test_the_licence_is_the_recipes_word_or_unknown(licence: str | None, matter: dict[str, str]) -> None:
    assert licence_matter(licence) == matter
    said = licence_text(licence, {"apache-2.0 AND our own": 3, "": 1})
    assert ("as the recipe says" in said) == (licence is not None)
    assert ("writes `licence:` into the recipe" in said) == (licence is None)
    assert "`apache-2.0 AND our own`, 3 records; none stated, 1 records" in said


def test_a_recipe_may_state_the_licence_later(rehearsed: Workspace) -> None:
    """Nothing is asked anew for it, and the next card has it."""
    recipe = (rehearsed.folder / "recipe.yaml").read_text("utf-8")
    assert "not stated by the recipe" in rehearsed.run("card", ".", "--out", "-").out
    (rehearsed.folder / "recipe.yaml").write_text(f"licence: CC-BY-4.0\n{recipe}", "utf-8")
    before = rehearsed.shards()
    rehearsed.run("run", ".")
    card = rehearsed.run("card", ".", "--out", "-").out
    (rehearsed.folder / "recipe.yaml").write_text(recipe, "utf-8")
    rehearsed.run("run", ".")
    assert matter_of(card)["license"] == "cc-by-4.0"
    said = " ".join(card.split())
    assert "`CC-BY-4.0`, as the recipe says. Licences of the models and real rows" in said
    assert "behind the records: `cc-by-4.0`, 60 records." in said
    assert rehearsed.shards() == before


def test_front_matter_is_made_by_a_dumper() -> None:
    facts = {
        "summary": {"recipe": "a: b\n---\n# c", "task": "instruction", "rehearsal": False},
        "real_rows": {"train": 0},
        "accepted": 1_000,
        "exports": ["jsonl.jsonl", "trl-sft.parquet"],
    }
    matter = matter_of(front_matter(facts) + "\n")
    assert matter["pretty_name"] == "a: b\n---\n# c"
    assert matter["task_categories"] == ["text-generation"]
    assert matter["size_categories"] == ["1K<n<10K"]
    assert matter["source_datasets"] == ["original"]
    assert matter["configs"][0]["data_files"] == [{"split": "train", "path": "export/jsonl.jsonl"}]
    assert "rehearsal" not in matter["tags"]


@pytest.mark.parametrize(
    ("rows", "name"), [(0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**8, "n>10M")]
)
def test_sizes_are_those_of_the_hub(rows: int, name: str) -> None:
    assert size_category(rows) == name


@pytest.mark.parametrize(
    "text", ["a`b", "``", "a|b", " ", "- a", "1. a", "<b>", "http://a.example", "= a", "x\ny"]
)
def test_words_and_code_say_what_they_were_given(text: str) -> None:
    parser = MarkdownIt("commonmark")
    (inline,) = [token for token in parser.parse(words(text) or "x") if token.type == "inline"]
    said = "".join(child.content for child in inline.children or ())
    assert said == (" ".join(text.split()) or "x")
    (inline,) = [token for token in parser.parse(code(text).replace("\\|", "|")) if token.type == "inline"]
    assert [child.content for child in inline.children or ()] == [" ".join(text.split()) or "(empty)"]
