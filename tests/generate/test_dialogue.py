"""Two sides talk, each with its own prompt, model and memory; what is not said in its role falls."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.record import Record
from seedbed.generate.dialogue import BEGIN
from seedbed.store.shards import read_records
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint
from tests.generate.bench import CONTRACT, Bench
from tests.generate.by_hand import Said, answered, bench_of, one_record

SCENE = {
    "person": "A piper in a hurry, types without capitals.",
    "goal": "Wants to bring pipes and a dog on the boat of Friday.",
    "facts": ["The dog weighs 30 kg.", "There are four pipers."],
}
TALK = (
    "can i bring a dog on friday",
    "Yes, on a lead. Which sailing?",
    "the 6:40, and four sets of pipes",
    "Pipes travel free; please play them on deck only.",
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of("dialogue", tmp_path)


def talked(bench: Bench, *said: Said) -> Record:
    return one_record(answered(bench, bench.cells[0], SCENE, *said))


def test_it_ends_where_the_user_stops_and_says_who_said_what(bench: Bench) -> None:
    record = talked(bench, *TALK, "all clear [END]")
    assert record.rejected is None
    system, *turns = record.fields["messages"]
    assert system["role"] == "system"
    assert [(turn["role"], turn["content"]) for turn in turns] == list(
        zip(("user", "assistant") * 2, TALK, strict=True)
    )
    assert record.notes["scene"] == SCENE
    assert record.notes["turns"] == [
        {"who": who, "model": "rehearsal", "endpoint": "rehearsal"} for who in ("user", "assistant") * 2
    ]
    assert len(record.provenance.reply_keys) == 6


def test_it_ends_at_the_cap(tmp_path: Path) -> None:
    bench = bench_of("dialogue", tmp_path, ("generate.methods={dialogue: {most: 2, least: 2}}",))
    record = talked(bench, *TALK)
    assert record.rejected is None
    assert [turn["role"] for turn in record.fields["messages"]] == ["user", "assistant"] * 2
    assert len(record.provenance.reply_keys) == 5


def test_too_short_a_conversation_is_turned_down(bench: Bench) -> None:
    record = talked(bench, *TALK[:2], "[END]")
    assert record.rejected is not None
    assert record.rejected.reason == "too_few_turns"
    assert record.rejected.evidence == {"answers": 1, "least": 2}


@pytest.mark.parametrize(
    ("said", "who", "found"),
    [
        (["How can I help you today?"], "user", "How can I help you"),
        (["Assistant: which boat do you mean?"], "user", "Assistant:"),
        ([TALK[0], "Yes, on a lead.\nUser: thanks\nAssistant: Bye."], "assistant", "User:"),
        ([TALK[0], "Yes.<|im_end|>"], "assistant", "<|im_end|>"),
        ([TALK[0], "Thank you for your help, that is all."], "assistant", "Thank you for your help"),
        ([TALK[0], TALK[0].capitalize() + "?"], "assistant", "what the other side has just said"),
    ],
)
def test_a_message_out_of_its_role_ends_the_conversation(
    bench: Bench, said: Sequence[str], who: str, found: str
) -> None:
    record = talked(bench, *said)
    assert record.rejected is not None
    assert record.rejected.reason == "role_confusion"
    assert record.rejected.evidence == {"turn": len(said), "who": who, "text": said[-1], "found": found}
    assert len(record.provenance.reply_keys) == 1 + len(said)


def test_a_side_that_goes_round_in_circles_ends_the_conversation(bench: Bench) -> None:
    record = talked(bench, *TALK[:3], "Yes, on a lead! Which sailing?")
    assert record.rejected is not None
    assert record.rejected.reason == "repeats_itself"


def test_each_side_has_its_own_model_prompt_and_memory(tmp_path: Path) -> None:
    """The user and the assistant behind addresses of their own, the scene by a third."""
    turns: dict[str, int] = {}

    def says(body: dict[str, Any]) -> str:
        if body["model"] == "writer":
            return json.dumps({**SCENE, "person": f"Number {len(turns)}"})
        told = [message["content"] for message in body["messages"] if message["role"] != "system"]
        turns[body["model"]] = turns.get(body["model"], 0) + 1
        return f"The {body['model']} says its message {turns[body['model']]} to: {told[-1][:30]}"

    with (
        FakeEndpoint(says, model="writer") as writer,
        FakeEndpoint(says, model="guest") as guest,
        FakeEndpoint(says, model="host") as host,
    ):
        folder = tmp_path / "place"
        shutil.copytree(CONTRACT / "dialogue", folder)
        place = Workspace(folder)
        roles = {
            name: {"model": each.model, "endpoint": each.url, "licence": "mit"}
            for name, each in (("teacher", writer), ("guest", guest), ("host", host))
        }
        place.run(
            "run",
            ".",
            "--set",
            f"roles={json.dumps(roles)}",
            "--set",
            "generate.methods={dialogue: {user: guest, assistant: host, least: 2, most: 2}}",
            "--set",
            "generate.target=1",
            "--set",
            "filters=[]",
        )
    assert (len(writer.requests), len(guest.requests), len(host.requests)) == (1, 2, 2)
    (shard,) = folder.glob("runs/*/rounds/**/records*.parquet")
    (record,) = read_records(shard)
    assert [(turn["who"], turn["model"], turn["endpoint"]) for turn in record.notes["turns"]] == [
        ("user", "guest", guest.url),
        ("assistant", "host", host.url),
    ] * 2
    assert {role: model.model for role, model in record.provenance.models.items()} == {
        "teacher": "writer",
        "guest": "guest",
        "host": "host",
    }
    first, answer, second, _ = (turn["content"] for turn in record.fields["messages"])
    system, *seen = [(message["role"], message["content"]) for message in guest.requests[1]["messages"]]
    assert system[0] == "system"
    assert "Number 0" in system[1]
    assert seen == [("user", BEGIN), ("assistant", first), ("user", answer)]
    system, *seen = [(message["role"], message["content"]) for message in host.requests[1]["messages"]]
    assert "Number 0" not in system[1], "the assistant knows nothing of the scene"
    assert seen == [("user", first), ("assistant", answer), ("user", second)]
