"""`seedbed report`: what a run did, from its folder alone."""

from __future__ import annotations

from pathlib import Path

import click

from seedbed.cli.output import json_option, print_json


@click.command()
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@json_option
def command(run: Path, as_json: bool) -> None:
    """Report on RUN: a run folder, or a recipe's folder that has one run."""
    from seedbed.publish.report import render_text
    from seedbed.run.summary import summarise
    from seedbed.run.view import RunView

    summary = summarise(RunView.open(run))
    if as_json:
        print_json(summary)
    else:
        click.echo(render_text(summary))
