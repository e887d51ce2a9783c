"""Departures of a small bus line."""

from bisect import bisect_left
from itertools import pairwise


def next_departure(departures, now):
    """The first departure at `now` or later; after the last one, the first of the next day."""
    at = bisect_left(departures, now)
    return departures[at % len(departures)]


def longest_gap(departures, day=1440):
    """Minutes that somebody waits who comes at the worst moment, midnight included."""
    around = [*departures, departures[0] + day]
    return max(after - before for before, after in pairwise(around))


def every(minutes, first, last):
    """A regular timetable, both ends included where they fit."""
    return list(range(first, last + 1, minutes))


class Line:
    """Stops in order, with the minutes from each to the next."""

    def __init__(self, stops, legs):
        if len(legs) != len(stops) - 1:
            raise ValueError("a line has one leg less than stops")
        self.stops, self.legs = list(stops), list(legs)

    def ride(self, start, end):
        first, last = self.stops.index(start), self.stops.index(end)
        if first > last:
            raise ValueError(f"no bus goes from {start} to {end}")
        return sum(self.legs[first:last])
