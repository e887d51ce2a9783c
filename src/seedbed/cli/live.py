"""Progress while a run works: one live line on a terminal, a plain line every ten seconds elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from seedbed.run.progress import Progress

PLAIN_SECONDS = 10.0
LIVE_SECONDS = 0.25


def line(progress: Progress, seconds: float) -> str:
    """Accepted of target, cells done and failed, rate, and the commonest reasons of rejection."""
    rate = progress.cells / seconds if seconds > 0 else 0.0
    reasons = sorted(progress.rejected.items(), key=lambda item: (-item[1], item[0]))[:3]
    rejected = ", ".join(f"{reason} {count}" for reason, count in reasons)
    parts = [
        f"accepted {progress.accepted:,} of {progress.target:,}",
        f"{progress.cells:,} cells ({rate:,.0f}/s)",
    ]
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if rejected:
        parts.append(f"rejected: {rejected}")
    return " | ".join(parts)


@contextmanager
def watching(progress: Progress) -> Iterator[None]:
    """Show progress on stderr until the block ends."""
    done = threading.Event()
    started = time.monotonic()
    live = sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"

    def show_live() -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        console = Console(stderr=True)
        with Live(console=console, refresh_per_second=4, transient=True) as view:
            while not done.wait(LIVE_SECONDS):
                view.update(Text(line(progress, time.monotonic() - started)))

    def show_plain() -> None:
        while not done.wait(PLAIN_SECONDS):
            click.echo(line(progress, time.monotonic() - started), err=True)

    thread = threading.Thread(target=show_live if live else show_plain, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
