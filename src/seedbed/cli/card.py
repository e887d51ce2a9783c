"""`seedbed card`: a run's data card, from the run's own log."""

from __future__ import annotations

from pathlib import Path

import click

from seedbed.cli.output import json_option, note, print_json


@click.command()
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="The file to write, or - for stdout; by default card/README.md in the run folder.",
)
@json_option
def command(run: Path, out: Path | None, as_json: bool) -> None:
    """Write the data card of RUN as Markdown, with the front matter that the Hugging Face Hub reads."""
    from seedbed.publish.card import render_card
    from seedbed.publish.whole_file import whole_file
    from seedbed.run.dossier import dossier
    from seedbed.run.view import RunView

    view = RunView.open(run)
    facts = dossier(view)
    card = render_card(facts)
    if out is not None and str(out) == "-":
        if as_json:
            raise click.UsageError("--json tells where the card is; it does not go with --out -")
        click.echo(card, nl=False)
        return
    path = out or view.folder.card
    with whole_file(path) as file:
        file.write(card)
    if as_json:
        print_json({"path": str(path), "rows": facts["accepted"], "rehearsal": view.rehearsal})
        return
    click.echo(path)
    if view.rehearsal:
        note("the card says that a rehearsal is not training data")
