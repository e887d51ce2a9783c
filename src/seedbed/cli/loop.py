"""`seedbed loop`: round after round in one run folder, each asking for what the student got wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedbed.cli.output import fail, json_option, note, print_json, set_option
from seedbed.cli.run import EXIT_CODES

if TYPE_CHECKING:
    from seedbed.run.looping import LoopResult, Stop

# A loop that found no gain, or did all its rounds, came to its end.
ENDS = {**EXIT_CODES, "rounds": 0, "no_gain": 0}


@click.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(min=1), help="Rounds at the most."
)
@click.option(
    "--step",
    type=click.IntRange(min=1),
    help="Records that each round adds (default: a fifth of the recipe's target).",
)
@click.option(
    "--max-cost", type=click.FloatRange(min=0, min_open=True), help="US dollars the run may cost in all."
)
@set_option
@json_option
def command(
    recipe: Path,
    rounds: int,
    step: int | None,
    max_cost: float | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run RECIPE, train its student, and ask for more of what it gets wrong on dev rows, round after round.

    Stops where a round brings no gain, at the budget, or after --rounds; the same command goes on after a
    stop. The eval is opened once, in the end.
    """
    from seedbed.cli.live import watching
    from seedbed.cli.report import write_page
    from seedbed.publish.loop_page import write_loop_page
    from seedbed.publish.loop_text import loop_text
    from seedbed.run.loop import run_in_loop
    from seedbed.run.looping import Loop, Stop, loop
    from seedbed.run.summary import summarise
    from seedbed.run.view import RunView

    if max_cost is not None:
        overrides = (*overrides, f"budget.cost={max_cost}")
    stop = Stop()

    async def work() -> LoopResult:
        _stop_on_signals(stop)
        return await loop(Loop(recipe, overrides, rounds, step, note, watching, stop))

    try:
        result = run_in_loop(work())
    except asyncio.CancelledError:
        note("stopped at once; the replies received are in the log, and the same command goes on")
        sys.exit(ENDS["interrupted"])
    if result.error is not None:
        fail(result.error)
    value = result.to_json()
    if as_json:
        print_json(value)
    else:
        click.echo(loop_text(value))
    page = write_loop_page(value, result.bound.folder.loop)
    note(f"the same as a page: {page}")
    if result.bound.folder.manifest.is_file():
        write_page(summarise(RunView(result.bound.folder)), result.bound.folder)
    assert result.state.ended is not None
    sys.exit(ENDS[result.state.ended])


def _stop_on_signals(stop: Stop) -> None:
    """First Ctrl-C or SIGTERM drains what is in flight or lets the student end, the second stops at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def on_signal() -> None:
        if not stop.asked:
            note("stopping: waiting for what is in flight (again to stop at once)")
            stop.ask()
        elif stop.pipeline is not None:
            task.cancel()
        else:
            # A student learns in a process of its own, which a thread waits for: it ends with this one.
            note("stopped at once; the same command goes on")
            os._exit(ENDS["interrupted"])

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
