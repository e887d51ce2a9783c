from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.minhash import (
    MAX_BANDS,
    PERMUTATIONS,
    Bands,
    band_keys,
    bands_for,
    candidate_pairs,
    char_codes,
    distinct_of,
    shingle_hashes,
    signature,
    token_codes,
    word_codes_of,
)
from seedbed.text.similarity import jaccard

GOLDEN = (
    "from seedbed.text.minhash import *\n"
    "codes = token_codes('where is my new card it has not come'.split())\n"
    "minima = signature(shingle_hashes(codes, 3))\n"
    "print(minima[:3].tolist(), band_keys([minima], Bands(20, 5), 7)[0][:2])\n"
)


def test_keys_are_pinned_in_any_process() -> None:
    """Keys lie in run folders: another value here means that old and new rounds no longer meet."""
    out = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", GOLDEN],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "4711"},
    )
    assert (
        out.stdout.strip() == "[1083196647, 637260288, 397247937] [2707959967038677552, 9009290955008884461]"
    )


def test_characters_are_pinned_too() -> None:
    assert shingle_hashes(char_codes("añ\ud800"), 3).tolist() == [3012763575453505255]


def _set_pair(rng: random.Random, size: int, similarity: float) -> tuple[set[str], set[str]]:
    """Two sets of `size` words each whose Jaccard similarity is the nearest possible to `similarity`."""
    shared = round(2 * size * similarity / (1 + similarity))
    words = [f"w{rng.getrandbits(60)}" for _ in range(2 * size - shared)]
    return set(words[:size]), set(words[size - shared :])


@pytest.mark.parametrize("similarity", [0.3, 0.6, 0.9])
def test_signatures_estimate_the_jaccard_similarity(similarity: float) -> None:
    rng = random.Random(similarity)
    errors = []
    for _ in range(60):
        a, b = _set_pair(rng, 80, similarity)
        one, two = (signature(shingle_hashes(token_codes(sorted(words)), 1)) for words in (a, b))
        errors.append(float(np.mean(one == two)) - jaccard(a, b))
    assert abs(float(np.mean(errors))) < 0.02
    expected = (similarity * (1 - similarity) / PERMUTATIONS) ** 0.5
    assert float(np.std(errors)) < 1.4 * expected


@given(st.lists(st.text(max_size=4), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_a_signature_depends_on_the_set_alone(words: list[str], rng: random.Random) -> None:
    shuffled = [*words, *words]
    rng.shuffle(shuffled)
    one, two = (shingle_hashes(token_codes(each), 1) for each in (words, shuffled))
    assert signature(one).tolist() == signature(two).tolist()


def test_a_long_text_is_folded_in_blocks_to_the_same_minima() -> None:
    hashes = shingle_hashes(token_codes([str(n) for n in range(10_000)]), 5)
    parts = np.minimum(signature(hashes[:3000]), signature(hashes[3000:]))
    assert signature(hashes).tolist() == parts.tolist()


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_fit_the_signature_and_find_pairs_at_the_threshold(threshold: float) -> None:
    bands = bands_for(threshold)
    assert bands.count <= MAX_BANDS
    assert bands.count * bands.rows <= PERMUTATIONS
    assert bands.recall(threshold) >= 0.97
    assert Bands(min(MAX_BANDS, PERMUTATIONS // (bands.rows + 1)), bands.rows + 1).recall(
        threshold
    ) < 0.97 or (bands.rows == PERMUTATIONS)


def test_a_threshold_that_no_bands_can_serve_is_refused() -> None:
    with pytest.raises(ValueError, match=r"similarity 0\.05"):
        bands_for(0.05)


def test_keys_are_63_bit_and_unlike_for_unlike_salts_and_bands() -> None:
    minima = signature(token_codes(["a", "b"]))
    keys = band_keys([minima], Bands(20, 5), 1)[0]
    others = band_keys([minima], Bands(20, 5), 2)[0]
    assert len(keys) == 20
    assert all(0 <= key < 2**63 for key in keys)
    assert len({*keys, *others}) == 40


def test_candidate_pairs_come_once_each() -> None:
    assert sorted(candidate_pairs([[1, 2], [2, 1, 1], [3], [3, 2]])) == [(0, 1), (0, 3), (1, 3), (2, 3)]


@given(
    st.lists(st.lists(st.text("ab\u00e9\u65e5", min_size=1, max_size=3), min_size=1, max_size=8), max_size=6)
)
def test_equal_words_have_equal_codes_in_whatever_text_they_stand(texts: list[list[str]]) -> None:
    codes = word_codes_of([" ".join(words) for words in texts])
    assert [len(own) for own in codes] == [len(words) for words in texts]
    known = {
        code: word
        for words, own in zip(texts, codes, strict=True)
        for word, code in zip(words, own.tolist(), strict=True)
    }
    assert all(
        known[code] == word
        for words, own in zip(texts, codes, strict=True)
        for word, code in zip(words, own.tolist(), strict=True)
    )


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=8), max_size=6))
def test_distinct_hashes_are_those_of_each_set(sets: list[list[int]]) -> None:
    found = distinct_of([np.array(own, np.uint64) for own in sets])
    assert [own.tolist() for own in found] == [sorted({(h >> 32) << 32 for h in own}) for own in sets]
