"""`toxicity`: words of abuse are flagged, and a linear model may reject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.places import first_found
from seedbed.filters.subject import FilterOptions, filter_id, flag, reject, text_fields
from seedbed.text.toxic_words import TOXIC_WORDS, find_toxic_words

_REJECT_FROM = 0.99
_WORDS, _STEP = 5, 2


class Toxicity:
    """Flags a record with a listed word as `toxic_words`; with a model, rejects what that calls abusive.

    A word does not say whom it is said to, so that the list alone drops nothing. The model is that of
    alt-profanity-check, a linear one over words, which an insult in a long text does not move: it is asked
    about five words at a time, and the score is its probability for the worst. The five and the default of
    `reject_from` were chosen on human items of `anthropic_evals` that the benchmark does not look at.
    """

    name: ClassVar = "toxicity"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        allow: tuple[str, ...] = Field((), description="words of the list that may stand there")
        model: Literal["linear"] | None = Field(
            None,
            description="`linear`: a linear model rejects (default: the list flags, and nothing rejects)",
        )
        reject_from: float | None = Field(
            None, gt=0, le=1, description="probability from which the model rejects (default: 0.99)"
        )

        @field_validator("allow")
        @classmethod
        def _listed(cls, value: tuple[str, ...]) -> tuple[str, ...]:
            folded = tuple(word.casefold() for word in value)
            for word in folded:
                if word not in TOXIC_WORDS:
                    raise ValueError(f"{word!r} is not in the list, so that it may stand there anyway")
            return folded

        @model_validator(mode="after")
        def _has_a_model(self) -> Self:
            if self.reject_from is not None and self.model is None:
                raise ValueError(
                    "reject_from is for a model, and the list rejects nothing; add model: linear"
                )
            return self

    def __init__(self, task: Task, options: Options) -> None:
        self._task = task
        self._allow = frozenset(options.allow)
        self._asks_model = options.model is not None
        self._reject_from = options.reject_from or _REJECT_FROM

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Toxicity:
        return cls(context.task, options)

    @classmethod
    def problems(cls, options: Options, task: Task) -> Iterator[tuple[tuple[str, ...], str]]:
        if options.model is not None and find_spec("profanity_check") is None:
            yield ("model",), "the linear model needs alt-profanity-check: pip install 'seedbed[toxicity]'"

    @classmethod
    def not_checked(cls, options: Options) -> str | None:
        if options.model is None:
            return "abuse that no word of its list gives away; let a model look: `toxicity: {model: linear}`"
        return None

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        scores = self._scores(records) if self._asks_model else [None] * len(records)
        return [self._verdict(record, score) for record, score in zip(records, scores, strict=True)]

    def _verdict(self, record: Record, score: float | None) -> Verdict | None:
        by = filter_id(type(self))
        if score is not None and score >= self._reject_from:
            return reject(record, by, "toxic", {"model": "alt-profanity-check"}, score)
        found = first_found(self._task, record.fields, lambda text: find_toxic_words(text, but=self._allow))
        return None if found is None else flag(record, by, "toxic_words", found, score)

    def _scores(self, records: Sequence[Record]) -> list[float]:
        """Of each record that of its worst words. All at once: a call costs more than a hundred of them."""
        from profanity_check import predict_prob

        parts = [
            [part for text in text_fields(self._task, record.fields) for part in _windows(text)]
            for record in records
        ]
        flat = [part for of_record in parts for part in of_record]
        probabilities = iter(predict_prob(flat).tolist() if flat else ())
        return [round(max(islice(probabilities, len(each)), default=0.0), 3) for each in parts]


def _windows(text: str) -> list[str]:
    words = text.split()
    last = max(1, len(words) - _WORDS + _STEP)
    return [" ".join(words[at : at + _WORDS]) for at in range(0, last, _STEP)]
