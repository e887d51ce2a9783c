"""The best rows first: well judged, and unlike those before."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.student.rows import Row
from seedbed.student.selection import best_first

TOPICS = (
    "refund of the yearly plan",
    "a printer that jams",
    "the door code of the office",
    "lunch on friday",
)


def rows(count: int, topics: tuple[str, ...] = TOPICS, seed: int = 0) -> list[Row]:
    rng = random.Random(seed)
    return [
        Row(f"{seed}-{at}", topics[at % len(topics)] + "!" * rng.randrange(9), "x") for at in range(count)
    ]


def first(places: dict[str, int], count: int) -> list[str]:
    return sorted(places, key=lambda id_: places[id_])[:count]


def test_every_topic_is_among_the_first_few() -> None:
    many = [*rows(60, TOPICS[:1]), *rows(3, TOPICS[1:], seed=1)]
    text = {row.id: row.text for row in many}
    chosen = first(best_first([], many, {}), 8)
    assert {text[id_].rstrip("!") for id_ in chosen} == set(TOPICS)


def test_of_two_alike_the_better_judged_comes_first() -> None:
    pairs = [Row(f"{at}-{kind}", topic, "x") for at, topic in enumerate(TOPICS) for kind in ("good", "bad")]
    quality = {row.id: 0.9 if row.id.endswith("good") else 0.1 for row in pairs}
    assert all(id_.endswith("good") for id_ in first(best_first([], pairs, quality), 4))


def test_labels_are_ranked_apart() -> None:
    labelled = [Row(f"{label}-{at}", topic, label) for label in "xy" for at, topic in enumerate(TOPICS)]
    places = best_first([], labelled, {})
    for label in "xy":
        assert sorted(places[row.id] for row in labelled if row.answer == label) == [0, 1, 2, 3]


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 30))
def test_every_row_has_a_place_whatever_the_order(shuffling: random.Random, count: int) -> None:
    given_rows = rows(count)
    quality = {row.id: at / 30 for at, row in enumerate(given_rows)}
    places = best_first(rows(5, seed=2), given_rows, quality)
    assert sorted(places.values()) == list(range(count))
    shuffled = list(given_rows)
    shuffling.shuffle(shuffled)
    assert best_first(rows(5, seed=2), shuffled, quality) == places
