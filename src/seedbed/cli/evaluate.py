"""`seedbed evaluate`: the recipe's student on the locked eval, which is opened for it once."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seedbed.cli.output import json_option, note, print_json, say_stopped, set_option

if TYPE_CHECKING:
    from seedbed.run.binding import BoundRecipe


@click.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--harness",
    type=click.Choice(["inspect", "lm-eval"]),
    help="Evaluate nothing, and write the eval as a task for Inspect or lm-evaluation-harness.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="The folder of such a task.")
@set_option
@json_option
def command(
    recipe: Path, harness: str | None, out: Path | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Score RECIPE's student on the locked eval: real rows alone, generated rows alone, and the mix.

    The opening is put on record. Where nothing changed since the last time, its result is shown again
    and the eval stays closed.
    """
    from seedbed.publish.proof_text import proof_section
    from seedbed.run.loading import load_bound
    from seedbed.run.mixing import opened_run
    from seedbed.run.refilter import Unasked
    from seedbed.run.students import evaluate

    if (harness is None) != (out is None):
        raise click.UsageError("--harness and --out go together: the task is written into that folder")
    if harness is not None and out is not None:
        from seedbed.run.harness import write_for

        # A task names the eval by its path: neither a run nor an endpoint need be there.
        files = write_for(load_bound(recipe, overrides, env=Unasked()), harness, out)  # type: ignore[arg-type]
        print_json([str(path) for path in files]) if as_json else click.echo("\n".join(map(str, files)))
        return

    async def work(bound: BoundRecipe) -> dict[str, Any]:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, _stop_at_once)
        return await evaluate(bound, note)

    with opened_run(recipe, overrides) as bound:
        result = asyncio.run(work(bound))
    if as_json:
        print_json(result)
    else:
        click.echo(proof_section(result, rehearsal=bound.rehearsal))


def _stop_at_once() -> None:
    """A thread waits for the student's own process, which ends with this one, and would be waited for."""
    say_stopped("evaluate")
    os._exit(130)
