"""`seedbed requests`: the questions of a run and their answers in the reply log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seedbed.cli.output import json_option, note, print_json
from seedbed.core.errors import InputError, Problem


@click.group()
def command() -> None:
    """Look after the questions of a run: `forget` has answers asked for again."""


@command.command()
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="NAME=VALUE",
    help="Which: reason, cause, model, template, label, cell, record, role; several must all hold.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be reopened, and what asking again costs.")
@json_option
def forget(run: Path, conditions: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Have answers and refusals of RUN asked for again: the next `seedbed run` asks them, and no other.

    What is forgotten stays in the reply log, and in the accounts of calls and tokens.
    """
    from seedbed.run.forgetting import forget_where, parse_conditions

    wanted = parse_conditions(conditions)
    found = forget_where(run, wanted, dry_run=dry_run)
    if not found.cells:
        told = " and ".join(f"{name}={value}" for name, value in wanted.items())
        raise InputError(
            [
                Problem(
                    f"nothing of this run meets {told}; `seedbed report` lists reasons and causes, and "
                    "`seedbed show` drafts",
                    str(run),
                    key="--where",
                )
            ]
        )
    value = {**found.to_json(), "dry_run": dry_run}
    if as_json:
        print_json(value)
    else:
        _print(value)
    if not dry_run:
        note("reopened; `seedbed run` asks these again, and takes everything else from the reply log")


def _print(value: dict[str, Any]) -> None:
    verb = "would be reopened" if value["dry_run"] else "reopened"
    click.echo(
        f"{value['cells']:,} cells {verb}: {value['answers']:,} answers and {value['refusals']:,} refusals "
        f"in the log, {value['failed_cells']:,} failed cells"
    )
    click.echo(f"accepted records among them: {value['accepted']:,}")
    click.echo(
        f"asking again: at least {value['calls']:,} calls; what is forgotten took {value['prompt_tokens']:,} "
        f"prompt tokens and {value['completion_tokens']:,} completion tokens"
    )
