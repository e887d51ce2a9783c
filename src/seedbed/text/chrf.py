"""chrF: how much of the character runs of a text stands in another."""

from __future__ import annotations

from collections import Counter

LONGEST_RUN = 6
# Recall, which a text that leaves something out lacks, counts so many times as much as precision.
_BETA = 2


def chrf(text: str, reference: str) -> float:
    """F2 of the character runs of lengths 1 to 6, 0..1: chrF of Popović 2015 (aclanthology W15-3049).

    White space does not count. Precision and recall are means over the lengths that both texts have, as
    sacrebleu reckons them, whose figures these are (divided by 100).
    """
    ours, theirs = "".join(text.split()), "".join(reference.split())
    lengths = min(len(ours), len(theirs), LONGEST_RUN)
    precision = recall = 0.0
    for length in range(1, lengths + 1):
        written, wanted = _runs(ours, length), _runs(theirs, length)
        shared = (written & wanted).total()
        precision += shared / written.total() / lengths
        recall += shared / wanted.total() / lengths
    weighed = _BETA**2 * precision + recall
    return (1 + _BETA**2) * precision * recall / weighed if weighed else 0.0


def _runs(text: str, length: int) -> Counter[str]:
    return Counter(text[at : at + length] for at in range(len(text) - length + 1))
