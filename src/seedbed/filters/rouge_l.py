"""`rouge_l`: what is asked repeats, in its words and their order, what another record asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from seedbed.core.field_text import texts_in
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.filters.subject import FilterOptions
from seedbed.text.minhash import Bands, band_keys, signatures
from seedbed.text.normalise import normalise, units
from seedbed.text.remembered import remembered
from seedbed.text.rouge import rouge_l
from seedbed.text.runs import word_runs

# Where each word that is not in the common sequence is in one text alone, ROUGE-L 0.7 is a Jaccard similarity
# of 0.54: 0.97 of such pairs share one of 20 bands of 3 rows, and of all closer pairs more.
_BANDS = Bands(20, 3)
_SALT = 128


class RougeL:
    """MinHash for candidates, exact ROUGE-L for the verdict, on the fields that are compared with an eval.

    Self-Instruct (Wang et al. 2023, arXiv 2212.10560, section 2.2) takes a new instruction into its pool only
    where its ROUGE-L with each that is there is below 0.7. Words are told apart by their count (`the` and the
    second `the`), for a similarity of those sets bounds ROUGE-L from above: R ≤ 2J/(1 + J).
    """

    name: ClassVar = "rouge_l"
    version: ClassVar = 3
    kind: ClassVar = "corpus"
    reason: ClassVar = "same_wording"

    class Options(FilterOptions):
        threshold: float = Field(
            0.7, ge=0.7, lt=1, description="ROUGE-L above which two records ask the same"
        )

    def __init__(self, fields: Sequence[str], threshold: float) -> None:
        self._fields = tuple(fields)
        self._threshold = threshold

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> RougeL:
        return cls(context.compare or context.task.compare_fields, options.threshold)

    def text(self, record: Record) -> str:
        return "\n".join(text for name in self._fields for text in texts_in(record.fields.get(name)))

    def keys(self, texts: Sequence[str]) -> list[list[int]]:
        words = [_words(text) for text in texts]
        filled = [at for at, own in enumerate(words) if own]
        runs = word_runs([" ".join(_counted(words[at])) for at in filled], 1)
        keys: list[list[int]] = [[] for _ in texts]
        found = band_keys(signatures(runs, _BANDS.minima), _BANDS, _SALT)
        for at, own in zip(filled, found.tolist(), strict=True):
            keys[at] = own
        return keys

    def edge(self, a: str, b: str) -> float | None:
        """Their ROUGE-L where it is above the threshold. Two of unlike lengths cannot come above it."""
        one, two = _words(a), _words(b)
        if one == two:
            return 1.0 if one else None
        if 2 * min(len(one), len(two)) <= self._threshold * (len(one) + len(two)):
            return None
        score = rouge_l(one, two)
        return score if score > self._threshold else None


def _counted(words: Sequence[str]) -> list[str]:
    """Each word with how often it has come before: of two equal ones, the second is another."""
    seen: Counter[str] = Counter()
    counted = []
    for word in words:
        counted.append(f"{word}\t{seen[word]}" if seen[word] else word)
        seen[word] += 1
    return counted


# A group of kin compares each member with many.
@remembered(texts=512)
def _words(text: str) -> tuple[str, ...]:
    return tuple(units(normalise(text)))
