"""`seedbed doctor`: is this machine, and what a recipe asks, fit for a run?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from seedbed.cli.output import json_option, print_json

_SIGNS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "problem": ("PROBLEM", "red")}


@click.command()
@click.argument("recipe", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--ask", is_flag=True, help="Ask each endpoint a few things; costs eight requests.")
@json_option
def command(recipe: Path | None, ask: bool, as_json: bool) -> None:
    """Check this machine: Python, disk, a write probe for the reply log, servers, extras.

    With RECIPE also its endpoints: reachable, model offered, key accepted; with --ask what they make
    of n, seed, temperature, a JSON schema and a long prompt. Ends with 1 where a run would stop.
    """
    from seedbed.publish.text_layout import printable
    from seedbed.run.doctor import examine
    from seedbed.run.loop import run_in_loop

    if ask and recipe is None:
        raise click.UsageError("--ask needs RECIPE, whose endpoints it asks")
    checks = run_in_loop(examine(recipe, ask=ask))
    if as_json:
        print_json([check.to_json() for check in checks])
    else:
        for check in checks:
            sign, colour = _SIGNS[check.state]
            click.echo(f"{click.style(f'{sign:8}', fg=colour)} {printable(f'{check.name}: {check.detail}')}")
            if check.remedy:
                click.echo(f"         {printable(check.remedy)}")
    sys.exit(1 if any(check.state == "problem" for check in checks) else 0)
