"""`seedbed plan`: what a run would ask, without asking."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from seedbed.cli.output import json_option, note, print_json, set_option


@click.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@click.option("--target", type=click.IntRange(min=1), help="Accepted records to plan for.")
@set_option
@json_option
def command(recipe: Path, target: int | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Validate RECIPE as a whole and say what a run would ask. Makes no call."""
    from seedbed.run.loading import load_bound
    from seedbed.run.preview_plan import plan_of

    if target is not None:
        overrides = (*overrides, f"generate.target={target}")
    value = plan_of(load_bound(recipe, overrides), note)
    if as_json:
        print_json(value)
    else:
        _print(value)


def _print(value: dict[str, Any]) -> None:
    from seedbed.publish.cost_text import licence_lines, plan_line

    click.echo(f"recipe {value['recipe']}: {value['target']:,} accepted records wanted")
    click.echo(f"already accepted: {value['accepted']:,}")
    for line in value["differences"]:
        click.echo(f"changed: {line}")
    real = value["real_rows"]
    click.echo(
        f"real rows: {real['train']:,} train, {real['dev']:,} dev; eval locked: {value['eval_rows'] or 'no'}"
    )
    for name, asked in value["unasked_axes"].items():
        click.echo(
            f"axis {name} is not asked yet: {asked['frozen']} of {asked['count']} values are frozen, a run "
            f"first asks the teacher at least {asked['questions']} questions; the cells below reckon with "
            + ("the frozen ones" if asked["frozen"] else "a word in their place, and counts cells alone")
        )
    if (asked := value["unasked_templates"]) is not None:
        click.echo(
            f"templates are not asked yet: {asked['frozen']} of {asked['count']} are frozen, a run first "
            f"asks the teacher at least {asked['questions']} questions; the cells below reckon with the "
            "task's own prompt"
        )
    axes = value["axis_questions"]
    if axes["calls"]:
        click.echo(
            f"questions for values of axes and templates: at least {axes['calls']:,} calls, about "
            f"{axes['prompt_tokens']:,} prompt tokens and {axes['answer_tokens']:,} of answers; calls and "
            "cost below include them"
        )
    if not value["cells"]:
        click.echo("nothing is left to ask")
        return
    anew = "asked anew" if value["changed"] else "to be asked"
    click.echo(
        f"cells: {value['cells']:,}, {value['logged']:,} of them answered in the reply log and "
        f"{value['cells'] - value['logged']:,} {anew}; calls: at least {value['calls'] + axes['calls']:,} "
        "(drafts that filters reject are asked for again)"
    )
    if value["calls_at_most"] > value["calls"]:
        click.echo(
            f"methods that ask several questions a cell take {value['calls_at_most']:,} calls where all of "
            "them are asked; `seedbed preview` measures what that costs"
        )
    click.echo(
        f"prompt: about {value['prompt_tokens_each']:,} tokens each, at most {value['max_tokens']:,} back"
    )
    for line in [plan_line(value["cost"], value["answer_tokens_each"]), *licence_lines(value["licences"])]:
        click.echo(line)
    if value["forecast"] is not None:
        from seedbed.publish.forecast_text import forecast_lines

        click.echo(
            f"by {value['forecast']['previewed']} previewed cells the rest of the run takes (95 % intervals):"
        )
        for line in forecast_lines(value["forecast"]):
            click.echo(f"  {line}")
    for each in value["judged"]:
        click.echo(
            f"{each['filter']}: asks {each['model']} ({each['role']}) about every draft that the other "
            f"filters keep: at most {value['cells']:,} calls more, and one again where one is unreadable"
        )
    for name, counts in value["by_axis"].items():
        shown = ", ".join(f"{key} {count}" for key, count in Counter(counts).most_common(8))
        click.echo(f"  {name}: {shown}{', …' if len(counts) > 8 else ''}")
    click.echo("first prompt:")
    for message in value["first_prompt"]:
        click.echo(click.style(f"[{message['role']}]", bold=True))
        click.echo(message["content"])
