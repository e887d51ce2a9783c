"""Tide tables of a small harbour."""

from bisect import bisect_left


def next_high(times: list[int], now: int) -> int | None:
    """The first high water at or after `now`, None when the table has ended."""
    at = bisect_left(times, now)
    return times[at] if at < len(times) else None


def window(draught: float, depth_at_high: float, fall_per_hour: float) -> float:
    """Hours around high water in which a boat of this draught floats."""
    spare = depth_at_high - draught
    if spare <= 0:
        return 0.0
    return 2 * spare / fall_per_hour


class Berth:
    def __init__(self, name: str, length: float) -> None:
        self.name = name
        self.length = length
        self.guests: list[float] = []

    def fits(self, boat_length: float) -> bool:
        taken = sum(self.guests)
        return taken + boat_length <= self.length

    def moor(self, boat_length: float) -> None:
        if not self.fits(boat_length):
            raise ValueError(f"{self.name} is full")
        self.guests.append(boat_length)
