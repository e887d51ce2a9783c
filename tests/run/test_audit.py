"""An audit: a file of any size in batches, a recipe's own filters, and filters by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import seedbed
from seedbed.core.errors import InputError
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Provenance, Record
from seedbed.filters import FILTERS
from seedbed.publish.audit_page import render_audit
from seedbed.run.audit import audit
from seedbed.run.audit_filters import ColumnTask
from seedbed.run.corpus import Member, judge_kin
from seedbed.run.filtering import FilterSet
from tests.cli.workspace import Workspace

ROWS = 1_300  # of three batches
PLACES = ("the harbour", "a mill by the river", "our office", "the station", "an empty house")


def texts() -> list[str]:
    """Unlike texts, some of them twice and some nearly, far apart from the first."""
    made = [
        f"Ticket {at} came from {PLACES[at % 5]} and was about {at * at} of the {at * 7919 % 1009} parcels"
        for at in range(ROWS)
    ]
    made[700] = made[3].upper() + "!"
    made[1250] = made[40].replace("came from", "came at last from")
    made[1299] = made[3]
    return made


def write(path: Path, rows: list[str]) -> Path:
    path.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows), encoding="utf-8")
    return path


def test_kin_across_batches_is_what_one_round_of_all_rows_finds(tmp_path: Path) -> None:
    rows = texts()
    found = audit(write(tmp_path / "rows.jsonl", rows))
    assert found.rows == ROWS
    assert [(kin["row"], kin["twin"]) for kin in found.duplicates] == [(700, 3), (1299, 3)]
    task = ColumnTask.of("text")
    context = FilterContext(task, rows)
    records = [Record(str(at), {"text": row}, Provenance("real", "file")) for at, row in enumerate(rows)]
    filters = FilterSet(
        (),
        tuple(
            plugin.build(plugin.Options(), context)
            for plugin in (FILTERS.get("duplicates"), FILTERS.get("near_duplicates"))
        ),
    )
    members = [Member(record, keys) for record, keys in zip(records, filters.keys(records), strict=True)]
    verdicts = judge_kin(filters.corpus, members, [], lambda ids: {})
    fallen = [
        (int(v.record), int(v.survivor or ""))
        for v in verdicts
        if not v.keep and v.filter_name == "near_duplicates"
    ]
    assert [(kin["row"], kin["twin"]) for kin in found.near_duplicates] == fallen
    assert (1250, 40) in fallen


def test_a_filter_by_name_with_its_options(tmp_path: Path) -> None:
    rows = ["Write to anna.berg@bahnhof.se about it", "Nobody is at home today", "Anna was here again"]
    path = write(tmp_path / "rows.jsonl", rows)
    plain = audit(path)
    assert plain.filters["pii"] == {"pii": 1}
    assert "forbidden" not in plain.filters
    assert plain.not_run == {}
    named = audit(path, filters=["{pii: {kinds: [card]}}", "{forbidden: {phrases: [nobody, here again]}}"])
    assert named.filters["pii"] == {}
    assert named.filters["forbidden"] == {"forbidden": 2}
    (example,) = plain.examples["pii"]
    assert (example["row"], example["evidence"]["kind"]) == (0, "email")
    assert [each["row"] for each in named.examples["forbidden"]] == [1, 2]


def test_what_is_flagged_is_counted_and_shown(tmp_path: Path) -> None:
    found = audit(write(tmp_path / "rows.jsonl", ["What a moron you are", "Good morning"]))
    assert found.filters["toxicity"] == {"toxic_words": 1}
    (example,) = found.examples["toxicity"]
    assert (example["row"], example["keep"], example["evidence"]["kind"]) == (0, True, "insult")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("pi", "did you mean 'pii'"),
        ("{length: {min_word: 3}}", "min_words"),
        ("{length: [", "not valid YAML"),
        ("judge", "judge cannot look through this file: it asks a model"),
        ("schema", "a file has no schema without a recipe"),
        ("contamination", "an audit finds leaks with --against"),
        ("label_agreement", "label_agreement cannot look through this file: compares labels"),
        ("verify", "verify cannot look through this file"),
    ],
)
def test_a_filter_that_cannot_work_is_refused_by_name(tmp_path: Path, expression: str, message: str) -> None:
    path = write(tmp_path / "rows.jsonl", ["One text"])
    with pytest.raises(InputError) as caught:
        audit(path, filters=[expression])
    assert message in str(caught.value)


def test_a_recipe_brings_its_own_filters_and_says_which_it_cannot_run(tmp_path: Path) -> None:
    workspace = Workspace.make(
        tmp_path, filters=["default", "-near_duplicates", {"length": {"min_words": 9}}]
    )
    (tmp_path / "rows.csv").write_text(
        "text,category\nShort one,billing\nThe seat that we pay for each month is not on the bill,nonsense\n",
        encoding="utf-8",
    )
    found = seedbed.audit(tmp_path / "rows.csv", recipe=workspace.folder)
    assert found.filters["length"] == {"too_short": 1}
    assert found.filters["schema"] == {"invalid_schema": 1}
    assert "near_duplicates" not in found.filters
    assert found.not_run == {"contamination": "an audit finds leaks with --against"}
    (tmp_path / "other.csv").write_text("message\nShort one\nAnother one\n", encoding="utf-8")
    other = seedbed.audit(tmp_path / "other.csv", recipe=workspace.folder)
    assert other.filters["length"] == {"too_short": 2}
    assert other.not_run["schema"] == "a file has no schema without a recipe whose fields it has"


def test_the_page_escapes_what_it_shows_and_loads_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", ["Is <script>alert(1)</script> here?", "A card: 4532015112830366"])
    found = audit(path, against=path, filters=["pii"]).to_json()
    page = render_audit(found, str(path), str(path))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "2 rows of the eval set in the file" in page
    assert "4532015112830366" not in page.partition('id="filters"')[2]
    assert "src=" not in page
    assert 'Content-Security-Policy" content="default-src' in page


def test_the_command_writes_its_page(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    write(tmp_path / "rows.jsonl", ["One text", "one text!"])
    done = workspace.run("audit", "rows.jsonl", "--report", "out/page.html")
    assert "wrote out/page.html" in done.err
    assert "Equal to an earlier row" in (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    refused = workspace.run("audit", "rows.jsonl", "--report", "rows.jsonl", expect=2)
    assert "only read" in refused.err
