"""Find the line that parts what is asked from what follows, where seeds repeat an eval item up to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.sources.spec import cut
from seedbed.text.normalise import normalise

_MOST_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """With `ignore_after: marker`, `leaks` of the seeds equal an eval row; as it stands, `leaks_now`."""

    marker: str
    leaks: int
    leaks_now: int


def suggest_marker(seeds: Sequence[str], eval_texts: Sequence[str], current: str | None) -> Suggestion | None:
    """The marker that shows the most leaks, if any shows more than `current` does.

    Candidates are lines that end with a colon and stand in at least half of the seeds. One that would
    leave the eval items hardly distinct (a heading before the text itself) is no candidate.
    """
    lines = Counter(
        line
        for seed in seeds
        for line in {line.strip() for line in seed.splitlines()}
        if line.endswith(":") and len(line) > 1
    )
    frequent = [line for line, count in lines.most_common() if 2 * count >= len(seeds)]
    leaks_now = _leaks(seeds, eval_texts, current)
    distinct = len({normalise(text) for text in eval_texts})
    best: Suggestion | None = None
    for marker in sorted(frequent[:_MOST_CANDIDATES]):
        if 2 * len({normalise(cut(text, marker)) for text in eval_texts}) < distinct:
            continue
        leaks = _leaks(seeds, eval_texts, marker)
        if leaks > (best.leaks if best else leaks_now):
            best = Suggestion(marker, leaks, leaks_now)
    return best


def _leaks(seeds: Sequence[str], eval_texts: Sequence[str], marker: str | None) -> int:
    """How many seeds equal an eval item, both cut at the marker and normalised."""
    known = {normalise(cut(text, marker)) for text in eval_texts} - {""}
    return sum(normalise(cut(seed, marker)) in known for seed in seeds)
