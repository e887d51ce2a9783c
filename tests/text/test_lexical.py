"""The offline embedder: a text's vector depends on nothing beside it, and what shares words is near."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.text.lexical import Lexical

TEXTS = [
    f"{verb} my {thing} {when}"
    for verb in ("I lost", "please block", "where is", "can I change", "I found")
    for thing in ("bank card", "password", "parcel", "monthly statement")
    for when in ("today", "since last week", "again", "by post")
]
EMBEDDER = Lexical.fit(TEXTS)


@settings(max_examples=60)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=300))
def test_a_text_has_its_vector_whatever_stands_beside_it(texts: list[str]) -> None:
    together = EMBEDDER.embed(texts)
    assert together.shape == (len(texts), EMBEDDER.components.shape[1])
    alone = np.concatenate([EMBEDDER.embed([text]) for text in texts[:3]])
    assert np.array_equal(together[:3], alone)
    lengths = np.linalg.norm(together, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-4) | (lengths == 0))


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "数据 数据", "ق", "a" * 100_000, " \n"])
def test_odd_texts_have_a_vector(text: str) -> None:
    assert np.isfinite(EMBEDDER.embed([text, "my card"])).all()


def test_a_text_of_unknown_words_is_nowhere() -> None:
    assert not EMBEDDER.embed(["zzz qqq"]).any()


def test_texts_that_share_words_are_near() -> None:
    card, other_card, parcel = EMBEDDER.embed(["my bank card, lost!", "bank cards", "the parcel by post"])
    assert card @ other_card > card @ parcel


def test_fitting_again_gives_the_same_vectors() -> None:
    again = Lexical.fit(TEXTS)
    assert np.array_equal(again.embed(TEXTS), EMBEDDER.embed(TEXTS))
    largest = EMBEDDER.components[
        np.abs(EMBEDDER.components).argmax(axis=0), np.arange(again.components.shape[1])
    ]
    assert (largest > 0).all()


def test_the_leading_directions_are_those_of_the_exact_decomposition() -> None:
    """Distances within the fitted texts are those that a full SVD of the weighted matrix gives."""
    matrix = EMBEDDER.features.weigh(TEXTS)
    dense = np.concatenate(list(matrix.parts()), axis=1)
    few = Lexical.fit(TEXTS, dimensions=8)
    exact = dense @ np.linalg.svd(dense, full_matrices=False)[2][:8].T
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    ours = few.embed(TEXTS)
    assert ours @ ours.T == pytest.approx(exact @ exact.T, abs=0.02)


@pytest.mark.parametrize("texts", [["same words here"] * 60, [""] * 60, [f"{n}" for n in range(60)]])
def test_rows_with_nothing_to_tell_apart_can_be_fitted(texts: list[str]) -> None:
    assert np.isfinite(Lexical.fit(texts).embed([*texts, "other"])).all()


def test_nothing_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="no texts"):
        Lexical.fit([])
