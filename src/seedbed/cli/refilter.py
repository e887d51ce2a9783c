"""`seedbed refilter`: new verdicts on a run's drafts, without a call."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from seedbed.cli.output import json_option, note, print_json, set_option


@click.command()
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@set_option
@json_option
def command(run: Path, dry_run: bool, overrides: tuple[str, ...], as_json: bool) -> None:
    """Pass the recipe's present filters over what RUN has asked already. Makes no call.

    RUN is a run folder, or its recipe's folder. Topping up to the target is `seedbed run`'s business.
    """
    from seedbed.cli.live import watching
    from seedbed.run.loading import load_bound
    from seedbed.run.progress import Progress
    from seedbed.run.refilter import Refiltered, Unasked, recipe_of, refilter

    recipe, target = recipe_of(run)
    # No endpoint is spoken to: neither its address nor its key need be there.
    bound = load_bound(recipe, (f"generate.target={target}", *overrides), env=Unasked())
    progress = Progress(target=bound.quotas.target)

    async def work() -> Refiltered:
        with watching(progress):
            return await refilter(bound, note, progress, dry_run=dry_run)

    value = asyncio.run(work()).to_json()
    if as_json:
        print_json(value)
    else:
        _print(value)
    if value["missing"]:
        note(f"{value['missing']:,} of {value['target']:,} are missing; `seedbed run` asks for those alone")


def _print(value: dict[str, Any]) -> None:
    for line in value["changes"]:
        click.echo(f"changed: {line}")
    before, after = value["before"], value["after"]
    verb = "is" if value["applied"] else "would be"
    click.echo(f"accepted: was {before['accepted']:,}, {verb} {after['accepted']:,}; calls: 0")
    reasons = sorted(before["rejected"].keys() | after["rejected"].keys())
    for reason in reasons:
        click.echo(
            f"  {reason}: {before['rejected'].get(reason, 0):,} → {after['rejected'].get(reason, 0):,}"
        )
    for move in value["moved"]:
        ids = ", ".join(move["examples"][:3])
        click.echo(f"{move['drafts']:,} moved from {move['from']} to {move['to']}: {ids}")
    if not value["moved"]:
        click.echo("no draft has another fate")
