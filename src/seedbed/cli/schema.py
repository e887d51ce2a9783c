"""`seedbed schema`: the JSON Schema of a recipe, for editors."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Print the JSON Schema (2020-12) of a recipe, for editors that complete and check YAML.

    It knows the plug-ins that are installed.
    """
    click.echo(schema_json(), nl=False)


def schema_json() -> bytes:
    import orjson

    from seedbed.recipe.json_schema import recipe_schema
    from seedbed.run.registry import registry

    return orjson.dumps(recipe_schema(registry()), option=orjson.OPT_INDENT_2) + b"\n"
