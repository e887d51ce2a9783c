"""How a rehearsal answers the steps of a method: by the sketch that comes with the question.

Faults of a method's own kind (samples that contradict each other, a claim without support) are in the
sketch, since only the method knows what they are. Here a reply is declined or cut off, as any may be.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from seedbed.core.chat import Choice, Hints, Sketch
from seedbed.core.hashing import seed_from
from seedbed.models.fault_plan import Fault
from seedbed.models.imitation import imitate, invented, neutral, repeats
from seedbed.models.planted_faults import REFUSALS, cut
from seedbed.models.rehearsal_writer import Writer

_TRIES = 4


class RehearsalPen:
    """A Pen for one choice: see core.chat."""

    def __init__(self, hints: Hints, seed: int) -> None:
        self.rng = random.Random(seed_from("sketch", seed))
        self._hints = hints

    def text(self, field: str = "") -> str:
        known = self._texts(field)
        mention = list(self._hints.fixed.values())
        for _ in range(_TRIES if known else 0):
            text = imitate(known, mention, self.rng)
            if not repeats(text, known):
                return text
        return neutral(mention, self.rng)

    def value(self) -> str:
        return invented(self.rng)

    def record(self, fields: Sequence[str]) -> dict[str, Any]:
        hints = replace(self._hints, fields=tuple(fields), output="json", sketch=None)
        choice, _ = Writer(hints, self.rng.getrandbits(63)).answer(None)
        record: dict[str, Any] = json.loads(choice.text)
        return record

    def _texts(self, field: str) -> Sequence[str]:
        rows = self._hints.examples or self._hints.real
        return [value for row in rows if isinstance(value := row.get(field), str) and value.strip()]


def sketched(sketch: Sketch, hints: Hints, seed: int, fault: Fault | None) -> Choice:
    """The sketch's reply, or what is left of it where the fault is one that any reply can have."""
    written = sketch(RehearsalPen(hints, seed))
    text = written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)
    rng = random.Random(seed_from("sketch fault", seed))
    match fault:
        case Fault(kind="refusal"):
            return Choice(rng.choice(REFUSALS))
        case Fault(kind="broken_json") if len(text) > 1:
            return Choice(cut(text, max(0.1, fault.strength)), "length")
    return Choice(text)
