from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.similarity import char_shingles, jaccard, longest_shared_run

small_sets = st.frozensets(st.integers(0, 12))
small_texts = st.text("abc ", max_size=30)


def test_char_shingles_mark_both_ends() -> None:
    assert char_shingles("abc", 3) == {" ab", "abc", "bc "}


def test_a_text_shorter_than_a_shingle_is_its_own_shingle() -> None:
    assert char_shingles("a", 5) == {" a "}


def test_nothing_has_no_shingles() -> None:
    assert char_shingles("", 3) == frozenset()


@given(small_sets, small_sets)
def test_jaccard_is_the_share_of_the_union(a: frozenset[int], b: frozenset[int]) -> None:
    score = jaccard(a, b)
    assert score == jaccard(b, a)
    assert score * len(a | b) == len(a & b) or abs(score * len(a | b) - len(a & b)) < 1e-9
    assert (score == 1.0) == (a == b and bool(a))


@given(small_texts, small_texts)
def test_longest_shared_run_is_the_longest_common_substring(a: str, b: str) -> None:
    runs = (
        len(a[start:end]) for start in range(len(a)) for end in range(start, len(a) + 1) if a[start:end] in b
    )
    assert longest_shared_run(a, b) == max(runs, default=0)
