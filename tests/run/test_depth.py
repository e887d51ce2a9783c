"""Output of a run as the source of another: how deep its records are, and where that ends."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import InputError
from seedbed.run.loading import load_bound
from seedbed.run.training import material_of
from seedbed.run.view import RunView
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint
from tests.run.test_edge_cases_and_teachers import reply

GENERATE = {"target": 24, "examples": 2, "axes": {"tone": ["calm", "cross"]}}


def made_from(folder: Path, url: str, source: str | None, **changes: Any) -> Workspace:
    sources = {"real": {"path": source}} if source else {"real": {"path": "data/train.csv"}}
    settings: dict[str, Any] = {"generate": GENERATE, "filters": ["schema"], "export": ["jsonl"], **changes}
    return Workspace.make(folder, url, sources=sources, **settings)


def depths(workspace: Workspace) -> Counter[int]:
    return Counter(each.provenance.depth for each in RunView.open(workspace.folder).ledger().accepted())


def test_depth_three_is_refused_before_any_request(tmp_path: Path) -> None:
    with FakeEndpoint(reply) as server:
        first = made_from(tmp_path / "first", server.url, None)
        first.run("run", ".")
        assert depths(first) == {1: 24}
        second = made_from(tmp_path / "second", server.url, str(first.run_folder / "export" / "jsonl.jsonl"))
        done = second.run("run", ".")
        assert depths(second) == {2: 24}
        assert "24 of the 24 train rows are output of Seedbed" in done.err
        assert material_of(load_bound(second.folder, ())).real == ()
        exported = second.run_folder / "export" / "jsonl.jsonl"
        ids = [json.loads(line)["seedbed_id"] for line in exported.read_text("utf-8").splitlines()]
        assert all(name.endswith("-d2") for name in ids)
        assert second.run("show", ".", ids[0], "--json").json["id"] == ids[0].split("-")[1]

        asked = server.stats().requests
        third = made_from(tmp_path / "third", server.url, str(exported))
        refused = third.run("run", ".", expect=2)
        assert server.stats().requests == asked
    assert "24 rows are output of Seedbed of depth 2" in refused.err
    assert "depth 3 is refused" in refused.err
    assert not third.run_folder.exists()


@pytest.mark.parametrize("kind", ["unlabelled", "chunk"])
def test_what_methods_work_on_may_be_no_deeper(tmp_path: Path, kind: str) -> None:
    rows = [{"text": f"row {n} of a file", "seedbed_id": f"sbd-{n:024x}-d2"} for n in range(6)]
    deep = tmp_path / "deep.jsonl"
    deep.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    more: dict[str, Any] = {"unlabelled": True} if kind == "unlabelled" else {"chunk": {}}
    sources = {"real": {"path": "data/train.csv"}, "deep": {"path": str(deep), **more}}
    Workspace.make(tmp_path, sources=sources)
    with pytest.raises(InputError, match="6 rows are output of Seedbed of depth 2"):
        load_bound(tmp_path, ())


def test_a_dev_set_is_real(tmp_path: Path) -> None:
    rows = [
        {"text": f"message {n} of {label} {n * 7919}", "category": label, "seedbed_id": f"sbd-{n:024x}"}
        for n in range(20)
        for label in ("billing", "access")
    ]
    own = tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    Workspace.make(tmp_path, sources={"real": {"path": str(own), "split": {"dev": 0.2}}})
    with pytest.raises(InputError, match=r"of the \d+ dev rows are output of Seedbed"):
        load_bound(tmp_path, ())
