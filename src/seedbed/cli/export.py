"""`seedbed export`: the accepted records as a training file."""

from __future__ import annotations

from pathlib import Path

import click

from seedbed.cli.output import json_option, note, print_json
from seedbed.core.errors import InputError, Problem
from seedbed.core.registry import UnknownPlugin


@click.command()
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--format", "name", default="jsonl", show_default=True, help="jsonl, csv, trl-sft or trl-dpo.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--allow-rehearsal", is_flag=True, help="Export a rehearsal's output, stamped as such.")
@json_option
def command(run: Path, name: str, out: Path | None, allow_rehearsal: bool, as_json: bool) -> None:
    """Write RUN's accepted records in a format; every row carries its `seedbed_id`."""
    from seedbed.run.registry import registry
    from seedbed.run.view import RunView, export_run

    view = RunView.open(run)
    if view.rehearsal and not allow_rehearsal:
        raise InputError(
            [
                Problem(
                    "is a rehearsal: it proves the pipeline and is no training data; name a real teacher "
                    "in the recipe, or add --allow-rehearsal to look at the format",
                    str(view.folder.path),
                )
            ]
        )
    try:
        done = export_run(view, registry(), name, out)
    except UnknownPlugin as error:
        raise InputError([Problem(str(error), key="--format")]) from None
    if as_json:
        print_json({"path": str(done.path), "rows": done.rows, "rehearsal": view.rehearsal})
    else:
        click.echo(done.path)
        note(f"{done.rows:,} records" + (", stamped as rehearsal" if view.rehearsal else ""))
    for line in done.notes:
        note(line)
