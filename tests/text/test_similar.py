from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

from seedbed.text.similar import CUTOFF, SimilarTexts

words = st.lists(
    st.sampled_from(["card", "cards", "lost", "is", "my", "a", "aa", "aaa", "top", "up"]), max_size=9
)
sentences = words.map(" ".join)


@given(st.lists(sentences.filter(bool), max_size=12), sentences)
def test_the_index_finds_exactly_what_a_scan_of_all_pairs_finds(texts: list[str], query: str) -> None:
    found = dict(SimilarTexts(dict(enumerate(texts))).matches(query))
    scanned = {
        row: ratio
        for row, text in enumerate(texts)
        if query and (ratio := Indel.normalized_similarity(query, text)) >= CUTOFF
    }
    assert found == scanned


@given(st.text("ab ", min_size=1, max_size=60), st.data())
def test_edits_that_keep_the_similarity_are_found_whatever_their_place(
    text: str, data: st.DataObject
) -> None:
    edited = list(text)
    for _ in range(len(text) // 10):
        at = data.draw(st.integers(0, len(edited) - 1))
        if data.draw(st.booleans()):
            edited.insert(at, data.draw(st.sampled_from("abc")))
        else:
            del edited[at]
    query = "".join(edited)
    found = dict(SimilarTexts({7: text}).matches(query))
    assert (7 in found) == (Indel.normalized_similarity(text, query) >= CUTOFF)


@pytest.mark.parametrize("extra", [0, 1, 2, 3])
def test_the_longest_match_there_can_be_is_found(extra: int) -> None:
    text = "abcdefghi"
    found = list(SimilarTexts({0: text}).matches(text + "x" * extra))
    assert bool(found) == (extra <= 2)


def test_a_query_far_longer_than_any_text_has_no_match() -> None:
    assert list(SimilarTexts({0: "my card"}).matches("my card " * 100_000)) == []


@pytest.mark.parametrize("query", ["", "zzz"])
def test_no_common_trigram_no_match(query: str) -> None:
    assert list(SimilarTexts({0: "my card"}).matches(query)) == []
