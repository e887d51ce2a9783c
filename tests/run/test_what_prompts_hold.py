"""Whatever a recipe would show to a teacher is held against its locked eval before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import ContaminationError
from seedbed.run.loading import load_bound
from seedbed.run.session import locked_eval
from tests.cli.workspace import Workspace

HELD = "The kettle that I ordered whistles in the key of F."


def leaks_of(
    folder: Path, generate: dict[str, Any], files: Mapping[str, str] = {}, **material: dict[str, Any]
) -> str:
    sources = {"real": {"path": "data/train.csv"}, "held": {"path": "eval.csv", "lock": True}, **material}
    workspace = Workspace.make(folder, sources=sources, generate={"target": 4, **generate})
    for name, text in {"eval.csv": f"text,category\n{HELD},delivery\n", **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    bound = load_bound(workspace.folder, ())
    with pytest.raises(ContaminationError) as refused, locked_eval(bound, print, "test"):
        pass
    return str(refused.value)


def test_a_row_without_its_label(tmp_path: Path) -> None:
    said = leaks_of(
        tmp_path,
        {"methods": "label"},
        {"inbox.csv": f"text\nWhere is my parcel?\n{HELD}\n"},
        inbox={"path": "inbox.csv", "unlabelled": True},
    )
    assert said.startswith("1 of 2 rows of source 'inbox' equal a locked eval row: inbox row 1 (eval row 0)")


def test_a_document_with_the_row_in_its_midst(tmp_path: Path) -> None:
    said = leaks_of(
        tmp_path,
        {"methods": "personas"},
        {"docs/a.md": "All is well here.", "docs/b.md": f"Letters of May: {HELD} Yours, a customer."},
        docs={"path": "docs", "chunk": {}},
    )
    assert said == "document 'docs: b.md' holds the text of eval row 0; take it out of the document"


def test_what_an_edge_case_asks_for(tmp_path: Path) -> None:
    case = {"name": "kettle", "ask": HELD, "count": 1}
    said = leaks_of(tmp_path, {"axes": {"tone": ["dry"]}, "edge_cases": [case]})
    assert said.startswith("1 of 1 values of axis 'edge_case' equal a locked eval row")


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({"task": {"kind": "instruction", "description": f"Such as: {HELD}"}}, "task.description"),
        (
            {"generate": {"target": 4, "methods": {"critique": {"principles": [f"Unlike {HELD}"]}}}},
            "generate.methods.critique",
        ),
    ],
)
def test_the_task_and_what_a_method_is_told(tmp_path: Path, told: dict[str, Any], where: str) -> None:
    recipe: dict[str, Any] = {
        "task": {"kind": "instruction"},
        "sources": {"held": {"path": "eval.csv", "lock": True}},
        "generate": {"target": 4},
    }
    workspace = Workspace.make(tmp_path, **(recipe | told))
    (tmp_path / "eval.csv").write_text(f"instruction,response\n{HELD},Thank you.\n", "utf-8")
    bound = load_bound(workspace.folder, ())
    refused = pytest.raises(ContaminationError, match=f"{where}' holds the text of eval row 0")
    with refused, locked_eval(bound, print, "test"):
        pass
