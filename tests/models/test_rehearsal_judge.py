"""The rehearsal judge: the same answer to the same question, and faults at the rate that was asked for."""

from __future__ import annotations

import asyncio

import pytest

from seedbed.core.chat import ChatRequest, Choice, Message
from seedbed.core.protocols import ChatModel
from seedbed.filters.judge import read_score
from seedbed.models.rehearsal_judge import JudgeFaults, RehearsalJudge


def answers(judge: RehearsalJudge, count: int = 400) -> dict[bytes, Choice]:
    asked = [ChatRequest("rehearsal-judge", (Message("user", f"Record {n}"),)) for n in range(count)]
    return {request.hash: asyncio.run(judge.complete(request)).choices[0] for request in asked}


def test_it_answers_by_seed_and_question_alone() -> None:
    judge = RehearsalJudge(1, JudgeFaults())
    assert isinstance(judge, ChatModel)
    assert answers(judge) == answers(RehearsalJudge(1, JudgeFaults()))
    assert answers(judge) != answers(RehearsalJudge(2, JudgeFaults()))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_what_it_breaks_is_known_and_unusable(share: float) -> None:
    judge = RehearsalJudge(3, JudgeFaults(unreadable=share))
    found = answers(judge)
    broken = {request for request in found if judge.is_unreadable(request)}
    assert {request for request, choice in found.items() if isinstance(read_score(choice), str)} == broken
    assert abs(len(broken) / len(found) - share) < 0.08
    scores = {read[0] for choice in found.values() if not isinstance(read := read_score(choice), str)}
    assert scores == (set() if share == 1.0 else {1, 2, 3, 4, 5})
