"""How the command line speaks: data on stdout, notes and errors on stderr, JSON where asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from seedbed.core.errors import InputError, SeedbedError

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value on stdout.")
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of the recipe, as in --set generate.target=50.",
)

_IN_THE_LOG = "; the replies received are in the log, and the same command goes on"
_FINISHED = "; what was finished is kept, and the same command goes on"
_KEPT = {
    **dict.fromkeys(("preview", "run", "loop", "calibrate"), _IN_THE_LOG),
    **dict.fromkeys(("mix", "train", "evaluate"), _FINISHED),
}


def note(message: str) -> None:
    """Tell the user something that is not data."""
    click.echo(f"seedbed: {message}", err=True)


def say_stopped(command: str) -> None:
    """Tell that Ctrl-C stopped it, and what is left of it, where anything is."""
    note(f"stopped{_KEPT.get(command, '')}")


def print_json(value: Any) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))


def fail(error: SeedbedError) -> int:
    """Print an error, each of its problems on a line of its own; returns its exit code."""
    if isinstance(error, InputError):
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        if len(error.problems) > 1 and error.nothing_sent:
            click.echo(f"{len(error.problems)} problems; nothing was sent.", err=True)
    else:
        click.echo(f"error: {error}", err=True)
    sys.stderr.flush()
    return error.exit_code
