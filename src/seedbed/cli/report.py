"""`seedbed report`: what a run did, from its folder alone, as text and as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seedbed.cli.output import json_option, note, print_json
from seedbed.core.errors import StoreError

if TYPE_CHECKING:
    from seedbed.store.folder import RunFolder


@click.command()
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the HTML file goes; by default report.html in the run folder.",
)
@click.option("--no-html", is_flag=True, help="Write no HTML file.")
@json_option
def command(run: Path, page: Path | None, no_html: bool, as_json: bool) -> None:
    """Report on RUN: a run folder, or a recipe's folder that has one run."""
    from seedbed.publish.report import render_text
    from seedbed.run.summary import summarise
    from seedbed.run.view import RunView

    if page is not None and no_html:
        raise click.UsageError("--html and --no-html exclude one another")
    view = RunView.open(run)
    summary = summarise(view)
    if as_json:
        print_json(summary)
    else:
        click.echo(render_text(summary))
    if not no_html:
        write_page(summary, view.folder, page, charts=True)


def write_page(
    summary: Mapping[str, Any], folder: RunFolder, path: Path | None = None, *, charts: bool = False
) -> None:
    """Write the page and say where it is. A folder that takes none is no reason to fail, a named path is."""
    from seedbed.publish.report_html import write_html

    try:
        write_html(summary, path or folder.report_page, charts=charts)
    except StoreError as error:
        if path is not None:
            raise
        note(f"no HTML report: {error}")
    else:
        note(f"the same as a page: {path or folder.report_page}")
