"""The table of a rehearsal: it knows what was planted, and loosening a filter shows in it."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

import seedbed
from benchmarks.self_tests import notes
from seedbed.cli.main import cli
from seedbed.core.protocols import FilterContext
from seedbed.filters import DEFAULT_FILTERS, FILTERS
from seedbed.filters.verify import Verify
from seedbed.models.fault_plan import VARIANTS
from seedbed.recipe import load_recipe
from seedbed.run.binding import bind
from seedbed.run.progress import Progress
from seedbed.run.registry import registry
from seedbed.run.rehearsing import claims_of
from seedbed.run.session import run_recipe
from seedbed.run.summary import summarise
from seedbed.run.view import RunView
from seedbed.tasks import TASKS
from seedbed.verify.sandbox.backends import Backend
from tests.filters.tickets import record

EXAMPLE = Path(seedbed.__file__).parent / "examples" / "support_tickets"
RATE = 0.06
# A classification has nothing that is worked out or answered and could be wrong; and who looks for what is
# memorised takes the copies from those who look for copies.
APART_FILTERS = ({"verify"}, {"groundedness"}, {"memorised"})
FAULTS = [
    kind
    for kind, ways in VARIANTS.items()
    if all(set(way.filters) not in APART_FILTERS for way in ways.values())
]
# Two filters share the copies, and of those that were edited much only a few can be caught.
RATES = {**dict.fromkeys(FAULTS, RATE), "copy": 2 * RATE}
FORBIDDEN = {"forbidden": {"phrases": ["guarantee", "money back"]}}
NAMED = ("semantic_duplicates", "label_agreement", "language", FORBIDDEN)
ALL: tuple[Any, ...] = (*DEFAULT_FILTERS, *NAMED)

# `rouge_l` answers copies where `near_duplicates` does not, these others have tests of their own; and what a
# recipe asks of a text by `constraints` no imitation of real rows keeps to, clean or not.
APART = ("rouge_l", "verify", "memorised", "groundedness", "constraints")
# A judge is no filter of the table here: in a rehearsal its scores are made up.
MEASURED = [name for name in FILTERS.built_in if FILTERS.get(name).kind != "model" and name not in APART]
# For each built filter a way to let more through: an option, or to do without it.
LOOSER: Mapping[str, Any] = {
    "refusal": None,
    "schema": None,
    "format": {"format": {"allow": ["preamble", "sign_off"]}},
    "length": {"length": {"min_words": 0, "max_words": 100_000}},
    "duplicates": None,
    "near_duplicates": {"near_duplicates": {"threshold": 1.0}},
    "semantic_duplicates": {"semantic_duplicates": {"threshold": 1.0}},
    "contamination": None,
    "label_agreement": {"label_agreement": {"flag_from": 0.9}},
    "forbidden": None,
    "language": {"language": {"languages": ["en", "de", "es", "pl", "fi"]}},
    "secrets": None,
    "pii": {"pii": {"kinds": ["email"]}},
    "toxicity": {"toxicity": {"allow": ["idiot", "moron", "asshole", "bastard", "scumbag", "wanker"]}},
}


def rehearse(folder: Path, filters: list[Any], rates: Mapping[str, float]) -> dict[str, Any]:
    """The summary of a run of the starter recipe with these filters and rates."""
    shutil.copytree(EXAMPLE, folder)
    yaml = YAML(typ="safe")
    recipe = yaml.load(folder / "recipe.yaml")
    del recipe["student"], recipe["mix"]
    recipe |= {"filters": filters, "roles": {"teacher": {"rehearsal": dict(rates)}}}
    recipe["generate"] |= {"target": 48, "cover": {"category": "even"}}
    yaml.dump(recipe, folder / "recipe.yaml")
    return rehearsed(folder)


def rehearsed(folder: Path) -> dict[str, Any]:
    tables = registry()
    bound = bind(load_recipe(folder, tables, env={}, default_filters=DEFAULT_FILTERS), tables)
    asyncio.run(run_recipe(bound, tables, lambda note: None, Progress(48)))
    return summarise(RunView.open(bound.folder.path))


def named(entry: Any) -> str:
    return entry if isinstance(entry, str) else next(iter(entry))


def catch_rate(summary: Mapping[str, Any], name: str) -> float:
    """As it is printed; 0 for a filter that is not there and for which nothing could be planted."""
    found = [entry for entry in summary["selftest"]["filters"] if entry["filter"] == name]
    return float(found[0]["catch_rate"]) if found and found[0]["catch_rate"] is not None else 0.0


@cache
def strict(base: Path) -> dict[str, Any]:
    return rehearse(base / "strict", list(ALL), RATES)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsals")


def test_every_built_filter_has_a_fault_and_catches_some(base: Path) -> None:
    table = {entry["filter"]: entry for entry in strict(base)["selftest"]["filters"]}
    assert set(table) == set(MEASURED)
    for entry in table.values():
        assert entry["planted"] == entry["caught"] + entry["missed"] > 0
        assert entry["caught"] > 0
        assert 0 <= entry["low"] <= entry["catch_rate"] <= entry["high"] <= 1
        assert sum(counts["planted"] for counts in entry["grades"].values()) == entry["planted"]
        assert entry["false_drop_rate"] <= 0.02
    assert table["label_agreement"]["flagged"] > 0


def test_faults_and_clean_drafts_are_all_the_drafts(base: Path) -> None:
    summary = strict(base)
    result, drafts = summary["selftest"], summary["accounts"]["drafts"]
    planted = sum(counts["planted"] for counts in result["faults"].values())
    assert planted + result["clean"] == drafts["total"]
    assert set(result["faults"]) == set(FAULTS)
    for counts in (*result["faults"].values(), *result["variants"].values()):
        assert counts["planted"] == sum(counts["caught"].values()) + counts["missed"]
    flagged = sum(entry["drafts"] for entry in summary["flags"])
    assert flagged > 0


def test_show_lists_what_is_flagged_and_says_so(base: Path) -> None:
    strict(base)
    shown = CliRunner().invoke(cli, ["show", str(base / "strict"), "--reason", "label_disagrees", "--json"])
    drafts = json.loads(shown.output)
    assert drafts
    one = next(draft["id"] for draft in drafts if draft["accepted"])
    way = CliRunner().invoke(cli, ["show", str(base / "strict"), one])
    assert "flag label_disagrees" in way.output
    refused = CliRunner().invoke(cli, ["show", str(base / "strict"), "--reason", "no_such_reason"])
    assert "flags are: label_disagrees" in str(refused.exception) + refused.output


# One run loosens several that take nothing from one another: of those that look for copies one at a time.
TOGETHER = (
    ("refusal", "format", "secrets", "duplicates", "label_agreement"),
    ("schema", "length", "pii", "near_duplicates", "language"),
    ("forbidden", "toxicity", "contamination", "semantic_duplicates"),
)


def test_each_is_loosened_once() -> None:
    assert sorted(name for names in TOGETHER for name in names) == sorted(MEASURED)


@pytest.mark.parametrize(
    "names",
    [*TOGETHER, *(pytest.param((name,), marks=pytest.mark.campaign) for name in MEASURED)],
    ids=" and ".join,
)
def test_loosening_a_filter_lowers_its_printed_catch_rate(names: tuple[str, ...], base: Path) -> None:
    looser = [LOOSER[name] if (name := named(entry)) in names else entry for entry in ALL]
    summary = rehearse(base / "-".join(names), [entry for entry in looser if entry is not None], RATES)
    for name in names:
        assert catch_rate(summary, name) < catch_rate(strict(base), name), name


def test_by_default_nothing_is_planted_that_no_filter_answers(base: Path) -> None:
    result = rehearse(base / "two", ["schema", "duplicates"], {})["selftest"]
    assert set(result["faults"]) <= {"broken_json", "wrong_shape", "copy"}
    assert {entry["filter"] for entry in result["filters"]} == {"schema", "duplicates"}
    assert set(result["variants"]) & {"copy/verbatim"}
    assert not [name for name in result["variants"] if "edited" in name]


def test_rouge_l_answers_copies_where_near_duplicates_is_out(base: Path) -> None:
    def caught(name: str, **options: float) -> float:
        summary = rehearse(base / name, ["schema", {"rouge_l": options}], {"copy": 0.3})
        (entry,) = [one for one in summary["selftest"]["filters"] if one["filter"] == "rouge_l"]
        assert entry["planted"] > 0
        assert entry["false_drop_rate"] <= 0.02
        return float(entry["catch_rate"])

    assert 0.3 < caught("looser rouge_l", threshold=0.9) < caught("rouge_l alone")


def test_memorised_finds_parts_of_real_rows_and_from_more_words_on_fewer(base: Path) -> None:
    def caught(name: str, **options: int) -> float:
        summary = rehearse(base / name, ["schema", {"memorised": options}], {"memorised": 0.3})
        (entry,) = [one for one in summary["selftest"]["filters"] if one["filter"] == "memorised"]
        assert entry["planted"] > 0
        assert entry["false_drop_rate"] <= 0.02
        return float(entry["catch_rate"])

    assert 0 < caught("longer runs", run=18) < caught("calibrated runs")


def test_groundedness_finds_what_no_context_has_and_what_is_not_looked_for_stays(base: Path) -> None:
    def rehearsed_notes(name: str, **options: Any) -> Mapping[str, Any]:
        folder = base / name
        notes("notes", folder)
        recipe = json.loads((folder / "recipe.yaml").read_text("utf-8"))
        recipe["roles"] = {"teacher": {"rehearsal": {"unsupported": 0.4}}}
        recipe |= {
            "generate": {"target": 60, "methods": ["direct"]},
            "filters": ["schema", {"groundedness": options}],
        }
        (folder / "recipe.yaml").write_text(json.dumps(recipe), "utf-8")
        (entry,) = [
            one for one in rehearsed(folder)["selftest"]["filters"] if one["filter"] == "groundedness"
        ]
        return dict(entry)

    strict, loose = rehearsed_notes("all claims"), rehearsed_notes("numbers alone", check=["number"])
    assert set(strict["grades"]) == {"number", "date", "name"}
    assert strict["catch_rate"] >= 0.9
    assert strict["false_drop_rate"] == strict["flagged_clean"] == 0
    assert loose["catch_rate"] < strict["catch_rate"]


def verified(folder: Path, starter: str, target: int, fault: str, **options: Any) -> dict[str, Any]:
    """What the self-test says of `verify` with these options in a starter recipe with that fault."""
    shutil.copytree(EXAMPLE.parent / starter, folder)
    yaml = YAML(typ="safe")
    recipe = yaml.load(folder / "recipe.yaml")
    recipe.pop("mix", None)
    recipe["sources"].pop("seeds", None)
    recipe["generate"] = {"target": target, "axes": recipe["generate"]["axes"], "methods": ["template"]}
    recipe |= {
        "filters": ["schema", {"verify": options}],
        "roles": {"teacher": {"rehearsal": {fault: 0.4}}},
    }
    yaml.dump(recipe, folder / "recipe.yaml")
    (entry,) = [one for one in rehearsed(folder)["selftest"]["filters"] if one["filter"] == "verify"]
    return dict(entry)


def test_verify_catches_wrong_sums_and_with_less_to_check_fewer_of_them(base: Path) -> None:
    strict = verified(base / "both checks", "word_problems", 60, "wrong_sum")
    loose = verified(base / "answers alone", "word_problems", 60, "wrong_sum", check=["answer"])
    assert set(strict["grades"]) == {"equation", "answer"}
    assert strict["catch_rate"] == 1.0
    assert strict["false_drop_rate"] == strict["flagged_clean"] == 0
    assert loose["catch_rate"] < strict["catch_rate"]


def test_verify_catches_wrong_programs_and_asks_something_of_tests(base: Path, sandbox: Backend) -> None:
    anything = {"kills_mutants": 0, "fails_on_stub": False}
    strict = verified(base / "tests that notice", "python_tasks", 40, "wrong_program")
    loose = verified(base / "any tests", "python_tasks", 40, "wrong_program", **anything)
    assert set(strict["grades"]) == {"result", "idle_tests"}
    assert strict["catch_rate"] == 1.0
    assert strict["false_drop_rate"] == strict["flagged_clean"] == 0
    assert loose["catch_rate"] < strict["catch_rate"]


ORDER = {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}
WEATHER = {"name": "weather", "parameters": {"type": "object", "required": ["city"]}}
LAMPS = "CREATE TABLE lamps (name TEXT); INSERT INTO lamps VALUES ('desk');"
# By the kind of the fault: options of `verify`, the same that ask for less, the fields that are looked at.
WORKED_OUT: Mapping[str, tuple[Any, Any, Any]] = {
    "wrong_json": (
        {"json_schema": {"order": ORDER}},
        {"json_schema": {"order": {"type": "object"}}},
        {"order": "the order as JSON"},
    ),
    "wrong_call": (
        {"tool_calls": {"field": "calls", "tools": [WEATHER]}},
        {"tool_calls": {"field": "calls", "tools": [{"name": "weather"}]}},
        {"calls": {"type": "array"}},
    ),
    "wrong_query": (
        {"sql": {"query": "query", "expected": "right", "setup": LAMPS}},
        {"sql": {"query": "query", "setup": LAMPS}},
        {"query": "a query in SQL", "right": "another that gives the same"},
    ),
}


@pytest.mark.parametrize("fault", WORKED_OUT)
def test_verify_catches_what_is_wrong_in_json_calls_and_queries(fault: str, base: Path) -> None:
    options, looser, fields = WORKED_OUT[fault]
    recipe = {
        "name": "worked-out",
        "task": {"kind": "custom", "fields": {"question": "what is asked", **fields}},
        "generate": {"target": 60, "methods": ["template"]},
        "filters": ["schema", {"verify": options}],
        "roles": {"teacher": {"rehearsal": {fault: 0.4}}},
    }
    folder = base / fault
    folder.mkdir(parents=True)
    YAML(typ="safe").dump(recipe, folder / "recipe.yaml")
    (found,) = [one for one in rehearsed(folder)["selftest"]["filters"] if one["filter"] == "verify"]
    print(fault, {key: found[key] for key in ("planted", "caught", "catch_rate", "false_drop_rate")})
    assert set(found["grades"]) == set(VARIANTS[fault])
    assert found["catch_rate"] == 1.0
    assert found["false_drop_rate"] == found["flagged_clean"] == 0

    loaded = load_recipe(folder, registry(), env={}, default_filters=DEFAULT_FILTERS).recipe
    (claim,) = claims_of(loaded)
    planted = [
        record(f"{variant} {seed}", **claim.written(random.Random(seed), variant))
        for variant in VARIANTS[fault]
        for seed in range(10)
    ]
    context = FilterContext(TASKS.get("custom").bind(loaded.task.options, None))
    less = Verify.build(Verify.Options.model_validate(looser), context)
    assert sum(verdict is None or verdict.keep for verdict in less.check(planted)) == 10
