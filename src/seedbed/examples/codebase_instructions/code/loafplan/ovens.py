"""The oven: decks that are free or taken at a time."""

from dataclasses import dataclass, field

# Slots begin at every fifth minute, which is as exactly as anybody looks at the clock.
STEP = 5


@dataclass
class Oven:
    """`decks` batches fit at once, from `opens` on (minutes after midnight)."""

    decks: int = 3
    opens: int = 120
    _taken: list[tuple[int, int]] = field(default_factory=list)

    def latest(self, start: int, length: int) -> int | None:
        """The latest slot that begins at `start` or before and has a free deck throughout; else None."""
        at = start - start % STEP
        while at >= self.opens:
            if self._most_taken(at, at + length) < self.decks:
                return at
            at -= STEP
        return None

    def occupy(self, start: int, length: int) -> None:
        """Take a deck for this long. The caller has asked `latest` first."""
        self._taken.append((start, start + length))

    def _most_taken(self, start: int, end: int) -> int:
        """Decks in use at the fullest moment of a stretch: at its start, or where another use begins."""
        moments = [start, *(s for s, _ in self._taken if start < s < end)]
        return max(sum(s <= moment < e for s, e in self._taken) for moment in moments)
