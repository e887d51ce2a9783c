"""`seedbed init`: a recipe folder to start from."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from seedbed.cli.output import note
from seedbed.cli.schema import schema_json
from seedbed.core.errors import InputError, Problem
from seedbed.core.registry import nearest

# The starter recipes name it in their first line, for editors.
SCHEMA_FILE = "recipe.schema.json"


def examples() -> dict[str, Traversable]:
    """Starter recipes by name."""
    root = resources.files("seedbed") / "examples"
    return {
        entry.name.replace("_", "-"): entry for entry in root.iterdir() if (entry / "recipe.yaml").is_file()
    }


def purpose(example: Traversable) -> str:
    """What a starter recipe is for: its first comment, below the line that names the schema."""
    return (example / "recipe.yaml").read_text("utf-8").splitlines()[1].removeprefix("# ")


class _ListsStarters(click.Command):
    """Its help ends with the starter recipes, which are read when somebody asks."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Starter recipes"):
            formatter.write_dl([(name, purpose(each)) for name, each in sorted(examples().items())])


@click.command(cls=_ListsStarters)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--example", "name", default="support-tickets", show_default=True, help="The starter recipe.")
def command(folder: Path, name: str) -> None:
    """Make DIR with a starter recipe, its prompts and data, and the schema that editors check it with.

    Never writes over a file.
    """
    known = examples()
    if name not in known:
        close = nearest(name, list(known))
        hint = f"did you mean {close!r}? There are:" if close else "there are:"
        lines = [f"  {known_name:<22} {purpose(known[known_name])}" for known_name in sorted(known)]
        raise InputError([Problem("\n".join([f"no example is called {name!r}; {hint}", *lines]))])
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError([Problem("is there already and not empty; name another folder", str(folder))])
    _copy(known[name], folder)
    (folder / SCHEMA_FILE).write_bytes(schema_json())
    note(f"made {folder}; read {folder}/recipe.yaml, then: seedbed run {folder}")


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            _copy(entry, target / entry.name)
        else:
            (target / entry.name).write_bytes(entry.read_bytes())
