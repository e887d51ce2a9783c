"""What a verifier found: one answer for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Finding = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` is a stable slug, "" where it passed; `evidence` are plain values that say what it rests on.

    Undecided is what nothing could be said of: it is never a pass.
    """

    finding: Finding
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
