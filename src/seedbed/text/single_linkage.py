"""How many of some vectors would fall to one another, at each similarity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def joining_similarities(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The cosines at which unit vectors join into one component, in descending order: one less than vectors.

    Where kin of at least a similarity are joined and one of each component stays, as many fall as there are
    numbers here of at least that similarity: they are the edges of the maximum spanning tree (Prim 1957),
    which is single linkage (Gower & Ross 1969). Memory is linear in the vectors.
    """
    if len(vectors) < 2:
        return np.empty(0, np.float32)
    nearest = vectors @ vectors[0]
    nearest[0] = -np.inf
    joined = np.zeros(len(vectors), bool)
    joined[0] = True
    found = np.empty(len(vectors) - 1, np.float32)
    for at in range(len(found)):
        new = int(nearest.argmax())
        found[at] = nearest[new]
        joined[new] = True
        nearest = np.maximum(nearest, vectors @ vectors[new])
        nearest[joined] = -np.inf
    return np.sort(found)[::-1]
