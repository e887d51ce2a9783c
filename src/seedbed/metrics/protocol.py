"""What a measure is, and what it measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from seedbed.metrics.words import words

Vectors = NDArray[np.float32]
Numbers = NDArray[np.intp]

Needs = Literal["texts", "vectors", "topics"]
Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class Side:
    """The texts of one side of a comparison, generated or real, in a fixed order.

    `vectors`: shape (texts, dimensions), each of length 1, or 0 for a text that the embedder knows
    nothing of. `topics`: for each text the number of its topic, of `topic_count`; None where there
    are no real rows to fix topics on.
    """

    texts: Sequence[str]
    vectors: Vectors | None = None
    topics: Numbers | None = None
    topic_count: int = 0

    @cached_property
    def words(self) -> list[list[str]]:
        return [words(text) for text in self.texts]


class Metric(Protocol):
    """A figure of how varied some texts are.

    Two sets are comparable at equal size only, and each measure knows what its size is: bytes,
    n-grams, or simply rows. `value` looks at no more than `size` of it.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    label: ClassVar[str]
    better: ClassVar[Better]
    """Whether a lower or a higher value is the more varied set."""
    margin: ClassVar[float]
    """A difference that is too small to matter: a share of the real value, or if not `relative` as it is."""
    relative: ClassVar[bool]
    ceiling: ClassVar[float | None]
    """The highest value there can be; the lowest is 0."""
    needs: ClassVar[Needs]

    def prepare(self, side: Side) -> Any:
        """What `size` and `value` work on; made once a side."""
        ...

    def size(self, prepared: Any, rows: Numbers) -> int: ...

    def value(self, prepared: Any, rows: Numbers, size: int) -> float: ...


class Embedder(Protocol):
    """Turns texts into vectors, float32 of shape (texts, dimensions). Figures name it by `name`."""

    @property
    def name(self) -> str: ...

    async def embed(self, texts: Sequence[str]) -> Vectors: ...
