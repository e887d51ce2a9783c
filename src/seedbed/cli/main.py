"""`seedbed`: the commands, their errors and their exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from seedbed import __version__
from seedbed.cli.output import fail, say_stopped

# Command -> module: a command's imports are paid for by that command alone.
COMMANDS = {
    "init": "seedbed.cli.init",
    "doctor": "seedbed.cli.doctor",
    "plan": "seedbed.cli.plan",
    "preview": "seedbed.cli.preview",
    "run": "seedbed.cli.run",
    "show": "seedbed.cli.show",
    "report": "seedbed.cli.report",
    "card": "seedbed.cli.card",
    "mix": "seedbed.cli.mix",
    "train": "seedbed.cli.train",
    "evaluate": "seedbed.cli.evaluate",
    "loop": "seedbed.cli.loop",
    "refilter": "seedbed.cli.refilter",
    "requests": "seedbed.cli.requests",
    "calibrate": "seedbed.cli.calibrate",
    "audit": "seedbed.cli.audit",
    "export": "seedbed.cli.export",
    "schema": "seedbed.cli.schema",
    "plugins": "seedbed.cli.plugins",
}
SUMMARIES = {
    "init": "Make a recipe folder from a starter recipe.",
    "doctor": "Check this machine, and a recipe's endpoints, before a run.",
    "plan": "Say what a run would ask. Makes no call.",
    "preview": "Ask the first cells of the plan, and show them beside their verdicts.",
    "run": "Generate, filter and prove, up to the target; goes on where it was stopped.",
    "show": "Show a run's drafts, or one record's whole way.",
    "report": "Report on a run, as text and as one HTML file.",
    "card": "Write a run's data card.",
    "mix": "Write the mix of real and generated rows, or search its share.",
    "train": "Train the recipe's student on the arms and score it on dev rows.",
    "evaluate": "Score the student on the locked eval, opened once.",
    "loop": "Run, train, find the weak spots, and ask for more of those, in rounds.",
    "refilter": "Pass the present filters over a run's drafts. Makes no call.",
    "requests": "Have answers of a run asked for again: `requests forget`.",
    "calibrate": "Compare a recipe's judge with what people say of records.",
    "audit": "Check a data set that you already have.",
    "export": "Write a run's accepted records in a format.",
    "schema": "Print the JSON Schema of a recipe, for editors.",
    "plugins": "List what a recipe may name, and which package offers it.",
}
# Commands of other programs, and what does their work here.
_CHECKS = "`seedbed plan RECIPE` checks a recipe as a whole, and makes no call"
ELSEWHERE = dict.fromkeys(("validate", "check", "lint"), _CHECKS)


class LazyGroup(click.Group):
    """Knows its commands by name and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from seedbed.core.registry import nearest

        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            close = nearest(name, list(COMMANDS))
            hint = f"did you mean '{close}'?" if close else "`seedbed --help` lists them"
            ctx.fail(f"no command is called '{name}'; {ELSEWHERE.get(name, hint)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say_stopped(ctx.invoked_subcommand or "")
            sys.exit(130)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="seedbed")
def cli() -> None:
    """Turn a task, real examples and a teacher model into a training set that can be defended.

    Exit codes: 0 target met; 1 error; 2 usage, invalid recipe, or answers
    that would be asked for again; 3 contamination, or variety ran
    out; 4 budget reached; 5 endpoint or credentials; 6 cells failed; 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `seedbed` command; `arguments` are those of the process unless given."""
    from seedbed.core.errors import SeedbedError
    from seedbed.core.garbage import collect_rarely

    collect_rarely()
    # Before Arrow is first imported: its own allocator keeps what it freed, some 35 MB of a run.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        code = cli.main(arguments, standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SeedbedError as error:
        sys.exit(fail(error))
    except BrokenPipeError:
        # Whoever read our output went away (`seedbed show … | head`): not an error of ours.
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
