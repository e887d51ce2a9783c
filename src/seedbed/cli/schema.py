"""`seedbed schema`: the JSON Schema of a recipe, for editors."""

from __future__ import annotations

import click

from seedbed.cli.output import print_json


@click.command()
def command() -> None:
    """Print the JSON Schema (2020-12) of a recipe, for editors that complete and check YAML.

    It knows the plug-ins that are installed.
    """
    from seedbed.recipe.json_schema import recipe_schema
    from seedbed.run.registry import registry

    print_json(recipe_schema(registry()))
