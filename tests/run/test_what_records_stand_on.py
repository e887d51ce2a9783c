"""In whole runs: what a method took over may be quoted, and a document's passage is found again."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import seedbed
from seedbed.core.errors import RecipeError
from seedbed.filters import DEFAULT_FILTERS
from seedbed.recipe import load_recipe
from seedbed.run.binding import bind
from seedbed.run.progress import Progress
from seedbed.run.registry import registry
from seedbed.run.session import run_recipe
from seedbed.run.summary import summarise
from seedbed.run.view import RunView

EXAMPLES = Path(seedbed.__file__).parent / "examples"


def rehearsed(folder: Path, starter: str, **changed: Any) -> RunView:
    """A run of a starter recipe with some of its sections changed."""
    shutil.copytree(EXAMPLES / starter, folder)
    yaml = YAML(typ="safe")
    recipe = yaml.load(folder / "recipe.yaml")
    recipe.pop("mix", None)
    yaml.dump({**recipe, **changed}, folder / "recipe.yaml")
    tables = registry()
    bound = bind(load_recipe(folder, tables, env={}, default_filters=DEFAULT_FILTERS), tables)
    asyncio.run(run_recipe(bound, tables, lambda note: None, Progress(20)))
    return RunView.open(bound.folder.path)


def test_the_question_that_rejection_takes_from_a_row_is_a_quotation_of_it(tmp_path: Path) -> None:
    methods = [{"rejection": {"source": "real", "samples": 4}}]
    filters = ["schema", {"memorised": {"run": 10}}]
    view = rehearsed(
        tmp_path / "r", "word_problems", generate={"target": 20, "methods": methods}, filters=filters
    )
    records = [record for record, _ in view.ledger().with_fates() if record.fields]
    assert {record.provenance.carried for record in records} == {("question", "answer")}
    assert "memorised" not in summarise(view)["accounts"]["drafts"]["rejected"]


def test_a_row_that_a_prompt_shows_is_no_source(tmp_path: Path) -> None:
    """The rehearsal copies rows that were shown, and problems that its prompt asked for carry nothing."""
    view = rehearsed(
        tmp_path / "r",
        "word_problems",
        generate={"target": 20, "methods": ["direct"]},
        filters=["schema", "memorised"],
        roles={"teacher": {"rehearsal": {"memorised": 0.4}}},
    )
    records = [record for record, _ in view.ledger().with_fates()]
    assert any(record.provenance.parents for record in records)
    assert {record.provenance.carried for record in records} == {()}
    assert summarise(view)["accounts"]["drafts"]["rejected"]["memorised"] > 0


def test_pairs_about_a_document_are_held_against_its_passage(tmp_path: Path) -> None:
    preference = {"source": "docs", "rank": ["groundedness"], "length_ratio": False}
    view = rehearsed(
        tmp_path / "r",
        "handbook_preferences",
        generate={"target": 20, "methods": [{"preference": preference}]},
        roles={"teacher": {"rehearsal": {}}, "judge": {"rehearsal": {}}},
        filters=["schema", "groundedness", {"faithfulness": {"min": 3, "trust": "uncalibrated"}}],
    )
    summary = summarise(view)
    assert summary["flags"] == []
    assert "unsupported" not in summary["accounts"]["drafts"]["rejected"]
    assert summary["accounts"]["drafts"]["rejected"]["faithfulness_below_min"] > 0
    (judged,) = summary["judged"]
    assert judged["filter"] == "faithfulness@1"
    assert judged["judged"] > 0
    assert set(judged["unjudged"]) <= {"unreadable"}


def test_a_recipe_in_which_nothing_has_a_source_is_refused(tmp_path: Path) -> None:
    sources = {"real": {"path": "data/helpdesk_pairs.jsonl"}}
    generate = {"target": 20, "methods": ["direct"]}
    roles: dict[str, Any] = {"teacher": {"rehearsal": {}}}
    with pytest.raises(
        RecipeError, match=r"filters\[0\]: groundedness has no source to hold answers against"
    ):
        rehearsed(
            tmp_path / "r",
            "handbook_preferences",
            sources=sources,
            generate=generate,
            roles=roles,
            filters=["groundedness"],
        )
