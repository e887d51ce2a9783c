"""`distil`: real prompts go out as they are and come back with the teacher's answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from seedbed.core.errors import RecipeError
from tests.cli.workspace import Workspace, check_accounts
from tests.generate.scripted import Scripted

INSTRUCTION = {"kind": "instruction", "prompt": "question", "context": "note", "answer": "answer"}
ASKED = {"question": "Shorten this, please.", "note": "The river, which is wide, is slow.", "answer": "Old."}


def recipe(task: Mapping[str, object], **options: object) -> dict[str, object]:
    return {
        "task": task,
        "sources": {"asked": {"path": "asked.jsonl", "unlabelled": True}},
        "generate": {"target": 4, "methods": {"distil": options}},
    }


def test_the_prompt_is_the_users_message_and_the_reply_is_the_answer(tmp_path: Path) -> None:
    script = Scripted(tmp_path, lambda question: " The wide river is slow.\n")
    (record,) = script.records(recipe(INSTRUCTION), {"asked.jsonl": json.dumps(ASKED)})
    assert record.fields == {**ASKED, "answer": "The wide river is slow."}
    (question,) = script.asked
    assert question.user == "Shorten this, please.\n\nThe river, which is wide, is slow."
    assert "Old." not in question.system


def test_an_empty_context_stays_empty(tmp_path: Path) -> None:
    script = Scripted(tmp_path, lambda question: "Yes.")
    asked = json.dumps({"question": "Is it open?", "note": ""})
    (record,) = script.records(recipe(INSTRUCTION), {"asked.jsonl": asked})
    assert record.fields == {"question": "Is it open?", "note": "", "answer": "Yes."}


def test_several_answers_are_several_drafts_of_one_question(tmp_path: Path) -> None:
    script = Scripted(tmp_path, lambda question: f"Answer {question.choice}")
    records = script.records(recipe(INSTRUCTION, answers=3), {"asked.jsonl": json.dumps(ASKED)})
    assert sorted(record.fields["answer"] for record in records) == ["Answer 0", "Answer 1", "Answer 2"]
    assert len({record.fields["question"] for record in records}) == 1


def test_a_task_of_several_answered_fields_is_answered_in_json(tmp_path: Path) -> None:
    script = Scripted(tmp_path, lambda question: json.dumps({"solution": "3 + 4 = 7", "answer": "7"}))
    asked = json.dumps({"question": "What is three and four?"})
    (record,) = script.records(recipe({"kind": "math"}), {"asked.jsonl": asked})
    assert record.fields == {"question": "What is three and four?", "solution": "3 + 4 = 7", "answer": "7"}
    assert "keys: solution, answer" in script.asked[0].system


def test_a_task_with_labels_is_refused(tmp_path: Path) -> None:
    fields = {"text": "what was said", "tone": {"enum": ["calm", "cross"]}}
    task = {"kind": "custom", "fields": fields, "label": "tone"}
    with pytest.raises(RecipeError, match="for which the method `label` asks"):
        Scripted(tmp_path, lambda question: "").records(recipe(task), {"asked.jsonl": '{"text": "So?"}'})


@pytest.mark.real_data
def test_recorded_replies_of_gpteacher(tmp_path: Path, real_data: Callable[[str], Path]) -> None:
    """Every recorded answer comes back under its own question; what is missing fails its cell by name."""
    rows = json.loads((real_data("gpteacher/Toolformer") / "toolformer-dedupe-only-dataset.json").read_text())
    rows = rows[:1000]
    asked = [{"instruction": row["instruction"], "input": row["input"]} for row in rows]
    replies = [
        {"prompt": "\n\n".join(filter(None, (row["instruction"], row["input"]))), "reply": row["response"]}
        for row in rows[:-10]
    ]
    place = Workspace(tmp_path)
    for name, lines in (("asked.jsonl", asked), ("replies.jsonl", replies)):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    place.write(
        task={"kind": "instruction", "context": "input"},
        sources={"asked": {"path": "asked.jsonl", "unlabelled": True}},
        roles={"teacher": {"recorded": "replies.jsonl", "by": "prompt"}},
        generate={"target": len(rows), "methods": "distil"},
    )
    summary = place.run("run", ".", "--json", expect=None).json
    accounts = summary["accounts"]
    check_accounts(accounts)
    print(json.dumps(accounts))
    assert accounts["cells"]["planned"] == len(rows)
    assert accounts["cells"]["failed"] == 10
    assert accounts["drafts"]["failed"] == {"no_recorded_reply": 10}
    assert accounts["drafts"]["accepted"] >= 0.9 * len(rows)
