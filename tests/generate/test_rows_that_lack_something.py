"""Rows without what a method works on are refused before anything is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from ruamel.yaml import YAML

from seedbed.core.errors import InputError
from seedbed.run.loading import load_bound
from tests.generate.bench import CLEAN

REAL: dict[str, list[dict[str, str]]] = {
    "instruction": [{"instruction": "What is a spoke?", "response": "A rod between hub and rim."}],
    "preference": [{"prompt": "What is 2 + 3?", "chosen": "5", "rejected": "6"}],
    "code": [{"prompt": "Double it.", "solution": "def f(x): return 2 * x", "tests": "assert f(1) == 2"}],
}


@pytest.mark.parametrize(
    ("kind", "method", "options", "row", "message"),
    [
        ("instruction", "distil", {}, {"response": "A rod."}, "sources.asked: the rows have no instruction"),
        ("instruction", "backtranslation", {}, {"response": "A rod."}, "the rows have no instruction"),
        ("preference", "preference", {"rank": ["verifier"]}, {"chosen": "5"}, "the rows have no prompt"),
        (
            "preference",
            "preference",
            {"rank": ["verifier"]},
            {"prompt": "What is 4 + 4?"},
            "generate.methods.preference: the rows have no answer to verify by",
        ),
        ("code", "rejection", {"verify": "parses"}, {"prompt": "Halve it."}, "the rows have no tests"),
    ],
)
def test_they_are_refused(
    kind: str, method: str, options: dict[str, Any], row: dict[str, str], message: str, tmp_path: Path
) -> None:
    for name, rows in {"real.jsonl": REAL[kind], "asked.jsonl": [row]}.items():
        (tmp_path / name).write_bytes(b"\n".join(orjson.dumps(one) for one in rows))
    asked = {"path": "asked.jsonl", "unlabelled": True}
    recipe = {
        "name": "lacking",
        "task": {"kind": kind},
        "sources": {"real": {"path": "real.jsonl"}, "asked": asked},
        "generate": {"target": 1, "methods": {method: {"source": "asked", **options}}},
    }
    with (tmp_path / "recipe.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(recipe, file)
    with pytest.raises(InputError, match=message):
        load_bound(tmp_path, CLEAN)
