"""`doctor` against real servers that do and do not do what is asked of them; `plugins`."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cli.workspace import Workspace
from tests.fake_endpoint import Answer, FakeEndpoint


def obedient(body: dict[str, Any]) -> str | Answer:
    prompt = body["messages"][-1]["content"]
    form = body.get("response_format")
    if form is not None:
        (name, field), *_ = form["json_schema"]["schema"]["properties"].items()
        return json.dumps({name: field["enum"][0]})
    code = re.search(r"code word is (\S+)\.\n", prompt)
    return code[1] if code else f"yes {body.get('seed')}"


def careless(body: dict[str, Any]) -> str | Answer:
    """Ignores the schema, and keeps the last 200 characters of a prompt."""
    prompt = body["messages"][-1]["content"][-200:]
    code = re.search(r"code word is (\S+)\.\n", prompt)
    return code[1] if code else f"Hello! {id(body)}"


def by_name(checks: list[Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    return {check["name"].rpartition(": ")[2]: check for check in checks}


def test_a_machine_alone(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, {"OPENAI_API_KEY": "sk-canary-51c0ffee"})
    done = workspace.run("doctor")
    assert "reply log: 20 commits" in done.out
    assert "OPENAI_API_KEY set" in done.out
    assert "canary" not in done.out + done.err
    assert list(tmp_path.iterdir()) == []
    states = {check["state"] for check in workspace.run("doctor", "--json").json}
    assert states <= {"ok", "warning"}


def test_an_endpoint_that_does_all_of_it(tmp_path: Path) -> None:
    with FakeEndpoint(obedient) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        plain = workspace.run("doctor", ".", "--json").json
        assert endpoint.stats().requests == 0
        assert any("offers 'fake'" in check["detail"] for check in plain)
        found = by_name(workspace.run("doctor", ".", "--ask", "--json").json)
        assert endpoint.stats().requests == 8
        for what in ("answers", "n", "seed", "temperature", "JSON schema", "long prompts"):
            assert found[what]["state"] == "ok", found[what]
    assert not (tmp_path / ".seedbed").exists()


def test_an_endpoint_that_does_little_of_it(tmp_path: Path) -> None:
    with FakeEndpoint(careless, ignores_n=True, refuses=["temperature"]) as endpoint:
        found = by_name(Workspace.make(tmp_path, endpoint.url).run("doctor", ".", "--ask", "--json").json)
    for what in ("n", "seed", "temperature", "JSON schema", "long prompts"):
        assert found[what]["state"] == "warning", found[what]
        assert found[what]["remedy"]


def test_what_would_stop_a_run_ends_with_one(tmp_path: Path) -> None:
    with FakeEndpoint(model="another") as endpoint:
        done = Workspace.make(tmp_path / "model", endpoint.url).run("doctor", ".", expect=1)
        assert "offers no 'fake', but another" in done.out
    with FakeEndpoint(key="right") as endpoint:
        workspace = Workspace.make(tmp_path / "key", endpoint.url)
        workspace.env = {"OPENAI_API_KEY": "wrong-canary-0815"}
        done = workspace.run("doctor", ".", expect=1)
        assert "set OPENAI_API_KEY" in done.out
        assert "canary" not in done.out
    done = Workspace.make(tmp_path / "down", "http://127.0.0.1:9/v1").run("doctor", ".", expect=1)
    assert "cannot be reached" in done.out
    assert "RECIPE" in Workspace(tmp_path).run("doctor", "--ask", expect=2).err


def test_plugins_lists_a_package_that_is_broken(tmp_path: Path) -> None:
    package = tmp_path / "site" / "outsider-1.5.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: outsider\nVersion: 1.5\n")
    (package / "entry_points.txt").write_text(
        "[seedbed.filters]\n"
        "broken = outsider:Broken\nfine = outsider_fine:Fine\nlength = outsider_fine:Fine\n"
    )
    (tmp_path / "site" / "outsider.py").write_text("raise OSError('no such library')\n")
    (tmp_path / "site" / "outsider_fine.py").write_text(
        textwrap.dedent('''
        class Fine:
            """Finds what is fine. And more."""

            name, version = "fine", 3
        ''')
    )
    path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    workspace = Workspace(tmp_path, {"PYTHONPATH": path})
    found = workspace.run("plugins", "--json").json
    assert set(found) == {"methods", "filters", "tasks", "students", "exporters", "models"}
    filters = {(entry["name"], entry["package"]): entry for entry in found["filters"]}
    assert filters["fine", "outsider 1.5"] == {
        "name": "fine",
        "version": 3,
        "package": "outsider 1.5",
        "about": "Finds what is fine",
        "error": None,
    }
    assert "no such library" in filters["broken", "outsider 1.5"]["error"]
    assert "taken already" in filters["length", "outsider 1.5"]["error"]
    assert filters["length", "seedbed"]["about"]
    shown = workspace.run("plugins").out
    assert "[outsider 1.5] cannot be loaded: OSError" in shown
    assert "Traceback" not in shown
