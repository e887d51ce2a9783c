from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Collection

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.minhash import (
    MAX_BANDS,
    PERMUTATIONS,
    Bands,
    Minima,
    band_keys,
    bands_for,
    candidate_pairs,
    signatures,
)
from seedbed.text.runs import Runs, word_runs
from seedbed.text.similarity import jaccard

GOLDEN = (
    "from seedbed.text.minhash import *\n"
    "from seedbed.text.runs import *\n"
    "text = 'where is my new card it has not come'\n"
    "minima = signatures(word_runs([text], 3))\n"
    "print(minima[0, :3].tolist(), band_keys(minima, Bands(20, 5), 7)[0, :2].tolist())\n"
    "minima = signatures(char_runs([text.replace('card', 'carté')]))\n"
    "print(minima[0, :3].tolist(), band_keys(minima, Bands(20, 5), 3)[0, :2].tolist())\n"
)


def signature(words: Collection[str]) -> Minima:
    found: Minima = signatures(word_runs([" ".join(words)], 1))[0]
    return found


def test_keys_are_pinned_in_any_process() -> None:
    """Keys lie in run folders: another value here means that old and new rounds no longer meet."""
    out = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", GOLDEN],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "4711"},
    )
    assert out.stdout.splitlines() == [
        "[504957836, 164314113, 619996779] [4550542957529656282, 3969320584217659365]",
        "[56788133, 48210403, 55563672] [6798943284298800516, 4813605573481909656]",
    ]


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
        one, two = (signature(sorted(words)) for words in (a, b))
        errors.append(float(np.mean(one == two)) - jaccard(a, b))
    assert abs(float(np.mean(errors))) < 0.02
    expected = (similarity * (1 - similarity) / PERMUTATIONS) ** 0.5
    assert float(np.std(errors)) < 1.4 * expected


@pytest.mark.parametrize("similarity", [0.7, 0.8])
def test_pairs_meet_in_a_band_as_often_as_told(similarity: float) -> None:
    """Minima of one text by permutations that are too much alike would meet all together or not at all."""
    rng, bands = random.Random(1), bands_for(similarity)
    met = []
    for _ in range(400):
        both = [signature(sorted(words)) for words in _set_pair(rng, 100, similarity)]
        one, two = band_keys(np.array(both), bands, 1).tolist()
        met.append(not set(one).isdisjoint(two))
    assert abs(float(np.mean(met)) - bands.recall(similarity)) < 0.025


@given(
    st.lists(st.text("abcd", min_size=1, max_size=4), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_a_signature_depends_on_the_set_alone(words: list[str], rng: random.Random) -> None:
    shuffled = [*words, *words]
    rng.shuffle(shuffled)
    assert signature(words).tolist() == signature(shuffled).tolist()


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=12))
def test_a_signature_is_the_same_in_whatever_company(sizes: list[int]) -> None:
    texts = [" ".join(f"{at}-{word}" for word in range(size)) for at, size in enumerate(sizes)]
    together = signatures(word_runs(texts, 2), 50)
    assert [signatures(word_runs([text], 2), 50)[0].tolist() for text in texts] == together.tolist()


def test_a_long_text_is_folded_in_parts_to_the_same_minima() -> None:
    hashes = word_runs([" ".join(map(str, range(10_000)))], 5).hashes
    cuts = np.array([0, 3000]), np.array([3000, len(hashes) - 3000])
    parts = signatures(Runs(hashes, *cuts))
    whole = signatures(Runs(hashes, np.array([0]), np.array([len(hashes)])))
    assert whole[0].tolist() == parts.min(axis=0).tolist()


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_fit_the_signature_and_find_pairs_at_the_threshold(threshold: float) -> None:
    bands = bands_for(threshold)
    assert bands.count <= MAX_BANDS
    assert bands.minima <= PERMUTATIONS
    assert bands.recall(threshold) >= 0.97
    more = Bands(min(MAX_BANDS, PERMUTATIONS // (bands.rows + 1)), bands.rows + 1)
    assert bands.rows == PERMUTATIONS or more.recall(threshold) < 0.97
    assert bands.count == 1 or Bands(bands.count - 1, bands.rows).recall(threshold) < 0.97


def test_a_threshold_that_no_bands_can_serve_is_refused() -> None:
    with pytest.raises(ValueError, match=r"similarity 0\.05"):
        bands_for(0.05)


def test_keys_are_63_bit_and_unlike_for_unlike_salts_and_bands() -> None:
    minima = signatures(word_runs(["a b"], 1))
    keys = band_keys(minima, Bands(20, 5), 1)[0].tolist()
    others = band_keys(minima, Bands(20, 5), 2)[0].tolist()
    assert len(keys) == 20
    assert all(0 <= key < 2**63 for key in keys)
    assert len({*keys, *others}) == 40


def test_candidate_pairs_come_once_each() -> None:
    assert sorted(candidate_pairs([[1, 2], [2, 1, 1], [3], [3, 2]])) == [(0, 1), (0, 3), (1, 3), (2, 3)]
