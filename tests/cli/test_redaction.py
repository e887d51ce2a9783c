"""What a source redacts reaches nobody: no byte at a real endpoint, no file of the run, nothing printed."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard

from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint

EMAIL, IBAN = "canary.eleven@brightmail.net", "GB29NWBK60161331926819"
ZSTD = bytes.fromhex("28b52ffd")
CANARIES = (EMAIL.encode(), IBAN.encode(), b"canary.eleven", b"NWBK6016")


def with_canaries(folder: Path) -> None:
    """Both in every row of the seeds, so that every prompt with an example would show them."""
    path = folder / "data" / "train.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*rows[0], "customer"])
        writer.writeheader()
        for row in rows:
            row["text"] = f"{row['text']} My mail is {EMAIL}, my IBAN {IBAN}."
            writer.writerow({**row, "customer": "Canary Eleven"})


def held(data: bytes) -> list[bytes]:
    """The canaries in these bytes, packed or not."""
    texts = [data]
    if data[:4] == b"PAR1":
        texts.append(json.dumps(pq.read_table(io.BytesIO(data)).to_pylist(), default=str).encode())
    return [canary for canary in CANARIES for text in texts if canary in text]


def replies(workspace: Workspace) -> bytes:
    """All that stands in the workspace's reply log, unpacked."""
    found = b""
    for path in list((workspace.folder / ".seedbed").glob("*.sqlite")):
        with closing(sqlite3.connect(path)) as log:
            for (table,) in log.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for value in (value for row in log.execute(f"SELECT * FROM {table}") for value in row):
                    if isinstance(value, bytes) and value.startswith(ZSTD):
                        found += zstandard.ZstdDecompressor().decompressobj().decompress(value)
                    elif isinstance(value, bytes | str):
                        found += value if isinstance(value, bytes) else value.encode()
    return found


def run_with(folder: Path, **source: Any) -> tuple[Workspace, bytes, str, Mapping[str, Any]]:
    """A run with canaries in its seeds: its folder, all that the endpoint got, all that was printed."""
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(folder, endpoint.url)
        with_canaries(folder)
        sources = {"real": {"path": "data/train.csv", **source}}
        workspace.write(endpoint.url, sources=sources, filters=["schema", "secrets", "pii"])
        commands = (["plan", "."], ["preview", "."], ["run", ".", "--json"], ["report", "."], ["card", "."])
        done = [workspace.run(*command) for command in (*commands, ["export", ".", "--format", "jsonl"])]
        printed = "".join(each.out + each.err for each in done)
    return workspace, endpoint.received, printed, done[2].json


def files_with_canaries(workspace: Workspace) -> list[str]:
    places = (workspace.run_folder, workspace.folder / ".seedbed")
    found = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert len(found) > 10
    return [path.name for path in found if held(path.read_bytes())]


def test_canaries_in_the_seeds_reach_no_endpoint_and_no_file(tmp_path: Path) -> None:
    workspace, sent, printed, summary = run_with(tmp_path, redact=["email", "iban"], sensitive="customer")
    assert summary["accounts"]["drafts"]["accepted"] == 40
    assert b"@example." in sent  # the examples are shown, with surrogates in them
    assert b"XXXX" in sent
    assert held(sent) == []
    assert held(printed.encode()) == []
    assert files_with_canaries(workspace) == []
    assert held(replies(workspace)) == []
    manifest = json.loads((workspace.run_folder / "manifest.json").read_text("utf-8"))
    rows = manifest["facts"]["real_rows"]["train"]
    assert manifest["facts"]["redacted"] == {"real": {"email": rows, "iban": rows, "sensitive": rows}}
    card = (workspace.run_folder / "card" / "README.md").read_text("utf-8")
    assert f"{rows:,} `email`" in card
    for page in (card, " ".join(printed.split())):
        assert "pii did not check names of persons and places" in page
    key = (workspace.folder / ".seedbed" / "redaction" / "tickets.key").read_text("ascii").strip()
    assert not [
        path
        for path in workspace.run_folder.rglob("*")
        if path.is_file() and key.encode() in path.read_bytes()
    ]


def test_without_redaction_the_same_look_finds_them(tmp_path: Path) -> None:
    workspace, sent, printed, _ = run_with(tmp_path)
    assert held(sent)
    assert held(printed.encode())
    assert workspace.accepted()


@pytest.mark.parametrize(
    ("source", "key", "message"),
    [
        ({"redact": ["person"]}, "redact", "en_core_web_sm|pip install 'seedbed"),
        ({"redact": ["emial"]}, "redact", "email"),
        ({"sensitive": ["text"]}, "sensitive", "redact: \\[email, phone\\]"),
        ({"sensitive": ["custmer"]}, "custmer", "custmer"),
        ({"secrets": "drop"}, "secrets", "chunk"),
        ({"names": {"model": "x"}}, "names", "redact: \\[person\\]"),
    ],
)
def test_what_cannot_be_redacted_is_refused_before_anything_is_asked(
    source: dict[str, Any], key: str, message: str, tmp_path: Path
) -> None:
    workspace = Workspace.make(tmp_path, sources={"real": {"path": "data/train.csv", **source}})
    done = workspace.run("plan", ".", expect=2)
    assert key in done.err
    assert re.search(message, done.err)


def test_a_seed_that_is_redacted_is_still_found_in_the_eval(tmp_path: Path) -> None:
    """The eval is redacted alike where it is compared; else surrogates would hide a leak."""
    workspace = Workspace.make(tmp_path)
    with_canaries(tmp_path)
    (tmp_path / "data" / "eval.csv").write_text((tmp_path / "data" / "train.csv").read_text("utf-8"), "utf-8")
    workspace.write(
        sources={
            "real": {"path": "data/train.csv", "redact": ["email", "iban"]},
            "eval": {"path": "data/eval.csv", "lock": True},
        }
    )
    done = workspace.run("run", ".", expect=3)
    assert "equal a locked eval row" in done.err
