"""Each measure by itself, on texts whose figure can be counted by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest

from seedbed.metrics import METRICS
from seedbed.metrics.neighbours import nearest_distances
from seedbed.metrics.protocol import Metric, Side
from seedbed.text.clusters import assign, cluster_count, fix_clusters


def value(name: str, *texts: str, size: int | None = None) -> float:
    metric: Metric = METRICS.get(name)()
    prepared, rows = metric.prepare(Side(texts)), np.arange(len(texts))
    return metric.value(prepared, rows, metric.size(prepared, rows) if size is None else size)


def test_distinct_runs_are_counted_within_texts() -> None:
    assert value("distinct_1", "A b, a", "b c") == 3 / 5
    assert value("distinct_2", "A b, a b", "b c") == 3 / 4
    assert value("distinct_3", "a b", "c") == 1.0


def test_no_more_is_counted_than_the_size() -> None:
    assert value("distinct_1", "a a", "b c", size=2) == 1 / 2
    raw = "".join(random.Random(1).choices("abcdefgh", k=4000))
    assert value("compression_gzip", raw, raw, size=4001) < value("compression_gzip", raw, raw) / 1.8


def test_xz_sees_the_far_copy_that_gzip_misses() -> None:
    rng = random.Random(0)
    texts = ["".join(rng.choices("abcdefghijklmnop", k=1000)) for _ in range(40)]
    once, twice = [value(name, *texts) for name in ("compression_gzip", "compression_xz")], []
    twice = [value(name, *texts, *texts) for name in ("compression_gzip", "compression_xz")]
    assert twice[0] == pytest.approx(once[0], rel=0.02)
    assert twice[1] > 1.9 * once[1]


def test_texts_are_compared_in_their_normal_form() -> None:
    assert value("distinct_texts", "Hello, you!", "hello you", "bye") == 2 / 3


def test_an_opening_is_the_first_four_words() -> None:
    assert value("common_opening", "I want to go home", "i want, to go!", "I want to stay") == 2 / 3
    assert value("common_opening", "yes", "yes", "yes indeed") == 2 / 3


@pytest.mark.parametrize("rows", [2, 3, 255, 256, 257, 600])
def test_nearest_distances_in_blocks_are_those_of_the_whole(rows: int) -> None:
    vectors = np.random.default_rng(rows).standard_normal((rows, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -1)
    assert nearest_distances(vectors) == pytest.approx(1 - similar.max(axis=1), abs=1e-5)


def test_topics_find_groups_that_are_there() -> None:
    rng = np.random.default_rng(0)
    middles = np.eye(6, dtype=np.float32)
    group = np.repeat(np.arange(6), 30)
    vectors = middles[group] + rng.normal(0, 0.05, (180, 6)).astype(np.float32)
    topics = assign(vectors, fix_clusters(vectors, 6, seed=1))
    assert len({(g, t) for g, t in zip(group.tolist(), topics.tolist(), strict=True)}) == 6


def test_topics_of_texts_that_are_all_one() -> None:
    vectors = np.ones((50, 3), dtype=np.float32)
    assert set(assign(vectors, fix_clusters(vectors, cluster_count(50))).tolist()) == {0}


def test_topic_figures() -> None:
    side = Side(["a"] * 4, topics=np.array([0, 0, 1, 1]), topic_count=4)
    rows = np.arange(4)
    for name, expected in (("topic_coverage", 0.5), ("topic_entropy", 0.5)):
        metric: Metric = METRICS.get(name)()
        assert metric.value(metric.prepare(side), rows, 4) == pytest.approx(expected)
