"""The best generated rows first: those that together cover what there is, the well-judged before others.

Facility location weighted by quality: a chosen row j covers a row i as well as q_j · cos(i, j), and a set is
worth the sum, over all rows, of how well its best row covers each. The greedy choice is within 1 - 1/e of the
best set (Nemhauser, Wolsey & Fisher 1978). Quality and novelty are weighed against one another by the one
formula: a second row like the first adds nothing, however good it is, which is also what DEITA's rule does
(Liu et al. 2024, arXiv 2312.15685).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seedbed.core.hashing import seed_from
from seedbed.student.rows import Row
from seedbed.text.lexical import Lexical

ALIKE = 0.9
"""From this cosine on rows are taken for one another, as DEITA takes them: one covers the other whole."""
MOST_COVERED = 2_000
"""Rows of a label that are to be covered; of more, a sample. Bounds the work to candidates × this."""
MOST_RANKED = 10_000
"""Generated rows of a label that are ranked so; beyond these, the better judged first, the others follow."""
LEAST_QUALITY = 0.2
"""What the worst-judged row still covers with: a row that filters kept is worth something."""

Floats = NDArray[np.float32]


def best_first(
    real: Sequence[Row], synthetic: Sequence[Row], quality: Mapping[str, float], seed: int = 0
) -> dict[str, int]:
    """The place of every generated row among those of its label, 0 first. Equal rows and seed, equal places.

    `quality` is 0..1 by row; rows that nobody scored have the middle of it. To be covered are the real rows
    of the label and the generated ones.
    """
    if not synthetic:
        return {}
    texts = [row.text for row in (*real, *synthetic)]
    embedder = Lexical.fit(texts, seed=seed)
    by_label: defaultdict[str, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for row in real:
        by_label[row.answer][0].append(row)
    for row in synthetic:
        by_label[row.answer][1].append(row)
    # Answers that are all different are no labels: all rows are of one kind then.
    groups = list(by_label.values())
    if len(by_label) > len(synthetic) / 2:
        groups = [(list(real), list(synthetic))]
    places: dict[str, int] = {}
    for of_real, of_synthetic in groups:
        ordered = sorted(
            of_synthetic, key=lambda row: (-_weight(quality.get(row.id)), seed_from(seed, row.id), row.id)
        )
        ordered, rest = ordered[:MOST_RANKED], ordered[MOST_RANKED:]
        covered = sorted([*of_real, *ordered], key=lambda row: (seed_from(seed + 1, row.id), row.id))
        covered = covered[:MOST_COVERED]
        alike = embedder.embed([row.text for row in ordered]) @ embedder.embed([r.text for r in covered]).T
        # A row of whose words the embedder knows none is still like itself.
        column = {row.id: at for at, row in enumerate(covered)}
        for at, row in enumerate(ordered):
            if row.id in column:
                alike[at, column[row.id]] = 1
        weights = np.array([_weight(quality.get(row.id)) for row in ordered], dtype=np.float32)
        order = _greedy(np.where(alike >= ALIKE, 1, np.maximum(alike, 0)) * weights[:, np.newaxis], weights)
        ranked = [*(ordered[index] for index in order), *rest]
        places.update({row.id: place for place, row in enumerate(ranked)})
    return places


def _weight(quality: float | None) -> float:
    return LEAST_QUALITY + (1 - LEAST_QUALITY) * (0.5 if quality is None else min(1.0, max(0.0, quality)))


def _greedy(how_well: Floats, weights: Floats) -> list[int]:
    """Candidates in the order in which the greedy choice takes them; row i of `how_well` says how well
    candidate i covers each of what is to be covered.

    Lazily (Minoux 1978): what a candidate adds only falls as others are taken, so that an old figure is a
    bound, and few have to be looked at anew. Candidates that add nothing any more follow by weight.
    """
    candidates, covered = how_well.shape
    best = np.zeros(covered, dtype=np.float32)
    gains = how_well.sum(axis=1, dtype=np.float64)
    fresh = np.zeros(candidates, dtype=np.int64)
    order: list[int] = []
    while len(order) < candidates:
        at = int(np.argmax(gains))
        if gains[at] <= 1e-9:
            break
        if fresh[at] != len(order):
            gains[at] = float(np.maximum(how_well[at] - best, 0).sum(dtype=np.float64))
            fresh[at] = len(order)
            continue
        order.append(at)
        best = np.maximum(best, how_well[at])
        gains[at] = -1.0
    left = set(range(candidates)) - set(order)
    return [*order, *sorted(left, key=lambda index: (-weights[index], index))]
