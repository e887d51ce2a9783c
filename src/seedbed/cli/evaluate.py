"""`seedbed evaluate`: the recipe's student on the locked eval, which is opened for it once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from seedbed.cli.output import json_option, note, print_json, set_option


@click.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@set_option
@json_option
def command(recipe: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Score RECIPE's student on the locked eval: real rows alone, generated rows alone, and the mix.

    The opening is put on record. Where nothing changed since the last time, its result is shown again
    and the eval stays closed.
    """
    from seedbed.publish.proof_text import proof_section
    from seedbed.run.mixing import opened_run
    from seedbed.run.students import evaluate

    with opened_run(recipe, overrides) as bound:
        result = asyncio.run(evaluate(bound, note))
    if as_json:
        print_json(result)
    else:
        click.echo(proof_section(result, rehearsal=bound.rehearsal))
