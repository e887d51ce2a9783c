"""Cover over documents where two methods work on two sources: each document is its own method's."""

from __future__ import annotations

from pathlib import Path

from seedbed.run.loading import load_bound
from seedbed.run.planner import plan_from_scratch
from tests.cli.workspace import Workspace


def test_each_document_is_left_to_the_method_that_works_on_it(tmp_path: Path) -> None:
    files = {
        "a/one.md": "Ask two weeks ahead.",
        "b/two.md": "Keep every receipt.",
        "b/three.md": "Call Ruth.",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    sources = {"a": {"path": "a", "chunk": {}}, "b": {"path": "b", "chunk": {}}}
    methods = {"grounded": {"source": "b"}, "personas": {"source": "a"}}
    generate = {"target": 12, "cover": {"document": "even"}, "methods": methods}
    place = Workspace.make(tmp_path, task={"kind": "instruction"}, sources=sources, generate=generate)
    bound = load_bound(place.folder, ())
    cells = plan_from_scratch(bound.space, bound.quotas, 100)
    assert len(cells) == 12
    assert {(cell.method, cell.axes["document"]) for cell in cells} == {
        ("grounded", "two.md"),
        ("grounded", "three.md"),
        ("personas", "one.md"),
    }
