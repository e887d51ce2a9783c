"""A server in simulated time, asked at the level that a `Level` gives: hours of it take a second."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from seedbed.models.concurrency import Level


@dataclass
class Run:
    """What came of it. `levels` are (time, level) after each end."""

    answered: int = 0
    refused: int = 0
    seconds: float = 0.0
    levels: list[tuple[float, int]] = field(default_factory=list)

    @property
    def throughput(self) -> float:
        return self.answered / self.seconds

    def mean_level(self, after: float) -> float:
        late = [level for moment, level in self.levels if moment >= after]
        return sum(late) / len(late)


def run(
    level: Level,
    latency: Callable[[random.Random], float],
    *,
    seconds: float,
    servers: Callable[[float], int] | None = None,
    cap: int | None = None,
    failing: float = 0.0,
    seed: int = 0,
) -> Run:
    """Ask for so many seconds. `servers` work at a time (by the time), the others wait in a queue;
    above `cap` a request is refused at once and its slot stays empty for up to 0.5 s."""
    dice = random.Random(seed)
    done = Run()
    events: list[tuple[float, int, str, float]] = []
    queue: list[float] = []
    now, number, held, at_server, at_work = 0.0, 0, 0, 0, 0

    def later(delay: float, what: str, began: float) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (now + delay, number, what, began))

    def start_work() -> None:
        nonlocal at_work
        while queue and (servers is None or at_work < servers(now)):
            at_work += 1
            later(latency(dice), "failed" if dice.random() < failing else "answered", queue.pop(0))

    while True:
        while level.room - held > 0:
            level.started(now)
            if cap is not None and at_server >= cap:
                later(0.001, "refused", now)
            else:
                at_server += 1
                queue.append(now)
                start_work()
        now, _, what, began = heapq.heappop(events)
        if now > seconds:
            done.seconds = seconds
            return done
        if what == "empty again":
            held -= 1
        elif what == "refused":
            done.refused += 1
            level.ended("no_room", began, now)
            held += 1
            later(dice.uniform(0, 0.5), "empty again", now)
        else:
            at_server -= 1
            at_work -= 1
            level.ended("answered" if what == "answered" else "failed", began, now)
            done.answered += what == "answered"
            start_work()
        done.levels.append((now, level.level))
