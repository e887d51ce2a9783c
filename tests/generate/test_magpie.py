"""The model writes the user's turn where its own chat template leaves off, and answers it in a chat."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.core.record import Record
from seedbed.run.loading import load_bound
from seedbed.store.shards import read_records
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint
from tests.generate.bench import CLEAN, CONTRACT, Bench
from tests.generate.by_hand import answered, bench_of, one_record

ASKED = "Which pump fits a French valve?"
ANSWER = "Any pump with a narrow head, or with an adapter."


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of("magpie", tmp_path)


def written(bench: Bench, *said: str) -> Record:
    return one_record(answered(bench, bench.cells[0], *said))


def test_request_and_answer_are_the_record(bench: Bench) -> None:
    record = written(bench, f" {ASKED}\n", ANSWER)
    assert record.rejected is None
    assert record.fields == {"instruction": ASKED, "response": ANSWER}


def test_what_is_written_past_the_users_turn_does_not_count(bench: Bench) -> None:
    assert written(bench, f"{ASKED}<|im_end|>\n<|im_start|>assistant\nAny.", ANSWER).fields == {
        "instruction": ASKED,
        "response": ANSWER,
    }
    nothing = written(bench, "<|im_end|>")
    assert nothing.unreadable is not None
    assert nothing.unreadable.cause == "invalid_schema"


@pytest.mark.parametrize("mark", ["<|eot_id|>", "</s>", "[/INST]", "<start_of_turn>", "<|end of text|>"])
def test_marks_of_another_template_are_turned_down(bench: Bench, mark: str) -> None:
    record = written(bench, f"{ASKED} {mark} model")
    assert record.rejected is not None
    assert record.rejected.reason == "template_marks"
    assert record.rejected.evidence["found"] == mark


def test_of_a_conversation_it_is_the_first_exchange(tmp_path: Path) -> None:
    task = ("task={kind: conversation}", "sources={}")
    record = written(bench_of("magpie", tmp_path, task), ASKED, ANSWER)
    assert record.fields["messages"] == [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": ANSWER},
    ]


@pytest.mark.parametrize(
    ("options", "before", "after", "stop"),
    [
        ({}, "<|im_start|>system\n", "<|im_end|>\n<|im_start|>user\n", "<|im_end|>"),
        (
            {"template": "custom", "prefix": "SYS {system} USR ", "stop": "###"},
            "SYS ",
            " USR ",
            "###",
        ),
    ],
)
def test_the_template_goes_out_as_it_is_trained_on_and_the_answer_is_asked_in_a_chat(
    tmp_path: Path, options: dict[str, str], before: str, after: str, stop: str
) -> None:
    def says(body: dict[str, Any]) -> str:
        return ASKED if "prompt" in body else ANSWER

    place = Workspace(tmp_path / "place")
    shutil.copytree(CONTRACT / "magpie", place.folder)
    with FakeEndpoint(says) as endpoint:
        roles = {"teacher": {"model": endpoint.model, "endpoint": endpoint.url, "licence": "mit"}}
        changes = {
            "roles": roles,
            "generate.methods": {"magpie": options},
            "generate.target": 1,
            "filters": [],
        }
        sets = [word for key, value in changes.items() for word in ("--set", f"{key}={json.dumps(value)}")]
        place.run("run", ".", *sets)
        query, answer = endpoint.requests
        place.run("run", ".", *sets)
        assert len(endpoint.requests) == 2, "what is in the log is not asked again"
    assert query["prompt"].startswith(f"{before}You are a helpful assistant.")
    assert query["prompt"].endswith(after)
    assert "What they come for: requests to somebody who mends bicycles" in query["prompt"]
    assert (query["temperature"], query["top_p"], query["stop"]) == (1.0, 1.0, [stop])
    assert answer["messages"] == [{"role": "user", "content": ASKED}]
    assert "stop" not in answer
    (shard,) = place.folder.glob("runs/*/rounds/**/records*.parquet")
    (record,) = read_records(shard)
    assert record.fields == {"instruction": ASKED, "response": ANSWER}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("{template: custom}", "needs stop, and a prefix with {system} in it once"),
        ("{template: custom, prefix: 'a {system}'}", "needs stop"),
        ("{template: custom, prefix: a, stop: b}", "needs stop"),
        ("{stop: b}", "prefix and stop are for template: custom"),
    ],
)
def test_half_a_template_is_refused(tmp_path: Path, options: str, problem: str) -> None:
    bench = bench_of("magpie", tmp_path)
    with pytest.raises(RecipeError, match=problem.replace("{", r"\{")):
        load_bound(bench.folder, (*CLEAN, f"generate.methods={{magpie: {options}}}"))
