"""`seedbed train`: the recipe's student learns from the arms and is scored on dev."""

from __future__ import annotations

from pathlib import Path

import click

from seedbed.cli.output import json_option, note, print_json, set_option


@click.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--judge", "judged", is_flag=True, help="Have the role `judge` compare the arms' answers, pair by pair."
)
@set_option
@json_option
def command(recipe: Path, judged: bool, overrides: tuple[str, ...], as_json: bool) -> None:
    """Have RECIPE's student learn from real rows, generated rows and the mix, and score it on dev rows.

    The eval stays closed. What was learnt from the same rows before is not learnt again.
    """
    from seedbed.publish.student_text import trained_text
    from seedbed.run.mixing import opened_run
    from seedbed.run.students import train, train_and_judge

    with opened_run(recipe, overrides, asks=judged) as bound:
        result = train_and_judge(bound, note) if judged else train(bound, note)
    if as_json:
        print_json(result)
    else:
        click.echo(trained_text(result, rehearsal=bound.rehearsal))
