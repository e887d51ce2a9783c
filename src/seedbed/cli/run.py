"""`seedbed run`: generate to the target, with a live view on a terminal and plain lines off it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedbed.cli.output import fail, json_option, note, print_json, set_option

if TYPE_CHECKING:
    from seedbed.run.pipeline import Pipeline
    from seedbed.run.session import RunResult

# Imported before the children of a run are forked: of the eval lock, the workers and the measures. Filters
# are not among it, for the memory of what a fork has and this process writes to is there twice.
_OF_CHILDREN = (
    "seedbed.sources.eval_lock_process",
    "seedbed.run.worker_process",
    "seedbed.run.measures_process",
    "seedbed.metrics.comparison",
)
EXIT_CODES = {"target": 0, "variety": 3, "budget": 4, "endpoint": 5, "cells": 6, "interrupted": 130}


@click.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@click.option("--target", type=click.IntRange(min=1), help="Accepted records to reach.")
@click.option(
    "--max-cost", type=click.FloatRange(min=0, min_open=True), help="US dollars this run may cost in all."
)
@click.option("--max-tokens", type=click.IntRange(min=1), help="Tokens this run may take in all.")
@click.option("--max-requests", type=click.IntRange(min=1), help="Requests this run may send in all.")
@click.option("--max-time", metavar="DURATION", help="Time it may take in all, such as 6h or 90s.")
@click.option("--retry-failed", is_flag=True, help="Ask failed cells again, also those the endpoint refused.")
@click.option(
    "--allow-reask", is_flag=True, help="Ask again what other software than before would ask otherwise."
)
@set_option
@json_option
def command(
    recipe: Path,
    target: int | None,
    max_cost: float | None,
    max_tokens: int | None,
    max_requests: int | None,
    max_time: str | None,
    retry_failed: bool,
    allow_reask: bool,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run RECIPE (its folder or file) until the target is met; the same command goes on after a stop."""
    from seedbed.core.child_process import spare_children
    from seedbed.core.numpy_threads import import_numpy_alone

    import_numpy_alone()  # before anything that imports it
    from seedbed.run.workers import worker_count

    if target is not None:
        overrides = (*overrides, f"generate.target={target}")
    caps = {"cost": max_cost, "tokens": max_tokens, "requests": max_requests, "time": max_time}
    overrides = (*overrides, *(f"budget.{name}={cap}" for name, cap in caps.items() if cap is not None))
    with spare_children(worker_count() + 2, _OF_CHILDREN):  # before anything that has threads: pyarrow does
        code = _run(recipe, overrides, retry_failed=retry_failed, allow_reask=allow_reask, as_json=as_json)
    sys.exit(code)


def _run(
    recipe: Path, overrides: Sequence[str], *, retry_failed: bool, allow_reask: bool, as_json: bool
) -> int:
    """The exit code; what came of the run is printed."""
    from seedbed.cli.live import watching
    from seedbed.cli.report import write_page
    from seedbed.publish.report import render_text
    from seedbed.run.loading import load_bound
    from seedbed.run.loop import run_in_loop
    from seedbed.run.progress import Progress
    from seedbed.run.registry import registry
    from seedbed.run.session import run_recipe
    from seedbed.run.summary import summarise
    from seedbed.run.view import RunView

    bound = load_bound(recipe, overrides)
    progress = Progress(target=bound.quotas.target)

    async def work() -> RunResult:
        with watching(progress):
            return await run_recipe(
                bound,
                registry(),
                note,
                progress,
                allow_reask=allow_reask,
                retry_failed=retry_failed,
                on_start=_stop_on_signals,
            )

    try:
        result = run_in_loop(work())
    except asyncio.CancelledError:
        note("stopped at once; the replies received are in the log, and the same command goes on")
        return EXIT_CODES["interrupted"]
    if result.error is not None and result.stopped in ("endpoint", "budget"):
        fail(result.error)
    summary = summarise(RunView(result.folder))
    if as_json:
        print_json(summary)
    else:
        click.echo(render_text(summary))
    write_page(summary, result.folder)
    return EXIT_CODES[result.stopped]


def _stop_on_signals(pipeline: Pipeline) -> None:
    """First Ctrl-C or SIGTERM drains, the second stops at once; both leave a run that goes on."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    seen = False

    def on_signal() -> None:
        nonlocal seen
        if seen:
            task.cancel()
            return
        seen = True
        note("stopping: waiting for what is in flight (again to stop at once)")
        pipeline.stop("interrupted")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
