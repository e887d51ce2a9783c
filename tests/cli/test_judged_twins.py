"""A group of kin whose first is rejected by the judge: one twin at a time comes back."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

from seedbed.core.protocols import FilterContext
from seedbed.filters.near_duplicates import NearDuplicates
from tests.cli.test_judging import drafts, judge_at, make
from tests.cli.workspace import check_accounts
from tests.fake_endpoint import FakeEndpoint
from tests.filters.tickets import TICKETS

RULES = [{"near_duplicates": {"threshold": 0.7}}, {"judge": {"min": 3, "trust": "uncalibrated"}}]


def words(dice: random.Random, count: int) -> list[str]:
    return [f"{dice.getrandbits(24):x}" for _ in range(count)]


def copies_that_share_no_key() -> list[str]:
    """A text and two near copies of it, which are near copies of one another and share no key of MinHash."""
    dice = random.Random(489)
    first = words(dice, 12)

    def copy() -> list[str]:
        text = list(first)
        (place,) = dice.sample(range(12), 1)
        text[place] = words(dice, 1)[0]
        return text

    return [" ".join(text) for text in (first, copy(), copy())]


def chain() -> list[str]:
    """Four near copies, which differ in their last word."""
    start = " ".join(words(random.Random(7), 12))
    return [f"{start} {last}" for last in ("one", "two", "six", "ten")]


TRIPLE, CHAIN = copies_that_share_no_key(), chain()
POOR = {TRIPLE[0], *CHAIN[:2]}


def write(body: dict[str, Any]) -> str:
    asked = body["messages"][-1]["content"]
    label = re.search(r"^Category: (.+)$", asked, re.MULTILINE)
    draw = re.search(r"^Variation: (\d+)$", asked, re.MULTILINE)
    assert label is not None
    assert draw is not None
    groups = {"billing": TRIPLE, "defect": CHAIN}.get(label[1], [])
    if int(draw[1]) < len(groups):
        return json.dumps({"text": groups[int(draw[1])]})
    return json.dumps({"text": " ".join(words(random.Random(f"{label[1]}/{draw[1]}"), 12))})


def rate(body: dict[str, Any]) -> str:
    poor = any(f'"{text}"' in body["messages"][-1]["content"] for text in POOR)
    return json.dumps({"evidence": "As it is.", "score": 2 if poor else 4})


def test_near_copies_need_share_no_key() -> None:
    """What the test below rests on: the kin filter alone would let both copies stay."""
    options = NearDuplicates.Options(threshold=0.7)
    each = NearDuplicates.build(options, FilterContext(TICKETS))
    _, one, other = TRIPLE
    assert (each.edge(one, other) or 0) >= 0.7
    first, *copies = (set(keys) for keys in each.keys(TRIPLE))
    assert all(first & keys for keys in copies)
    assert not copies[0] & copies[1]


def test_one_twin_at_a_time_comes_back(tmp_path: Path) -> None:
    with FakeEndpoint(write) as teacher, judge_at(rate) as judge:
        workspace = make(tmp_path, teacher, judge, RULES)
        summary = workspace.run("run", ".", "--json").json
        check_accounts(summary["accounts"])
        asked = [json.loads(b["messages"][-1]["content"].split("\n")[1])["text"] for b in judge.requests]
        found = {row["fields"]["text"]: row for row in drafts(workspace)}
        told = {text: found[text]["reason"] for text in (*TRIPLE, *CHAIN)}
        assert told == {
            TRIPLE[0]: "judge_below_min",
            TRIPLE[1]: "",
            TRIPLE[2]: "near_duplicate",
            CHAIN[0]: "judge_below_min",
            CHAIN[1]: "judge_below_min",
            CHAIN[2]: "",
            CHAIN[3]: "near_duplicate",
        }
        # Nobody is asked about a twin before its turn, nor about one that has none.
        assert [asked.count(text) for text in (*TRIPLE, *CHAIN)] == [1, 1, 0, 1, 1, 1, 0]
        assert asked.index(CHAIN[0]) < asked.index(CHAIN[1]) < asked.index(CHAIN[2])
        assert summary["judged"][0]["promoted"] == 3
        # Who fell names the twin that stays, and through whom it is one.
        one = json.loads(workspace.run("show", ".", found[TRIPLE[2]]["id"], "--json").out)
        last = one["verdicts"][-1]
        assert (last["survivor"], last["evidence"]) == (
            found[TRIPLE[1]]["id"],
            {"through": found[TRIPLE[0]]["id"]},
        )
        before, sent = workspace.shards(), judge.stats().requests
        same = workspace.run("refilter", ".", "--json").json
        assert (same["moved"], judge.stats().requests) == ([], sent)
        assert workspace.shards() == before
