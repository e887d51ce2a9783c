"""How many requests one endpoint is sent at a time: a number that is given, or a level that is found.

The level is found as TCP finds its window (Jacobson, Congestion Avoidance and Control, 1988): slow
start doubles it each round, then it grows by small steps, and it falls by a factor where the endpoint
has no room. Servers of models queue and never say so. There, latency tells, as in TCP Vegas (Brakmo and
Peterson, 1995): by Little's law (in flight = throughput x latency) a level that grows with no gain in
throughput has only made the queue longer. So the throughput at each level is remembered, and a level
that brings no more than a lower one is left. `docs/architecture.md`, "The pool", tells the whole way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

# Few, since a small server works on one or two at a time. Doubled, five comes out a quarter above the powers
# of two that servers are capped at, where four would come out a whole one above.
START = 5
MOST = 1024

# A round takes one latency: as many answers as are in flight, and after slow start, which is in a hurry, at
# least these, for the noise in them.
LEAST_ANSWERS = 24

# A doubled level that brings less than a tenth more throughput has only made a queue, and so have two in
# a row that bring less than a quarter: slow start ends, at the lowest level about as good as the best.
NO_GAIN, GAIN_OF_DOUBLING = 1.1, 1.25
AS_GOOD = 0.9

# Later: how much of a step up must come back as throughput, and how much of it means free land ahead.
ELASTICITY = 0.15
FREE_ELASTICITY = 0.6
STEP_UP = 1 / 12
STEP_DOWN = 0.85  # at the second round in a row that says so: one may be chance
APART, NEAR = 1.4, 1.2  # factors between levels that are compared, down and up

MEMORY = 0.25  # weight of the latest round in what is known of levels like its own
FORGOTTEN_AFTER = 24  # rounds at other levels: endpoints change, and one round may have misled

# A level that was refused is not tried again for so long, and for twice as long where it is refused again.
BACK_OFF = 0.9
HOLD_SECONDS = 10.0
LONGEST_HOLD = 320.0

# Errors and time-outs do come alone; a larger share of a round means an endpoint under strain.
STRAIN = 0.2
STRAINED_LEAST = 4
STRAINED_BACK_OFF = 0.7

Outcome = Literal["answered", "no_room", "failed", "void"]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the rounds at about this level brought, in answers a second. `number` is that of the latest."""

    level: float
    throughput: float
    number: int

    def elasticity(self, higher: Measured) -> float:
        """d ln(throughput) / d ln(level) up to a higher level: 1 where it brings all that it adds, 0
        where it only queues."""
        if self.throughput <= 0 or higher.throughput <= 0:
            return 1.0 if higher.throughput > 0 else 0.0
        return math.log(higher.throughput / self.throughput) / math.log(higher.level / self.level)


