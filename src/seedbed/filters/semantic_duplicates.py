"""`semantic_duplicates`: two records that say nearly the same, whatever the order of the words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from seedbed.core.protocols import FilterContext, Task, Vectors
from seedbed.core.record import Record
from seedbed.filters.subject import Fields, FilterOptions, calibration_texts, chosen_text, no_text_fields
from seedbed.text.hyperplanes import Hyperplanes
from seedbed.text.lexical import Lexical, unit
from seedbed.text.local_models import LocalModel
from seedbed.text.normalise import normalise
from seedbed.text.remembered import remembered
from seedbed.text.single_linkage import joining_similarities

LOWEST, HIGHEST, STEP = 0.9, 0.99, 0.005
MISSED_REAL = 0.01
ENOUGH_REAL = 50
_REMEMBERED = 8192

Floats = NDArray[np.float32]


def _embedder(value: Any, info: ValidationInfo) -> Any:
    """So that the options alone decide the verdicts, and another model in a folder is a change of them."""
    if isinstance(value, Mapping):  # as a lock has it
        value = value.get("written")
    if not isinstance(value, str) or value in ("lexical", "role"):
        return value
    return LocalModel.at(value, Path((info.context or {}).get("folder", "")))


EmbedderOption = Annotated[
    Literal["lexical", "role"] | LocalModel,
    BeforeValidator(_embedder),
    WithJsonSchema({"type": "string", "minLength": 1}),
]


class SemanticDuplicates:
    """Signs of random projections for candidates, the exact cosine of their vectors for the verdict.

    The lexical embedder sees words and spelling: it finds a record whose clauses stand in another order or
    whose words are inflected otherwise. Only a neural one tells a paraphrase.

    How alike the vectors of different real texts are depends on embedder and task, so the threshold is the
    lowest in 0.9 … 0.99 at which at most 1 % of the real train texts given would fall against one another;
    0.9 without 50 of them. A text that the embedder knows nothing of is like no other.
    """

    name: ClassVar = "semantic_duplicates"
    version: ClassVar = 2
    kind: ClassVar = "corpus"
    reason: ClassVar = "semantic_duplicate"

    class Options(FilterOptions):
        embedder: EmbedderOption = Field(
            "lexical",
            description="what gives texts their vectors: `lexical`, learnt from the real rows; `role`, the "
            "recipe's roles.embedder; or the folder of a sentence-transformers or model2vec model, relative "
            "to the recipe's",
        )
        threshold: float | None = Field(
            None, ge=0.5, le=1.0, description="cosine similarity from which texts are duplicates"
        )
        on: Fields | None = Field(None, description="fields that are compared (default: the whole record)")

    def __init__(
        self,
        task: Task,
        embedding: Vectors,
        threshold: float,
        planes: Hyperplanes,
        on: Sequence[str] | None = None,
    ) -> None:
        self._made_of = (task, embedding, threshold, planes, on)
        self._task = task
        self.embedding = embedding
        self.threshold = threshold
        self._planes = planes
        self._on = on
        # A group of kin compares each member with many.
        self._vector: Callable[[str], Floats] = remembered(texts=_REMEMBERED)(
            lambda text: self._vectors([text])[0]
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._made_of  # without what it remembers

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> SemanticDuplicates:
        """With `context.vectors` for the role; where there are none (a rehearsal asks nobody), lexical."""

        def chosen(row: Record) -> str:
            return chosen_text(context.task, row.fields, options.on)

        # Equal texts are the business of `duplicates`.
        known = calibration_texts(context, chosen if options.on else None)
        distinct = {normalise(text): text for text in known}
        texts = [text for form, text in distinct.items() if form]
        embedding: Vectors
        if isinstance(options.embedder, LocalModel):
            embedding = options.embedder
        elif options.embedder == "role" and context.vectors is not None:
            embedding = context.vectors
        else:
            embedding = Lexical.fit(texts or [""])
        real = unit(embedding.embed(texts)) if texts else np.empty((0, 1), np.float32)
        threshold = options.threshold or _calibrated(real)
        return cls(context.task, embedding, threshold, Hyperplanes.through(real, threshold), options.on)

    @staticmethod
    def problems(options: Options, task: Task) -> list[tuple[tuple[str, ...], str]]:
        lacks = options.embedder.lacks if isinstance(options.embedder, LocalModel) else ""
        return [
            *((("on",), message) for _, message in no_text_fields(options.on or (), task)),
            *([(("embedder",), lacks)] if lacks else []),
        ]

    @staticmethod
    def problems_with_rows(options: Options, task: Task, real: Sequence[Record]) -> list[str]:
        if options.embedder != "lexical" or len(real) >= ENOUGH_REAL:
            return []
        message = (
            f"learns its embedder from the real rows and wants {ENOUGH_REAL} of them, there are {len(real)}; "
            "add some, or write embedder: role, or the folder of a model"
        )
        return [message]

    @staticmethod
    def asks_embedder(options: Options) -> bool:
        """Whether its texts are embedded by the recipe's role `embedder` before it looks at them."""
        return options.embedder == "role"

    def text(self, record: Record) -> str:
        return chosen_text(self._task, record.fields, self._on)

    def keys(self, texts: Sequence[str]) -> list[list[int]]:
        return self._planes.keys(self._vectors(texts)) if texts else []

    def edge(self, a: str, b: str) -> float | None:
        """Their cosine if it reaches the threshold."""
        score = min(1.0, round(float(self._vector(a) @ self._vector(b)), 6))
        return score if score >= self.threshold else None

    def _vectors(self, texts: Sequence[str]) -> Floats:
        return unit(self.embedding.embed(texts))


def _calibrated(vectors: Floats) -> float:
    """The lowest threshold, in steps of 0.005, at which at most 1 % of these would fall to one another."""
    if len(vectors) < ENOUGH_REAL:
        return LOWEST
    first_to_stay = joining_similarities(vectors)[int(MISSED_REAL * len(vectors))]
    steps = int(float(first_to_stay) / STEP) + 1
    return min(HIGHEST, max(LOWEST, round(steps * STEP, 3)))
