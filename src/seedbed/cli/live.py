"""Progress while a run works: a panel of a few lines on a terminal, one line every ten seconds elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from seedbed.publish.text_layout import cut, printable
from seedbed.run.progress import Progress

PLAIN_SECONDS = 10.0
LIVE_SECONDS = 0.25
WINDOW_SECONDS = 15.0
"""Rates are of the last so many seconds."""

_REASONS = 4


@dataclass(frozen=True, slots=True)
class Moment:
    """What the rates and the time to go are reckoned from. `likely` is accepted with what open rounds
    should still bring."""

    at: float
    requests: int
    cells: int
    likely: float


class Watch:
    """Figures of a run over time. `clock` is in seconds and may start anywhere."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._moments: deque[Moment] = deque()

    def look(self, now: float) -> None:
        """Take note of where the run is."""
        progress = self._progress
        spent = progress.spent() if progress.spent is not None else None
        # Of what passed the record filters, the share that closed rounds kept of theirs.
        share = (
            min(1.0, progress.accepted / progress.passed) if progress.accepted and progress.passed else 1.0
        )
        likely = min(float(progress.target), progress.accepted + progress.kept * share)
        self._moments.append(Moment(now, spent.calls if spent else 0, progress.cells, likely))
        while len(self._moments) > 2 and self._moments[1].at <= now - WINDOW_SECONDS:
            self._moments.popleft()

    def _rate(self, what: str) -> float:
        first, last = self._moments[0], self._moments[-1]
        seconds = last.at - first.at
        return max(0.0, getattr(last, what) - getattr(first, what)) / seconds if seconds > 0 else 0.0

    def seconds_to_go(self) -> float | None:
        """Until the target at the rate of now; None where that is not known."""
        rate = self._rate("likely")
        if rate <= 0:
            return None
        return max(0.0, self._progress.target - self._moments[-1].likely) / rate

    def line(self) -> str:
        """All of it on one line, for a log."""
        parts = [self._accepted(), self._asked(), self._spend(), self._rejected()]
        return " | ".join(part for part in parts if part)

    def panel(self, width: int) -> list[str]:
        """A few lines of at most `width` terminal cells."""
        lines = [self._bar(width), self._accepted(), self._asked(), self._spend(), self._rejected()]
        return [cut(printable(line), width) for line in lines if line]

    def _bar(self, width: int) -> str:
        room = max(1, min(width, 60))
        done = int(room * min(1.0, self._moments[-1].likely / self._progress.target))
        return "#" * done + "." * (room - done)

    def _accepted(self) -> str:
        progress, to_go = self._progress, self.seconds_to_go()
        text = f"accepted {progress.accepted:,} of {progress.target:,}"
        if progress.kept:
            text += f", {progress.kept:,} in open rounds"
        text += f" ({self._rate('likely'):,.1f}/s)"
        return text + (f", {_duration(to_go)} to go" if to_go is not None else "")

    def _asked(self) -> str:
        progress = self._progress
        rate = self._rate("requests")
        text = f"{progress.cells:,} cells, {progress.rounds:,} rounds, {rate:,.0f} requests/s"
        if progress.in_flight is not None:
            flying, level = progress.in_flight()
            text += f", {flying} of {level} in flight"
        return text + (f", {progress.failed:,} failed" if progress.failed else "")

    def _spend(self) -> str:
        progress = self._progress
        if progress.spent is None:
            return ""
        spent = progress.spent()
        text = f"{spent.calls:,} requests, {spent.prompt_tokens + spent.completion_tokens:,} tokens"
        if progress.budget is not None and progress.budget.spent.cost:
            from seedbed.core.money import shown_dollars

            text += f", {shown_dollars(progress.budget.spent.cost)} in all"
        return text + (f", {spent.replayed:,} answers from the log" if spent.replayed else "")

    def _rejected(self) -> str:
        counts = self._progress.reasons()
        if not counts:
            return ""
        shown = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(f"{reason} {count:,}" for reason, count in shown[:_REASONS])
        return f"rejected {counts.total():,}: {named}" + (", …" if len(shown) > _REASONS else "")


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


@contextmanager
def watching(progress: Progress) -> Iterator[None]:
    """Show progress on stderr until the block ends."""
    done = threading.Event()
    watch = Watch(progress)
    watch.look(time.monotonic())
    live = sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") not in (None, "dumb")

    def show_live() -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        console = Console(stderr=True)
        with Live(console=console, auto_refresh=False, transient=True) as view:
            while not done.wait(LIVE_SECONDS):
                watch.look(time.monotonic())
                lines = Text("\n".join(watch.panel(console.width)), no_wrap=True, overflow="ellipsis")
                view.update(lines, refresh=True)

    def show_plain() -> None:
        while not done.wait(PLAIN_SECONDS):
            watch.look(time.monotonic())
            click.echo(watch.line(), err=True)

    thread = threading.Thread(target=show_live if live else show_plain, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
