"""A marker is suggested where it shows that seeds repeat eval items, and only there."""

from __future__ import annotations

from seedbed.sources.ignore_after import Suggestion, suggest_marker

EVAL = [f"Which is the larger of {n} and {n + 1}?\nOptions:\n(a) {n}\n(b) {n + 1}" for n in range(20)]


def same_question(row: int) -> str:
    return EVAL[row].partition("(a)")[0] + "(a) the first one (b) the second one"


def test_a_marker_that_shows_more_is_suggested() -> None:
    seeds = [EVAL[0], *(same_question(row) for row in range(1, 5)), "What is new here?\nOptions:\n(a) x"]
    assert suggest_marker(seeds, EVAL, None) == Suggestion("Options:", leaks=5, leaks_now=1)


def test_none_where_it_shows_nothing_more() -> None:
    assert suggest_marker(EVAL[:4], EVAL, None) is None
    assert suggest_marker([same_question(1)], EVAL, "Options:") is None
    assert suggest_marker(["What is new here?\nOptions:\n(a) x"], EVAL, None) is None


def test_a_rare_line_is_no_candidate() -> None:
    seeds = [same_question(1), "Some other text", "And some more of it"]
    assert suggest_marker(seeds, EVAL, None) is None


def test_a_heading_before_the_text_is_no_candidate() -> None:
    headed = [f"Read this first.\nQuestion:\n{text}" for text in EVAL]
    seeds = [f"Read this first.\nQuestion:\nSomething quite different, number {n}" for n in range(4)]
    assert suggest_marker(seeds, headed, None) is None


def test_without_seeds_there_is_none() -> None:
    assert suggest_marker([], EVAL, None) is None
