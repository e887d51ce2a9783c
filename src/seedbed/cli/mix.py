"""`seedbed mix`: real and accepted rows as one training file, and which share of each is best."""

from __future__ import annotations

from pathlib import Path

import click

from seedbed.cli.output import json_option, note, print_json, set_option
from seedbed.core.errors import InputError, Problem
from seedbed.core.registry import UnknownPlugin


@click.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@click.option("--search", "searched", is_flag=True, help="Try shares of generated rows on dev rows.")
@click.option(
    "--ablate",
    "part",
    type=click.Choice(["filters", "methods", "templates"]),
    help="Say what each of them was worth to the student, on dev rows.",
)
@click.option("--format", "name", help="jsonl (the default), csv, trl-sft or trl-dpo.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--allow-rehearsal", is_flag=True, help="Write a rehearsal's mix, stamped as such.")
@set_option
@json_option
def command(
    recipe: Path,
    searched: bool,
    part: str | None,
    name: str | None,
    out: Path | None,
    allow_rehearsal: bool,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the training file of RECIPE's mix: the rows that the proof learns from.

    With --search or --ablate nothing is written: students learn from several mixes, and are scored on
    dev rows; the eval stays closed.
    """
    from seedbed.publish.mix_text import ablation_text, search_text
    from seedbed.run.mixing import ablate_run, opened_run, search_mix, write_mix

    if sum((searched, part is not None, name is not None or out is not None)) > 1:
        raise click.UsageError("--search, --ablate and writing a file (--format, --out) exclude one another")
    with opened_run(recipe, overrides) as bound:
        if searched:
            result = search_mix(bound, note)
            print_json(result) if as_json else click.echo(search_text(result, rehearsal=bound.rehearsal))
            return
        if part is not None:
            worth = ablate_run(bound, part, note)  # type: ignore[arg-type]  # click gives one of the three
            print_json(worth) if as_json else click.echo(ablation_text(worth, rehearsal=bound.rehearsal))
            return
        if bound.rehearsal and not allow_rehearsal:
            message = (
                "is a rehearsal: it proves the pipeline and is no training data; name a real teacher in the "
                "recipe, or add --allow-rehearsal to look at the format"
            )
            raise InputError([Problem(message, str(bound.folder.path))])
        try:
            done = write_mix(bound, name or "jsonl", out)
        except UnknownPlugin as error:
            raise InputError([Problem(str(error), key="--format")]) from None
    if as_json:
        value = {"path": str(done.path), "real": done.real, "synthetic": done.synthetic, "note": done.note}
        print_json({**value, "rehearsal": bound.rehearsal})
    else:
        click.echo(done.path)
        note(f"{done.real:,} real and {done.synthetic:,} generated rows")
    for line in (done.note, *done.notes):
        if line:
            note(line)
