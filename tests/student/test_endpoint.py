"""What a served model said, read as a label; and what is counted of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.student.endpoint import Endpoint, EndpointOptions, Said, read_label
from seedbed.student.protocol import Lesson, StudentError
from seedbed.student.rows import Row, row_of
from seedbed.tasks.classification import Classification
from seedbed.tasks.fields import labels_of
from seedbed.tasks.instruction import Instruction

LABELS = ("billing", "how_to", "Other things", "'quoted'")
TASK = Classification.bind(Classification.Options(input="text", label="label"), LABELS)
ASKED = Instruction.bind(Instruction.Options(), None)


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("billing", "billing"),
        (" Billing\n", "billing"),
        ('"billing"', "billing"),
        ("“other things”", "Other things"),
        ("**HOW_TO**", "how_to"),
        ("```\nhow_to\n```", "how_to"),
        ("```text\n`how_to`\n```", "how_to"),
        ("'quoted'", "'quoted'"),
        ("\"'quoted'\"", "'quoted'"),
        ("billing.", None),
        ("The label is billing", None),
        ("billing, how_to", None),
        ("how to", None),
        ("", None),
        ("``", None),
    ],
)
def test_a_label_is_the_whole_answer(said: str, label: str | None) -> None:
    assert read_label(said, LABELS) == label


def test_labels_that_differ_by_case_alone_are_told_apart_or_not_read() -> None:
    assert read_label("Open", ("open", "Open")) == "Open"
    assert read_label("OPEN", ("open", "Open")) is None


@given(st.sampled_from(LABELS), st.sampled_from(["{}", '"{}"', "`{}`", "```\n{}\n```", "  {}\n\n"]))
def test_every_label_is_read_back(label: str, around: str) -> None:
    assert read_label(around.format(label), LABELS) == label
    assert read_label(around.format(label.upper()), LABELS) == label


@given(st.text(max_size=40))
def test_what_is_read_is_a_label_or_nothing(said: str) -> None:
    assert read_label(said, LABELS) in (*LABELS, None)


class Scripted:
    """Says the same to every row, turn by turn."""

    def __init__(self, *said: Said) -> None:
        self.said = said
        self.checked: list[str] = []

    def check(self, role: str) -> None:
        self.checked.append(role)

    def ask(self, role: str, rows: Sequence[Row]) -> list[Said]:
        return [self.said[at % len(self.said)] for at in range(len(rows))]

    def spent(self, role: str) -> Mapping[str, int]:
        return {"requests": 7, "prompt_tokens": 1_200, "completion_tokens": 30}


def test_answers_of_no_use_are_counted_over_all_that_was_asked(tmp_path: Path) -> None:
    student, asking = (
        Endpoint(EndpointOptions()),
        Scripted(Said("billing"), Said("who knows", True), Said(None)),
    )
    student.asking = asking
    fitted = student.fit(Lesson(TASK, (), (), 0, tmp_path, tmp_path, "student"))
    rows = [row_of(TASK, f"r{at}", {"text": "t", "label": "billing"}) for at in range(6)]
    assert fitted.answer(rows) == ["billing", "", ""] * 2
    assert fitted.answer(rows[:3]) == ["billing", "", ""]
    assert asking.checked == ["student"]
    assert fitted.notes == (
        "7 requests, 1,200 tokens read and 30 written",
        "3 of 9 rows got no answer, and count as wrong",
        "3 of 9 answers were none of the labels, and count as wrong",
        "3 of 9 answers ended at roles.student.max_tokens",
    )


def test_of_a_task_without_labels_the_answer_is_what_was_said(tmp_path: Path) -> None:
    student = Endpoint(EndpointOptions(roles=("tuned", "base")))
    student.asking = Scripted(Said("Mint."), Said(None))
    fitted = student.fit(Lesson(ASKED, (), (), 0, tmp_path, tmp_path, "base"))
    rows = [row_of(ASKED, f"r{at}", {"instruction": "Name a herb.", "response": "Sage."}) for at in range(2)]
    assert fitted.answer(rows) == ["Mint.", ""]
    assert labels_of(ASKED) == ()


def test_it_learns_nothing(tmp_path: Path) -> None:
    with pytest.raises(StudentError, match="a served model learns nothing"):
        Endpoint(EndpointOptions()).fit(Lesson(TASK, (), (), 0, tmp_path, tmp_path))


def test_roles_stand_in_one_place() -> None:
    assert EndpointOptions().asked_roles == ("student",)
    assert EndpointOptions(role="tuned").asked_roles == ("tuned",)
    with pytest.raises(ValueError, match="either role or roles"):
        EndpointOptions(role="tuned", roles=("base",))
