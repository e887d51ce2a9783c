"""`seedbed doctor`: is this machine, and what a recipe asks, fit for a run?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from seedbed.cli.output import json_option, print_json

_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


@click.command()
@click.argument("recipe", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--ask", is_flag=True, help="Ask each endpoint of RECIPE a few things: nine requests.")
@json_option
def command(recipe: Path | None, ask: bool, as_json: bool) -> None:
    """Check this machine, and with RECIPE its endpoints; each finding with its remedy.

    Ends with 1 where the machine would stop a run, 2 where the recipe is invalid, 5 where an
    endpoint cannot be used or cuts prompts.
    """
    from seedbed.publish.text_layout import printable
    from seedbed.run.doctor import examine, exit_code
    from seedbed.run.loop import run_in_loop

    if ask and recipe is None:
        raise click.UsageError("--ask needs RECIPE, whose endpoints it asks")
    checks = run_in_loop(examine(recipe, ask=ask))
    if as_json:
        print_json([check.to_json() for check in checks])
    else:
        for check in checks:
            sign = click.style(f"{check.state:8}", fg=_COLOURS[check.state])
            click.echo(f"{sign} {printable(f'{check.name}: {check.detail}')}")
            if check.remedy:
                click.echo(f"         {printable(check.remedy)}")
    sys.exit(exit_code(checks))
