"""`grounded`: what an answer states stands in its passage, or the answer is turned down with its span."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.core.record import Record
from tests.generate.scripted import Question, Scripted

PASSAGE = "# Leave\n\nStaff may carry over five days of leave\nuntil 31 March 2025. Ask Ms Vane in Brellmoor."
TASK = {"kind": "instruction", "prompt": "question", "context": "passage", "answer": "answer"}


def recipe(**options: object) -> dict[str, Any]:
    axes = {"kind": ["answerable", "not_here"], "tone": ["plain"]}
    return {
        "task": TASK,
        "sources": {"docs": {"path": "*.md", "chunk": {"tokens": 400}}},
        "generate": {"target": 8, "axes": axes, "methods": {"grounded": options}},
    }


def answered(folder: Path, answer: Mapping[str, str], **options: object) -> Record:
    def say(question: Question) -> str:
        wants_question = '{"question": "..."}' in question.system
        return json.dumps({"question": "How many days carry over?"} if wants_question else answer)

    script = Scripted(folder, say)
    (record,) = script.records(recipe(**options), {"leave.md": PASSAGE})
    return record


QUOTE = "Staff may carry over five days of leave until 31 March 2025."


def test_a_supported_answer_keeps_its_span(tmp_path: Path) -> None:
    record = answered(tmp_path, {"quote": QUOTE, "answer": "5 days, until March 31, 2025."})
    assert record.rejected is None
    assert set(record.fields) == {"question", "passage", "answer"}
    evidence = record.notes["evidence"]
    passage = record.fields["passage"]
    assert (
        passage[evidence["start"] : evidence["end"]]
        == evidence["quote"]
        == QUOTE.replace("leave ", "leave\n")
    )
    assert (evidence["document"], evidence["heading"]) == ("leave.md", "Leave")


@pytest.mark.parametrize(
    ("answer", "claim"),
    [
        ("Five days, until 31 May 2025.", "date 31 May 2025"),
        ("Six days, until 31 March 2025.", "number Six"),
        ("Five days; ask Mr Torrick.", "name Torrick"),
    ],
)
def test_a_swapped_claim_is_turned_down_with_its_span(tmp_path: Path, answer: str, claim: str) -> None:
    record = answered(tmp_path, {"quote": QUOTE, "answer": answer})
    assert record.rejected is not None
    assert record.rejected.reason == "unsupported"
    assert claim in record.rejected.evidence["claims"]
    assert record.rejected.evidence["quote"].split() == QUOTE.split()
    assert record.rejected.evidence["document"] == "leave.md"


def test_kinds_of_claims_can_be_left_out(tmp_path: Path) -> None:
    said = {"quote": QUOTE, "answer": "Five days; ask Torrick."}
    assert answered(tmp_path, said, check=["date", "number"]).rejected is None


def test_a_quote_that_is_not_in_the_passage_is_turned_down(tmp_path: Path) -> None:
    record = answered(tmp_path, {"quote": "Staff may carry over ten days.", "answer": "Some days."})
    assert record.rejected is not None
    assert record.rejected.reason == "unsupported"
    assert record.rejected.evidence["quote"] == "Staff may carry over ten days."


NONE = {"quote": "None.", "answer": "That is not said here."}


@pytest.mark.parametrize(
    ("share", "said", "reason"),
    [
        (0.0, NONE, "not_answered"),
        (1.0, NONE, None),
        (1.0, {"quote": QUOTE, "answer": "Five days."}, "answered_after_all"),
        (1.0, {**NONE, "answer": "Not here; ask Torrick."}, "unsupported"),
    ],
)
def test_questions_without_an_answer(
    tmp_path: Path, share: float, said: Mapping[str, str], reason: str | None
) -> None:
    record = answered(tmp_path, said, unanswerable=share)
    assert (record.rejected.reason if record.rejected else None) == reason
    if reason is None:
        assert record.notes["answerable"] is False


def test_an_axis_says_which_questions_have_no_answer(tmp_path: Path) -> None:
    def say(question: Question) -> str:
        if '{"question": "..."}' not in question.system:
            assert "not_here" not in question.user
            return json.dumps(NONE)
        kind = "no" if "must not answer" in question.user else "yes"
        return json.dumps({"question": f"Is there an answer? {kind}"})

    options = {"unanswerable": {"kind": "not_here"}}
    records = Scripted(tmp_path, say).records(recipe(**options), {"leave.md": PASSAGE}, cells=8)
    assert {record.slots["kind"] for record in records} == {"answerable", "not_here"}
    for record in records:
        wanted = record.slots["kind"] == "not_here"
        assert record.fields["question"].endswith("no" if wanted else "yes")
        assert (record.rejected is None) == wanted


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ({"kin": "not_here"}, "no axis is called 'kin'; did you mean 'kind'"),
        ({"kind": "nowhere"}, "the axis kind has no value 'nowhere'"),
        ({"kind": "not_here", "tone": "plain"}, "must be a share, or one axis"),
    ],
)
def test_an_axis_that_is_none_is_refused(tmp_path: Path, axis: Mapping[str, str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Scripted(tmp_path, lambda question: "").records(recipe(unanswerable=axis), {"leave.md": PASSAGE})


_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_CREATED = re.compile(r"^Created: +(?P<day>\d\d-\w{3}-\d{4})$", re.MULTILINE)


@pytest.mark.real_data
@pytest.mark.parametrize("swapped", [False, True])
def test_a_swapped_date_on_real_documents(
    tmp_path: Path, real_data: Callable[[str], Path], swapped: bool
) -> None:
    """Each proposal says when it was created; the answer says so in another form, or a year too late."""

    def say(question: Question) -> str:
        if '{"question": "..."}' in question.system:
            return json.dumps({"question": "When was this proposal created?"})
        created = _CREATED.search(question.user)
        if created is None:
            return json.dumps(NONE)
        day, month, year = created["day"].split("-")
        iso = f"{int(year) + 20 * swapped}-{_MONTHS.index(month) + 1:02}-{day}"
        return json.dumps({"quote": created.group(), "answer": f"It was created on {iso}."})

    peps = real_data("peps/peps")
    given = recipe()
    given["sources"] = {"docs": {"path": str(peps / "*.rst"), "chunk": {"tokens": 20_000, "by": "paragraph"}}}
    given["generate"] |= {"target": 60, "axes": {}}
    records = Scripted(tmp_path, say).records(given, {}, cells=60)
    dated = [record for record in records if record.notes.get("answerable")]
    documents = {record.notes["evidence"]["document"] for record in dated}
    print(f"{len(dated)} answers on {len(documents)} documents, swapped: {swapped}")
    assert len(documents) >= 20
    for record in dated:
        evidence = record.notes["evidence"]
        assert _CREATED.fullmatch(evidence["quote"])
        if not swapped:
            assert record.rejected is None
        else:
            assert record.rejected is not None
            assert record.rejected.reason == "unsupported"
            assert record.rejected.evidence["quote"] == evidence["quote"]
            assert record.rejected.evidence["claims"][0].startswith("date 20")
