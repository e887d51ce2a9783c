"""`seedbed plugins`: what a recipe may name, and where it comes from."""

from __future__ import annotations

from typing import Any

import click

from seedbed.cli.output import json_option, print_json


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List methods, filters, tasks, students, exporters and models, with the package of each.

    What an installed package offers and cannot be loaded is listed with the reason.
    """
    from seedbed.run.plugins import list_plugins

    found = list_plugins()
    if as_json:
        print_json(found)
        return
    for kind, entries in found.items():
        click.echo(click.style(kind, bold=True))
        width = max((len(_versioned(entry)) for entry in entries), default=0)
        for entry in entries:
            _print(entry, max(width, 20))


def _versioned(entry: dict[str, Any]) -> str:
    return str(entry["name"]) + (f"@{entry['version']}" if entry["version"] is not None else "")


def _print(entry: dict[str, Any], width: int) -> None:
    from seedbed.publish.text_layout import printable

    package = f" [{entry['package']}]" if entry["package"] != "seedbed" else ""
    said = entry["about"] if entry["error"] is None else f"cannot be loaded: {entry['error']}"
    click.echo(f"  {_versioned(entry):{width}} {printable(f'{package} {said}')}")
