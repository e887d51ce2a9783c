"""Limits are of processor time, which no other program can use up; the clock's is for what only waits."""

from __future__ import annotations

_ON_THE_CLOCK = 4.0


def on_the_clock(processor_seconds: float) -> float:
    """Seconds by the clock, enough for that much processor time on a machine with other things to do."""
    return _ON_THE_CLOCK * processor_seconds
