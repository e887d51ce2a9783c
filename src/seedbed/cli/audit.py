"""`seedbed audit`: the filters over a file, and its leaks against an eval set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from seedbed.cli.output import json_option, note, print_json
from seedbed.core.globs import matches

_MOST_SHOWN = 20
# The real rows of a recipe can be read where its teacher cannot be asked.
_NO_RUN = ("roles=null", "mix=null", "student=null", "export=null")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--against", type=click.Path(path_type=Path), help="An eval file to find leaks of.")
@click.option("--text", metavar="COL", help="The text column; by default the one with the most text.")
@click.option("--ignore-after", metavar="MARK", help="Compare texts only up to this mark.")
@click.option(
    "--drop", type=click.Path(path_type=Path), metavar="OUT", help="Write FILE without leaking rows."
)
@click.option("--drop-near", is_flag=True, help="With --drop: without near matches too.")
@click.option(
    "--recipe",
    type=click.Path(exists=True, path_type=Path),
    help="Check FILE with this recipe's filters, and measure it beside its real train rows.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="NAME",
    help="Add a filter, as in --filter pii or --filter '{language: {languages: [en]}}'; may be repeated.",
)
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="OUT.html", help="Write what was found as a page."
)
@json_option
def command(
    file: Path,
    against: Path | None,
    text: str | None,
    ignore_after: str | None,
    drop: Path | None,
    drop_near: bool,
    recipe: Path | None,
    filters: tuple[str, ...],
    report: Path | None,
    as_json: bool,
) -> None:
    """Check FILE (CSV, JSONL, Parquet, a folder of texts, a glob in quotes), and how varied it is.

    Rows are counted from 0. Ends with 3 where a row of FILE equals an eval row.
    """
    from seedbed.run.audit import audit
    from seedbed.run.loading import load_bound

    for path, name in ((file, "FILE"), (against, "--against")):
        if path is not None and not path.exists() and matches(path) is None:
            raise click.UsageError(f"{name}: {path}: no such file or folder")
    if drop is not None and against is None:
        raise click.UsageError("--drop needs --against: only leaking rows are dropped")
    if report is not None and report.resolve() in (file.resolve(), against and against.resolve()):
        raise click.UsageError("--report: is a file that is only read; name another one")
    if drop_near and drop is None:
        raise click.UsageError("--drop-near needs --drop OUT")
    result = audit(
        file,
        against=against,
        text=text,
        ignore_after=ignore_after,
        drop=drop,
        drop_near=drop_near,
        recipe=load_bound(recipe, _NO_RUN) if recipe is not None else None,
        filters=filters,
    )
    value = result.to_json()
    if as_json:
        print_json(value)
    else:
        _print(value, against)
    if drop is not None:
        note(f"wrote {drop} without {value['dropped']} rows")
    if report is not None:
        from seedbed.publish.audit_page import write_audit

        write_audit(value, str(file), str(against) if against is not None else None, report)
        note(f"wrote {report}")
    sys.exit(3 if result.leaks else 0)


def _print(value: dict[str, Any], against: Path | None) -> None:
    from seedbed.publish.measures_text import measures_section

    click.echo(f"{value['rows']:,} rows, text column {value['text_column']!r}")
    if against is not None:
        click.echo(
            f"leaks: {len(value['leaks'])} (of {value['eval_rows_leaked']} eval rows); "
            f"near matches, listed apart: {len(value['near'])}"
        )
        for leak in value["leaks"][:_MOST_SHOWN]:
            click.echo(f"  row {leak['row']} equals eval row {leak['eval_row']}: {leak['text'][:90]!r}")
        if len(value["leaks"]) > _MOST_SHOWN:
            click.echo(f"  and {len(value['leaks']) - _MOST_SHOWN} more; --json lists all")
    click.echo(f"duplicates: {len(value['duplicates'])}, near duplicates: {len(value['near_duplicates'])}")
    for name, counts in value["filters"].items():
        found = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items())) or "nothing"
        click.echo(f"  {name}: {found}")
    for name, reason in value["not_run"].items():
        click.echo(f"  {name} did not look: {reason}")
    click.echo("\n" + measures_section(value["measures"]))
