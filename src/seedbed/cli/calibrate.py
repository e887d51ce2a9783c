"""`seedbed calibrate`: the recipe's judge beside people, and what it may do from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seedbed.cli.output import json_option, note, print_json, set_option


@click.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@click.argument("labels", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--column", default="human", show_default=True, help="Column that says what people think of it."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it; by default the file that the judge's filter names, or judge.calibration.json.",
)
@set_option
@json_option
def command(
    recipe: Path, labels: Path, column: str, out: Path | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Have RECIPE's judge rate the records of LABELS, and compare it with what people say of them.

    LABELS (CSV, JSONL, Parquet) has the task's fields and a column with accept, reject or a score
    from 1 to 5. Every answer goes through the reply log.
    """
    from seedbed.run.calibrating import calibrate, place_of_calibration
    from seedbed.run.loading import load_bound
    from seedbed.run.loop import run_in_loop
    from seedbed.sources.people import read_labelled

    bound = load_bound(recipe, overrides, calibrated=False)
    place = out or place_of_calibration(bound.loaded)
    labelled = read_labelled(labels, bound.task, column)
    value = run_in_loop(calibrate(bound, labelled, labels, place, note)).to_json()
    if as_json:
        print_json(value)
    else:
        _print(value)


def _print(value: dict[str, Any]) -> None:
    from seedbed.publish.judgement_text import comparison_lines
    from seedbed.publish.text_layout import table

    judge = value["judge"]
    click.echo(f"{judge['filter']}: {judge['model']}, by {judge['rubric']}")
    for line in comparison_lines(value):
        click.echo(line)
    rows = []
    for each in value["by_min"]:
        shown = [_interval(each[name]) for name in ("kappa", "sensitivity", "specificity")]
        rows.append([f"min {each['min']}", *shown, each["regime"]])
    click.echo(table(["", "kappa", "finds bad", "passes good", "regime"], rows))
    note(f"wrote {value['file']}; name it in the recipe's filters: {{judge: {{calibration: FILE}}}}")


def _interval(figure: dict[str, float] | None) -> str:
    return "–" if figure is None else f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"
