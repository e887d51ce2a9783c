"""The recipe is the same and its requests are not: said, counted, and not paid for unasked."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path

from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint

METHOD = """
    from seedbed.generate.prompting import OneQuestion, fixed_fields
    from seedbed.generate.reading import read_fields
    from seedbed.core.protocols import Draft
    from seedbed.core.record import Unreadable


    class Plug(OneQuestion):
        name = "plug"
        version = {version}
        uses_axes = True

        async def __call__(self, cell, ctx):
            fixed = fixed_fields(cell, ctx.task)
            asked = tuple(name for name in ctx.task.fields if name not in fixed)
            schema = {{**ctx.task.schema(omit=tuple(fixed)), "title": {title!r}}}
            drafts = []
            for reply in await ctx.ask(cell.template, schema=schema, fields=asked):
                read = read_fields(reply.choice, asked, "json")
                if isinstance(read, Unreadable):
                    drafts.append(Draft({{}}, (reply,), read))
                else:
                    drafts.append(Draft({{**read, **fixed, "text": read["text"] + {suffix!r}}}, (reply,)))
            return drafts
"""


def install(place: Path, *, version: int = 1, title: str = "one", suffix: str = "") -> None:
    """A method out of tree, as `pip install` lays it there: a module and its entry point."""
    info = place / "plug-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[seedbed.methods]\nplug = plug:Plug\n")
    text = textwrap.dedent(METHOD.format(version=version, title=title, suffix=suffix))
    (place / "plug.py").write_text(text)
    for stale in place.glob("__pycache__/*"):
        stale.unlink()


def test_a_method_that_asks_otherwise_is_not_paid_for_twice(tmp_path: Path) -> None:
    place = tmp_path / "site"
    install(place)
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path / "work", endpoint.url)
        workspace.env["PYTHONPATH"] = os.pathsep.join([str(place), os.environ["PYTHONPATH"]])
        generate = {"target": 40, "axes": {"tone": ["calm", "cross"]}, "methods": "plug"}
        workspace.write(endpoint.url, generate=generate)
        workspace.run("run", ".", "--max-requests", "36", expect=4)
        before = {p: p.read_bytes() for p in workspace.run_folder.rglob("*.parquet")}
        install(place, title="another")
        done = workspace.run("run", ".", expect=2)
        # The first round, of 32, is closed: only what is open would be asked.
        assert " 4 cells that the reply log answers would be asked again" in done.err
        assert "schema of library/classification: differs in 252 of 252 trial requests" in done.err
        assert "message" not in done.err.partition("no longer the same")[2]
        assert "--allow-reask" in done.err
        assert endpoint.stats().requests == 36
        assert {p: p.read_bytes() for p in workspace.run_folder.rglob("*.parquet")} == before
        install(place)
        workspace.run("run", ".")
        assert endpoint.stats().requests == 40
        # It is done: other requests repay nothing, until verdicts are wanted that need its replies.
        install(place, title="another")
        workspace.run("run", ".")
        assert endpoint.stats().requests == 40
        workspace.write(endpoint.url, generate=generate, filters=["default", "-refusal"])
        for command in ("refilter", "run"):
            said = workspace.run(command, ".", expect=2).err
            assert "40 cells that the reply log answers would be asked again" in said
            assert "schema of library/classification" in said
        assert endpoint.stats().requests == 40
        assert "asked again though" in workspace.run("run", ".", "--allow-reask").err
        assert endpoint.stats().requests == 80


def test_a_parser_of_another_version_reads_the_same_replies(tmp_path: Path) -> None:
    place = tmp_path / "site"
    install(place)
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path / "work", endpoint.url)
        workspace.env["PYTHONPATH"] = os.pathsep.join([str(place), os.environ["PYTHONPATH"]])
        generate = {"target": 40, "axes": {"tone": ["calm", "cross"]}, "methods": "plug"}
        workspace.write(endpoint.url, generate=generate)
        workspace.run("run", ".")
        install(place, version=2, suffix=" And more of it.")
        done = workspace.run("refilter", ".", "--json").json
        assert done["changes"] == ["method plug: version 1 → 2"]
        assert done["after"]["accepted"] == 40
        rows = json.loads(workspace.run("show", ".", "-n", "99", "--json").out)
        assert all(row["fields"]["text"].endswith("And more of it.") for row in rows)
        workspace.run("run", ".")
        assert endpoint.stats().requests == 40
        # A new version that asks otherwise, under the recipe as it was: nothing the user did.
        install(place, version=3, title="another")
        said = workspace.run("run", ".", expect=2).err
        assert "method plug: version 2 → 3" in said
        assert "40 cells" in said
        assert endpoint.stats().requests == 40
