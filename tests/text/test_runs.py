from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seedbed.text.normalise import normalise
from seedbed.text.runs import CHARACTERS_AT_ONCE, Runs, char_runs, distinct, in_parts, shared, word_runs
from seedbed.text.similarity import char_shingles
from seedbed.text.similarity_bound import fewest, most, most_alike, sketches

_words = st.text("abé日😀", min_size=1, max_size=3)
_texts = st.lists(st.lists(_words, min_size=1, max_size=9).map(" ".join), min_size=1, max_size=6)


def runs_of(text: str, width: int) -> list[str]:
    """The words of each run of so many, as they stand in a text."""
    words = text.split(" ")
    return [" ".join(words[at : at + width]) for at in range(max(1, len(words) - width + 1))]


def assert_equal_hashes_are_equal_runs(hashes: list[int], runs: list[str]) -> None:
    known = dict(zip(hashes, runs, strict=True))
    assert runs == [known[number] for number in hashes]
    assert len(known) == len(set(runs))


@given(_texts, st.integers(1, 4))
def test_a_run_of_words_is_told_from_others_in_whatever_text_it_stands(texts: list[str], width: int) -> None:
    found = word_runs(texts, width)
    spoken = [runs_of(text, width) for text in texts]
    assert found.sizes.tolist() == [len(own) for own in spoken]
    assert_equal_hashes_are_equal_runs(found.hashes.tolist(), list(chain.from_iterable(spoken)))
    alone = [word_runs([text], width).hashes.tolist() for text in texts]
    assert [found[at].tolist() for at in range(len(texts))] == alone


@given(_texts, st.integers(1, 3))
@example(["a", "", "b"], 3)
def test_a_run_of_characters_is_told_from_others_too(texts: list[str], width: int) -> None:
    found = char_runs(texts, width)
    spoken = [[f" {text} "[at : at + width] for at in range(len(text) + 3 - width)] for text in texts]
    assert found.sizes.tolist() == [len(own) for own in spoken]
    assert_equal_hashes_are_equal_runs(found.hashes.tolist(), list(chain.from_iterable(spoken)))


def test_no_text_has_no_run() -> None:
    for runs in (char_runs([]), word_runs([], 3), distinct(char_runs([])), char_runs([""])):
        assert len(runs.hashes) == 0
        assert sketches(runs).shape == (len(runs.sizes), 18)


@given(_texts)
def test_sets_are_counted_as_sets_of_strings_are(texts: list[str]) -> None:
    chars, tokens = distinct(char_runs(texts)), distinct(word_runs(texts, 2))
    sets = [char_shingles(text, 3) for text in texts], [frozenset(runs_of(text, 2)) for text in texts]
    pairs = np.array([(a, b) for a in range(len(texts)) for b in range(len(texts))])
    for own, strings in zip((chars, tokens), sets, strict=True):
        assert own.sizes.tolist() == [len(each) for each in strings]
        common = shared(own.of(pairs[:, 0]), own.of(pairs[:, 1]))
        assert common.tolist() == [len(strings[a] & strings[b]) for a, b in pairs.tolist()]


@given(_texts)
def test_a_sketch_bounds_the_size_and_the_similarity(texts: list[str]) -> None:
    runs = char_runs(texts)
    drawn, sets = sketches(runs), [char_shingles(text, 3) for text in texts]
    sizes = np.array([len(each) for each in sets])
    assert (fewest(drawn) <= sizes).all()
    assert (sizes <= most(drawn)).all()
    exact = drawn.copy()
    exact[:, 0] = distinct(runs).sizes
    pairs = np.array([(a, b) for a in range(len(texts)) for b in range(len(texts))])
    alike = [len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in pairs.tolist()]
    for known in (drawn, exact):
        assert (most_alike(known[pairs[:, 0]], known[pairs[:, 1]]) >= np.array(alike) - 1e-12).all()


def test_some_of_the_texts_may_come_again_and_in_another_order() -> None:
    runs = word_runs(["a b", "c", "d e f"], 1)
    some = runs.of(np.array([2, 0, 2]))
    assert some.in_order().tolist() == [*runs[2].tolist(), *runs[0].tolist(), *runs[2].tolist()]
    assert some[1].tolist() == runs[0].tolist()
    assert isinstance(some, Runs)


@pytest.mark.parametrize("lengths", [[], [5], [CHARACTERS_AT_ONCE * 2, 3], [30_000] * 5])
def test_parts_are_small_or_one_text(lengths: list[int]) -> None:
    texts = ["x" * length for length in lengths]
    parts = list(in_parts(texts))
    assert [text for part in parts for text in part] == texts
    assert all(len(part) == 1 or sum(len(text) + 2 for text in part) <= CHARACTERS_AT_ONCE for part in parts)
    filled = [sum(map(len, part)) for part in parts]
    assert all(one + two + 2 * 64 > CHARACTERS_AT_ONCE for one, two in pairwise(filled))


def test_a_long_text_has_the_runs_that_its_parts_have() -> None:
    """Beyond the powers that are kept."""
    words = [str(number) for number in range(40_000)]
    whole = word_runs([" ".join(words)], 5).hashes
    assert len(" ".join(words)) > CHARACTERS_AT_ONCE
    assert whole[:100].tolist() == word_runs([" ".join(words[:104])], 5).hashes.tolist()
    assert whole[-100:].tolist() == word_runs([" ".join(words[-104:])], 5).hashes.tolist()
    assert normalise(" ".join(words)) == " ".join(words)
