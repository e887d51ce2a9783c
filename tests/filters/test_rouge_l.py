from __future__ import annotations

import json
import random
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from seedbed.core.protocols import FilterContext
from seedbed.text.minhash import candidate_pairs
from seedbed.text.normalise import normalise
from seedbed.text.rouge import rouge_l
from tests.filters.tickets import QUESTIONS, TICKETS, build, falls, record

CONTEXT = FilterContext(TICKETS)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Write a short poem about the sea.", "Write a short poem about the moon.", True),
        ("Write a short poem about the sea.", "write a SHORT poem, about the sea", True),
        ("Write a short poem about the sea.", "About the sea, write a short poem.", False),
        ("Write a short poem about the sea.", "Explain how tides come about.", False),
        ("the the the the", "the the", False),
        ("请写一首关于大海的短诗", "请写一首关于月亮的短诗", True),
    ],
)
def test_by_example(a: str, b: str, same: bool) -> None:
    assert bool(falls(build("rouge_l", CONTEXT), [a, b])) == same


def test_what_is_asked_is_compared_and_not_what_is_answered() -> None:
    each = build("rouge_l", FilterContext(QUESTIONS))
    one = each.text(record("a", question="how long is it?", answer="two metres"))
    assert one == each.text(record("b", question="how long is it?", answer="nobody ever measured that"))


def test_pairs_above_the_threshold_meet() -> None:
    """Texts of 20 words with 5 replaced by words of no other: the least alike that must be found."""
    each, rng = build("rouge_l", CONTEXT), random.Random(7)
    pairs = met = 0
    for number in range(600):
        words = [f"w{rng.randrange(10_000)}" for _ in range(20)]
        other = list(words)
        for at in rng.sample(range(20), 5):
            other[at] = f"x{number}x{at}"
        if each.edge(" ".join(words), " ".join(other)) is not None:
            pairs += 1
            first, second = each.keys([" ".join(words), " ".join(other)])
            met += bool(set(first) & set(second))
    assert pairs == 600
    assert met / pairs > 0.97


@pytest.mark.real_data
def test_on_human_tasks_it_finds_what_an_exhaustive_search_finds(real_data: Callable[[str], Path]) -> None:
    lines = real_data("selfinstruct/data/seed_tasks.jsonl").read_text("utf-8").splitlines()
    lines += (
        real_data("selfinstruct/human_eval/predictions/text-davinci-003_predictions.jsonl")
        .read_text("utf-8")
        .splitlines()
    )
    texts = sorted({json.loads(line)["instruction"].strip() for line in lines})
    words = [normalise(text).split() for text in texts]
    above = {(a, b) for a, b in combinations(range(len(texts)), 2) if rouge_l(words[a], words[b]) > 0.7}
    each = build("rouge_l", CONTEXT)
    found = set(candidate_pairs(each.keys(texts)))
    assert above <= found
    assert {pair for pair in found if each.edge(texts[pair[0]], texts[pair[1]]) is not None} == above
    print(f"\n{len(texts)} tasks, {len(above)} pairs above 0.7, {len(found)} candidates")
