"""Replies, folders and templates that mean harm: named outcomes, and the run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.workspace import Workspace, check_accounts
from tests.fake_endpoint import FakeEndpoint, plausible


def test_odd_replies_are_drafts_like_any_other(tmp_path: Path) -> None:
    odd = [
        '{"text":' + "[" * 900 + "]" * 900 + "}",
        '{"text": "NUL \\u0000 and \\u202e right to left"}',
        '{"text": 1e999}',
        '{"text": ' + "9" * 400 + "}",
        '{"text": "{{ 7*7 }} <script>alert(1)</script> \\u001b[31m red"}',
        "",
        "null",
        "\ud7ff",
    ]

    def reply(body: dict[str, Any]) -> str:
        at = sum(map(ord, body["messages"][-1]["content"])) % 20
        return odd[at] if at < len(odd) else plausible(body)

    with FakeEndpoint(reply) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        accounts = workspace.run("run", ".", "--json").json["accounts"]
        check_accounts(accounts)
        assert accounts["drafts"]["accepted"] == 40
        shown = workspace.run("show", ".", "-n", "1000").out
        assert "\x1b" not in shown
        rows = workspace.run("show", ".", "-n", "1000", "--json").json
        assert any("{{ 7*7 }}" in str(row["fields"]) for row in rows)


@pytest.mark.parametrize(
    "body",
    [
        "{{ labels | random }} {{ label }}",
        "{{ lipsum() }} {{ label }}",
        "{{ label }} {{ labels[99] }}",
        "{{ label }} {{ slots.nope }}",
        "{{ label }} {% include 'x' %}",
        "{{ label }} {{ 1 // (draw - draw) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ label }}{{ m() }}",
        "{{ label }} {{ ''.__class__.__mro__ }}",
    ],
)
def test_templates_that_misbehave_are_refused_before_a_request(tmp_path: Path, body: str) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.write(endpoint.url, generate={"target": 5, "templates": ["a.j2"]})
        (tmp_path / "a.j2").write_text(body)
        done = workspace.run("run", ".", expect=2)
        assert "a.j2" in done.err
        assert "Traceback" not in done.err
        assert endpoint.stats().requests == 0


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("rounds/0001.json", b"{}"),
        ("rounds/0001.json", b"[]"),
        ("rounds/0001/verdicts.parquet", b"PAR1 cut"),
        ("manifest.json", b"{}"),
        ("manifest.json", b"{cut"),
    ],
)
def test_a_damaged_folder_is_named_by_every_command(
    rehearsal: Callable[[Path], Workspace], tmp_path: Path, file: str, content: bytes
) -> None:
    workspace = rehearsal(tmp_path)
    (workspace.run_folder / file).write_bytes(content)
    for command in (["report"], ["show"], ["export", "--allow-rehearsal"]):
        done = workspace.run(command[0], ".", *command[1:], expect=1)
        assert Path(file).name in done.err
        assert "Traceback" not in done.err


def test_a_link_in_the_way_is_not_followed(rehearsal: Callable[[Path], Workspace], tmp_path: Path) -> None:
    workspace = rehearsal(tmp_path / "work")
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (workspace.run_folder / "manifest.json.tmp").symlink_to(victim)
    workspace.run("run", ".", "--target", "25")
    assert victim.read_text() == "untouched"


def test_brackets_in_a_folders_name_are_letters(
    rehearsal: Callable[[Path], Workspace], tmp_path: Path
) -> None:
    one, other = Workspace.make(tmp_path / "g[1]"), rehearsal(tmp_path / "g1")
    other.run("run", ".", "--target", "32")
    one.run("run", ".", "--target", "20")
    assert len(json.loads(one.run("show", ".", "-n", "99", "--json").out)) < 32
    assert one.run("report", ".", "--no-html", "--json").json["accounts"]["drafts"]["accepted"] == 20