class Level:
    """Told of the start and end of every request, it says how many may be in flight.

    `level` never leaves `least`..`most`; where both are the same number the level is that number. All
    times are seconds of one clock, which the caller reads.
    """

    def __init__(self, start: int = START, least: int = 1, most: int = MOST) -> None:
        if not 1 <= least <= start <= most:
            raise ValueError(f"a level of {start} in {least}..{most}")
        self.level = start
        self.in_flight = 0
        self.slow_start = True
        self._least = least
        self.most = most
        self._finds = least < most
        self._exact = float(start)
        self._ceiling = math.inf
        self._least_ceiling = 0.0  # a burst of refusals halves the level at most
        self._hold = HOLD_SECONDS
        self._hold_until = -math.inf
        self._eased_at = -math.inf
        self._idle_since: float | None = 0.0  # as the round: both begin with the first request
        self._rounds = 0
        self._known: dict[int, Measured] = {}  # by half octaves of the level
        self._before: Measured | None = None  # the round before, in slow start
        self._gainless = 0  # rounds in a row
        self._gainful = 0
        self._begin_round(0.0)

    @classmethod
    def fixed(cls, concurrency: int) -> Level:
        return cls(concurrency, concurrency, concurrency)

    @property
    def room(self) -> int:
        """How many more requests may start now; negative where the level has just fallen."""
        return self.level - self.in_flight

    def started(self, now: float) -> None:
        self.in_flight += 1
        if not self._finds:
            return
        if self._idle_since is not None:  # time without a question says nothing of the endpoint
            self._round_began += now - self._idle_since
            self._idle_since = None
        if self.in_flight >= self.level:
            self._filled = True

    def ended(self, outcome: Outcome, began: float, now: float) -> None:
        """The end of a request that began then: answered, refused for want of room, failed in another
        way, or void, without a word on how the endpoint is doing."""
        in_flight = self.in_flight
        self.in_flight = in_flight - 1
        if not self._finds:
            return
        if in_flight == 1:
            self._idle_since = now
        if outcome == "no_room":
            self._refused(in_flight, began, now)
            return
        if outcome == "void":
            return
        if outcome == "failed":
            self._failures += 1
            if self._failures >= max(STRAINED_LEAST, STRAIN * self._wanted) and began > self._eased_at:
                self._ease(STRAINED_BACK_OFF * self._exact, now)
                return
        elif self.slow_start and self._filled:
            self._set(self._exact + 1, now)
        self._count(now)

    def _count(self, now: float) -> None:
        if self._settling > 0:
            self._settling -= 1
            if self._settling == 0:
                self._begin_round(now)
            return
        self._ended += 1
        if self._ended >= self._wanted:
            self._end_round(now)

    def _begin_round(self, now: float) -> None:
        """Begin to measure. Requests beyond the level are of the one before: their ends are let pass."""
        self._round_level = self.level
        self._round_began = now
        self._wanted = self.level
        if not self.slow_start:
            self._wanted *= math.ceil(LEAST_ANSWERS / self.level)
        self._settling = max(0, self.in_flight - self.level)
        self._ended = 0
        self._failures = 0
        self._filled = self.in_flight >= self.level

    def _end_round(self, now: float) -> None:
        seconds = now - self._round_began
        if seconds > 0 and self._filled:  # a level that was never reached was not measured
            self._rounds += 1
            answered = self._ended - self._failures
            measured = Measured(float(self._round_level), answered / seconds, self._rounds)
            here = self._remember(measured)
            if self.slow_start:
                self._judge_doubling(measured, now)
            else:
                self._judge_step(here, now)
        self._begin_round(now)

    def _remember(self, latest: Measured) -> Measured:
        """Blend the round into what is known of levels like its own, which is returned."""
        place = half_octave(latest.level)
        known = self._known.get(place, latest)
        blended = Measured(
            known.level + MEMORY * (latest.level - known.level),
            known.throughput + MEMORY * (latest.throughput - known.throughput),
            latest.number,
        )
        self._known[place] = blended
        for stale in [at for at, m in self._known.items() if m.number < latest.number - FORGOTTEN_AFTER]:
            del self._known[stale]
        return blended

    def _judge_doubling(self, latest: Measured, now: float) -> None:
        before, self._before = self._before, latest
        if before is None:
            return
        gain = latest.throughput / before.throughput if before.throughput else math.inf
        self._gainless = self._gainless + 1 if gain < GAIN_OF_DOUBLING else 0
        if gain < NO_GAIN or self._gainless > 1:
            best = max(known.throughput for known in self._known.values())
            good = [known.level for known in self._known.values() if known.throughput >= AS_GOOD * best]
            self._end_slow_start(min(good), now)
        elif self.level >= self.most:
            self._end_slow_start(self._exact, now)

    def _judge_step(self, here: Measured, now: float) -> None:
        lower = [known for known in self._known.values() if known.level * APART <= here.level]
        higher = [known for known in self._known.values() if known.level >= NEAR * here.level]
        gain = 1.0
        if lower:
            gain = max(lower, key=_level_of).elasticity(here)
        elif higher:
            gain = here.elasticity(min(higher, key=_level_of))
        self._gainless = self._gainless + 1 if gain < ELASTICITY else 0
        if self._gainless > 1:
            self._set(self._exact * STEP_DOWN, now)
        elif not self._gainless:
            self._set(self._exact + max(1.0, self._exact * STEP_UP), now)
        self._gainful = self._gainful + 1 if lower and not higher and gain > FREE_ELASTICITY else 0
        if self._gainful > 1:  # one may be chance, and doubling is hard to take back
            self.slow_start = True
            self._gainful = 0
            self._before = here

    def _refused(self, in_flight: int, began: float, now: float) -> None:
        """No room for one of so many: the level that was too high is known, and kept off for a while.

        Those sent with it, before the level fell, tell how much too high it was.
        """
        if began <= self._eased_at:
            self._ceiling = max(self._ceiling - 1, self._least_ceiling)
            self._set(min(self._exact, self._ceiling * BACK_OFF), now)
            return
        ceiling = max(float(self._least), in_flight - 1.0)
        again = abs(ceiling - self._ceiling) <= max(1.0, 0.1 * ceiling)
        self._hold = min(2 * self._hold, LONGEST_HOLD) if again else HOLD_SECONDS
        self._hold_until = now + self._hold
        self._ceiling = ceiling
        self._least_ceiling = max(float(self._least), ceiling / 2)
        self._ease(min(self._exact, in_flight) * BACK_OFF, now)

    def _ease(self, level: float, now: float) -> None:
        self._eased_at = now
        self._end_slow_start(level, now)
        self._begin_round(now)

    def _end_slow_start(self, level: float, now: float) -> None:
        self.slow_start = False
        self._before = None
        self._gainless = 0
        self._set(level, now)

    def _set(self, level: float, now: float) -> None:
        ceiling = self._ceiling if now < self._hold_until else math.inf
        self._exact = max(float(self._least), min(level, ceiling, float(self.most)))
        self.level = int(self._exact)


def _level_of(measured: Measured) -> float:
    return measured.level


def half_octave(level: float) -> int:
    """Levels within a factor of about 1.4 share a number; two numbers further, a level has doubled."""
    return int(2 * math.log2(level) + 1e-9)
