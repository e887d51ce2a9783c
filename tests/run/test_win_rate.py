"""Two students' answers before a judge: both orders, ties, and what is paid for once."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import InputError
from seedbed.run.binding import BoundRecipe
from seedbed.run.loading import load_bound
from seedbed.run.spending import Spending
from seedbed.run.win_rate import NAME, judge_arms
from seedbed.store.asked import AskedContents
from seedbed.student.arms import MIX, REAL_ONLY
from seedbed.student.rows import Row, row_of
from tests.fake_endpoint import FakeEndpoint
from tests.tasks.kinds import EXAMPLES

GOOD, BAD = "a thorough answer", "a hasty answer"
_SHOWN = re.compile(r"<(first|second)>\n(.*?)\n</\1>", re.DOTALL)


def shown(body: Mapping[str, Any]) -> dict[str, str]:
    return dict(_SHOWN.findall(body["messages"][-1]["content"]))


def verdict(better: str) -> str:
    return json.dumps({"evidence": "It says more.", "better": better})


def fair(body: dict[str, Any]) -> str:
    """Prefers what is thorough, wherever it stands."""
    answers = shown(body)
    good = [place for place, text in answers.items() if GOOD in text]
    return verdict(good[0] if len(good) == 1 else "tie")


def bound_to(folder: Path, url: str | None) -> BoundRecipe:
    roles: dict[str, Any] = {"teacher": {"rehearsal": {}}, "judge": {"rehearsal": {}}}
    if url is not None:
        roles = {
            name: {"model": model, "endpoint": url, "licence": "mit", "timeout": 5.0}
            for name, model in (("teacher", "writer"), ("judge", "fake"))
        }
    EXAMPLES["instruction"].write(folder, roles=roles)
    bound = load_bound(folder, (), env={})
    bound.folder.create()
    return bound


def rows_of(bound: BoundRecipe, count: int) -> list[Row]:
    return [
        row_of(bound.task, f"r{at}", {"instruction": f"What is {at}?", "response": "It depends."})
        for at in range(count)
    ]


def judged(
    bound: BoundRecipe, rows: Sequence[Row], mix: Sequence[str], real: Sequence[str]
) -> dict[str, Any]:
    answers = {MIX: mix, REAL_ONLY: real}
    (found,) = asyncio.run(
        judge_arms(bound, rows, answers, [(MIX, REAL_ONLY), (MIX, "synthetic_only")], lambda line: None)
    )
    assert (found["arm"], found["against"]) == (MIX, REAL_ONLY)
    return found


def test_the_better_arm_wins_in_both_orders_and_is_paid_for_once(tmp_path: Path) -> None:
    with FakeEndpoint(fair) as endpoint:
        bound = bound_to(tmp_path, endpoint.url)
        rows = rows_of(bound, 40)
        mix = [f"{GOOD if at % 4 else BAD} {at}" for at in range(40)]
        real = [f"{GOOD if at % 4 == 0 else BAD} {at}" for at in range(38)] + mix[38:]
        found = judged(bound, rows, mix, real)
        assert (found["wins"], found["ties"], found["losses"]) == (28, 2, 10)
        assert found["rate"]["value"] == pytest.approx((28 + 1) / 40)
        assert 0.5 < found["rate"]["low"] < found["rate"]["value"] < found["rate"]["high"] < 1
        assert found["verdict"] == "better"
        assert (found["disagreed"], found["unread"], found["judge"]) == (0, 0, "fake")
        # Two questions for each row whose answers differ.
        assert endpoint.stats().requests == 76
        assert all(body["temperature"] == 0 for body in endpoint.requests)
        assert all("It depends." in body["messages"][-1]["content"] for body in endpoint.requests)

        again = judged(bound, rows, mix, real)
        assert again == found
        assert endpoint.stats().requests == 76
        turned = judged(bound, rows, real, mix)
        assert (turned["wins"], turned["losses"]) == (10, 28)
        assert turned["verdict"] == "worse"
        assert endpoint.stats().requests == 76, "the same two answers in the same two orders"
        noted = AskedContents(bound.folder.asked_contents(rehearsal=False) / f"{NAME}.bin").read()
        assert len(noted) == 76, "they are requests of this run, for its budget"


@pytest.mark.parametrize(
    ("reply", "disagreed", "unread"),
    [
        (lambda body: verdict("first"), 10, 0),
        (lambda body: verdict("tie"), 0, 0),
        (lambda body: verdict("both"), 0, 10),
        (lambda body: "the first, I think", 0, 10),
        (lambda body: fair(body) if shown(body)["first"].startswith(GOOD) else verdict("tie"), 10, 0),
    ],
)
def test_what_a_judge_does_not_say_in_both_orders_is_a_tie(
    reply: Callable[[dict[str, Any]], str], disagreed: int, unread: int, tmp_path: Path
) -> None:
    with FakeEndpoint(reply) as endpoint:
        bound = bound_to(tmp_path, endpoint.url)
        found = judged(bound, rows_of(bound, 10), [f"{GOOD} {at}" for at in range(10)], [BAD] * 10)
    assert (found["wins"], found["ties"], found["losses"]) == (0, 10, 0)
    assert (found["disagreed"], found["unread"]) == (disagreed, unread)
    assert found["rate"]["value"] == 0.5
    # Ten ties prove nothing: three of ten may differ for all that ten rows tell.
    assert found["verdict"] == "undecided"


def test_a_rehearsal_judges_for_nothing_and_alike_each_time(tmp_path: Path) -> None:
    bound = bound_to(tmp_path, None)
    rows = rows_of(bound, 30)
    found = judged(bound, rows, [f"b {at}" for at in range(30)], [f"a {at}" for at in range(30)])
    assert found["wins"] > 10
    assert found == judged(bound, rows, [f"b {at}" for at in range(30)], [f"a {at}" for at in range(30)])
    assert not Spending.read(bound.folder, rehearsal=True).lost.requests


def test_nothing_to_judge_and_nobody_who_judges_are_told(tmp_path: Path) -> None:
    EXAMPLES["instruction"].write(tmp_path)
    bound = load_bound(tmp_path, (), env={})
    bound.folder.create()
    with pytest.raises(InputError, match=r"needs a judge: write roles: \{judge:"):
        judged(bound, rows_of(bound, 2), ["a", "b"], ["c", "d"])
    with pytest.raises(InputError, match="needs dev rows"):
        judged(bound, [], [], [])
