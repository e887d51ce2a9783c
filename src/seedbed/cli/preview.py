"""`seedbed preview`: the first cells of a plan, asked and judged, to be looked at."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seedbed.cli.output import fail, json_option, note, print_json, set_option

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

SIDE_BY_SIDE = 110
"""Columns from which prompt, reply and verdicts stand beside one another."""

_MOST_LINES = 30


@click.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@click.option(
    "-n", "cells", default=10, show_default=True, type=click.IntRange(1, 1000), help="Cells to ask."
)
@set_option
@json_option
def command(recipe: Path, cells: int, overrides: tuple[str, ...], as_json: bool) -> None:
    """Ask the first cells of RECIPE's plan and show prompt, reply and what each filter said.

    The replies are in the log: a run that follows asks none of it again. Commits no round.
    """
    from seedbed.run.loading import load_bound
    from seedbed.run.loop import run_in_loop
    from seedbed.run.preview import preview_recipe

    found = run_in_loop(preview_recipe(load_bound(recipe, overrides), cells, note))
    value = found.to_json()
    if as_json:
        print_json(value)
    else:
        _print(value)
    if found.error is not None:
        sys.exit(fail(found.error))
    sys.exit(6 if value["cells"] and not value["drafts"] else 0)


def _print(value: Mapping[str, Any]) -> None:
    from rich.console import Console

    from seedbed.publish.forecast_text import forecast_lines

    console = Console(highlight=False)
    for number, cell in enumerate(value["cells"], start=1):
        _show(console, number, len(value["cells"]), cell)
    share = value["yield"]
    rejected = ", ".join(f"{reason} {count}" for reason, count in sorted(value["rejected"].items()))
    failed = ", ".join(f"{cause} {count}" for cause, count in sorted(value["failed"].items()))
    interval = f"95 %: {share['low']:.0%} to {share['high']:.0%}"
    lines = [
        f"good: {value['good']} of {value['drafts']} drafts, {share['value']:.0%} ({interval})",
        *([f"rejected: {rejected}"] if rejected else []),
        *([f"failed cells: {failed}"] if failed else []),
    ]
    if value["tokens_a_draft"] is not None:
        lines.append(f"tokens: {value['tokens_a_draft']:,} a draft, prompt and reply")
        axes = value["axis_questions"]["questions"]
        once = f", {axes:,} questions for values of axes among it" if axes else ""
        lines.append(
            f"the whole run, {value['target']:,} accepted records{once}, would take (95 % intervals):"
        )
        lines += [f"  {line}" for line in forecast_lines(value["whole_run"])]
    if value["rehearsal"]:
        lines.append("REHEARSAL: these replies are made up and say nothing of a real teacher")
    for line in lines:
        click.echo(line)


def _show(console: Console, number: int, count: int, cell: Mapping[str, Any]) -> None:
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text

    from seedbed.publish.text_layout import printable

    slots = ", ".join(f"{name}={text}" for name, text in cell["slots"].items())
    console.print(Rule(Text(printable(f"{number} of {count}  {slots}"), style="bold"), align="left"))
    parts: list[tuple[str, RenderableType]] = [
        ("prompt", Text("\n".join(_prompt(cell["questions"])))),
        ("reply", Text("\n".join(_reply(cell)))),
        ("verdicts", _verdicts(cell["drafts"])),
    ]
    if console.width < SIDE_BY_SIDE:
        for name, part in parts:
            console.print(Text(name, style="bold"))
            console.print(part)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
    for (name, _), ratio in zip(parts, (4, 4, 3), strict=True):
        table.add_column(name, ratio=ratio, overflow="fold")
    table.add_row(*(part for _, part in parts))
    console.print(table)


def _prompt(questions: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for question in questions:
        if question["role"] == "teacher":
            for message in question["prompt"]:
                lines += [f"[{message['role']}]", *_lines(message["content"])]
    return lines


def _reply(cell: Mapping[str, Any]) -> list[str]:
    lines = []
    for question in cell["questions"]:
        for reply in question["replies"]:
            ended = "" if reply["finish_reason"] == "stop" else f" ({reply['finish_reason']})"
            lines += [f"[{question['role']}: {reply['model']}{ended}]", *_lines(reply["text"])]
    if cell["failed"]:
        lines.append(f"no answer: {cell['failed']}")
    return lines


def _verdicts(drafts: Sequence[Mapping[str, Any]]) -> RenderableType:
    from rich.text import Text

    from seedbed.publish.text_layout import printable

    text = Text()
    for draft in drafts:
        for verdict in draft["verdicts"]:
            score = f" {verdict['score']:.3f}" if verdict["score"] is not None else ""
            twin = f" twin of {verdict['survivor']}" if verdict["survivor"] else ""
            evidence = f" {printable(verdict['evidence'])[:200]}" if verdict["evidence"] else ""
            outcome = "keep" if verdict["keep"] else verdict["reason"]
            text.append(f"{verdict['filter']} ")
            text.append(outcome, style="green" if verdict["keep"] else "red")
            text.append(f"{score}{twin}{evidence}\n")
        text.append("good" if draft["good"] else f"rejected: {draft['reason']}", style="bold")
        text.append("\n")
    text.rstrip()
    return text


def _lines(content: str) -> list[str]:
    """The text's lines, harmless to a terminal, and no more of them than can be looked at."""
    from seedbed.publish.text_layout import printable

    lines = [printable(line) for line in content.splitlines()]
    if len(lines) > _MOST_LINES:
        return [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} more lines; --json has them"]
    return lines
