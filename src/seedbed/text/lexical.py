"""The offline embedder: TF-IDF and a truncated SVD (latent semantic analysis, Deerwester et al. 1990).

Called *lexical* wherever its figures stand, because that is what it sees: words that stand together,
and spelling. Two texts that say the same in other words are far apart to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seedbed.text.features import BLOCK, DENSE, Features, Floats, Sparse

NAME, VERSION = "lexical", 4
DIMENSIONS = 100
FIT_ROWS, FIT_CHARACTERS = 2_000, 600_000
"""Rows it is fitted on, the first of those given, and characters of them."""
_FIT_LEAST = 50
_EXTRA = 10
_PASSES = 4
# So many products of a dense matrix take as long as one that is added where it belongs.
_DENSE_AT_ONCE = 300

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lexical:
    """Fitted on some texts; equal texts and seed, equal vectors."""

    features: Features
    components: Floats

    @classmethod
    def fit(cls, texts: Sequence[str], *, dimensions: int = DIMENSIONS, seed: int = 0) -> Lexical:
        """Learn from the first texts. Raises ValueError for none."""
        return cls._learn(texts, dimensions, seed)[0]

    @classmethod
    def fit_and_embed(
        cls, texts: Sequence[str], *, dimensions: int = DIMENSIONS, seed: int = 0
    ) -> tuple[Lexical, Vectors]:
        """`fit`, and the vectors of the same texts: those learnt from need not be looked at once more."""
        embedder, learnt_from = cls._learn(texts, dimensions, seed)
        known = unit(_times(learnt_from, embedder.components))
        return embedder, np.concatenate((known, embedder.embed(texts[len(known) :])))

    @classmethod
    def _learn(cls, texts: Sequence[str], dimensions: int, seed: int) -> tuple[Lexical, Sparse]:
        if not texts:
            raise ValueError("there are no texts to fit the embedder on")
        chosen = first_texts(texts, FIT_ROWS, FIT_CHARACTERS, _FIT_LEAST)
        features = Features.fit(chosen)
        weighed = features.weigh(chosen)
        return cls(features, _components(weighed, dimensions, seed)), weighed

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 of shape (texts, dimensions), each of length 1; 0 where no feature is known.

        Each is a sum of its own, in the order of its features: what is embedded along with a text, or in
        which process, changes no bit of its vector. A matrix product would not promise that.
        """
        vectors = np.empty((len(texts), self.components.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), BLOCK):
            weighed = self.features.weigh(texts[start : start + BLOCK])
            vectors[start : start + BLOCK] = _times(weighed, self.components)
        return unit(vectors)


def first_texts(texts: Sequence[str], rows: int, characters: int, at_least: int) -> Sequence[str]:
    """The first texts, at most so many rows and characters, and at least `at_least` of those there are."""
    total = 0
    for number, text in enumerate(texts[:rows]):
        total += len(text)
        if total > characters and number >= at_least:
            return texts[:number]
    return texts[:rows]


def unit(vectors: Vectors) -> Vectors:
    """Each row divided by its length, where it has one."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    shortened: Vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-6)
    return shortened


def _components(matrix: Sparse, dimensions: int, seed: int) -> Floats:
    """The leading right singular vectors, shape (columns, at most `dimensions`).

    The randomised range finder with power iterations (Halko, Martinsson & Tropp 2011), the matrix
    never whole in memory. The sign of a singular vector means nothing: it is chosen such
    that the largest entry is positive.
    """
    rows, columns = matrix.shape
    rank = min(dimensions + _EXTRA, rows, columns)
    if not rank:
        return np.zeros((columns, 1), dtype=np.float32)
    # The range is found among the rows, of which there are far fewer than columns: with their products, each
    # pass is a small one.
    products = _row_products(matrix)
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(products @ rng.standard_normal((rows, rank), dtype=np.float32))[0]
    for _ in range(_PASSES):
        basis = np.linalg.qr(products @ basis)[0]
    # basis spans the leading left singular vectors; within it the problem is a small one.
    within = _transpose_times(matrix, basis)
    squares, turn = np.linalg.eigh(within.T @ within)
    kept = np.argsort(-squares, kind="stable")[: min(dimensions, rank)]
    kept = kept[squares[kept] > 1e-6]
    if not len(kept):
        return np.zeros((columns, 1), dtype=np.float32)
    found: Floats = within @ (turn[:, kept] / np.sqrt(squares[kept]))
    largest = found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])]
    return found * np.where(largest < 0, -1, 1).astype(np.float32)


def _times(matrix: Sparse, right: Floats) -> Floats:
    """X right, of shape (rows, its columns): a sum for each row, of the few features that it has."""
    product = np.empty((matrix.shape[0], right.shape[1]), dtype=np.float32)
    bounds = np.searchsorted(matrix.row, np.arange(matrix.shape[0] + 1))
    for at, (first, end) in enumerate(pairwise(bounds)):
        known = right[matrix.column[first:end]]
        product[at] = np.einsum("f,fd->d", matrix.weight[first:end], known)
    return product


def _transpose_times(matrix: Sparse, left: Floats) -> Floats:
    """Xᵀ left, of shape (columns, its columns)."""
    return np.concatenate([part.T @ left for part in matrix.parts()])


def _row_products(matrix: Sparse) -> Floats:
    """X Xᵀ, of shape (rows, rows).

    A column of few rows brings few products that are not 0: those are added one by one.
    """
    rows, columns = matrix.shape
    counts = np.bincount(matrix.column, minlength=columns)
    few = _DENSE_AT_ONCE * counts**2 < rows**2
    products = np.zeros((rows, rows), dtype=np.float32)
    for part in matrix.only(~few).parts():
        products += part @ part.T
    _add_row_products(matrix.only(few), products.reshape(-1))
    return products


def _add_row_products(matrix: Sparse, flat: Floats) -> None:
    """Add those of each column to the numbers of a matrix of shape (rows, rows)."""
    rows, columns = matrix.shape
    order = np.argsort(matrix.column, kind="stable")
    row, weight = matrix.row[order].astype(np.intp), matrix.weight[order]
    counts = np.bincount(matrix.column, minlength=columns)
    firsts = np.cumsum(counts) - counts
    for count in np.unique(counts):
        places = firsts[counts == count][:, None] + np.arange(count)
        at_once = max(1, DENSE // max(1, count**2))
        for start in range(0, len(places), at_once):
            some = places[start : start + at_once]
            own, by = row[some], weight[some]
            pairs = own[:, :, None] * rows + own[:, None, :]
            np.add.at(flat, pairs.reshape(-1), (by[:, :, None] * by[:, None, :]).reshape(-1))
