"""docs/recipe.md says what the models say, of every key and of no other, and its examples load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from seedbed.filters import DEFAULT_FILTERS
from seedbed.models.recorded import By, RecordedReplies, RecordedTeacher
from seedbed.recipe import (
    AskedAxis,
    AskedTemplates,
    AxisFile,
    Budget,
    Chunk,
    EdgeCase,
    EmbedderRole,
    EndpointEntry,
    Extends,
    Generate,
    InputPrice,
    LicenceTerms,
    MethodEntry,
    Mix,
    PriceEntry,
    Recipe,
    RecordedRole,
    RehearsalRole,
    Roles,
    SliceEntry,
    Source,
    Split,
    TaskSection,
    WireRole,
)
from seedbed.recipe.axes import RESERVED_NAMES
from seedbed.tasks import TASKS
from tests.recipe.fake_registry import Load

DOCS = Path(__file__).resolve().parents[2] / "docs" / "recipe.md"
MODELS: list[type[BaseModel]] = [
    Extends,
    Recipe,
    TaskSection,
    *(TASKS.get(name).Options for name in TASKS),
    Source,
    Split,
    Chunk,
    Roles,
    WireRole,
    PriceEntry,
    LicenceTerms,
    EndpointEntry,
    RecordedRole,
    RehearsalRole,
    EmbedderRole,
    InputPrice,
    Generate,
    AxisFile,
    AskedAxis,
    AskedTemplates,
    EdgeCase,
    MethodEntry,
    Mix,
    SliceEntry,
    Budget,
]
# Not keys of their own: the name of an entry is a key of the map it stands in, its options stand beside it.
NOT_TYPED: set[tuple[type[BaseModel], str]] = {
    (MethodEntry, "name"),
    (MethodEntry, "options"),
    (TaskSection, "options"),
    (Roles, "others"),
}
# The reader fills these in where the recipe is silent.
FILLED_IN = {
    (Recipe, "roles"),
    (Recipe, "generate"),
    (Recipe, "filters"),
    (Roles, "teacher"),
    (Generate, "methods"),
}


def fields() -> Iterator[tuple[type[BaseModel], str, FieldInfo]]:
    for model in MODELS:
        for name, info in model.model_fields.items():
            if (model, name) not in NOT_TYPED:
                yield model, info.alias or name, info


def row(model: type[BaseModel], name: str, info: FieldInfo) -> str:
    default: Any = info.default
    if info.is_required() and (model, name) not in FILLED_IN:
        shown = "required"
    elif info.is_required() or info.default_factory is not None or default in (None, ()):
        shown = "–"
    else:
        written = list(default) if isinstance(default, tuple) else default
        shown = f"`{str(default).lower() if isinstance(default, bool) else written}`"
    return f"| `{name}` | {shown} | {info.description} |"


def test_every_key_has_its_row_and_every_row_its_key() -> None:
    """The page goes through the models in their order, so that it can be held to them line by line."""
    rows = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert rows == [row(model, name, info) for model, name, info in fields()]


def test_every_key_is_described() -> None:
    assert [(model.__name__, name) for model, name, info in fields() if not info.description] == []


def test_the_words_that_the_page_lists() -> None:
    text = " ".join(DOCS.read_text("utf-8").split())
    assert f"({', '.join(f'`{name}`' for name in RESERVED_NAMES)})" in text
    *first, last = (f"`{name}`" for name in DEFAULT_FILTERS)
    assert f"`default` means {', '.join(first)} and {last}" in text


def test_examples_load(load: Load) -> None:
    examples = re.findall(r"```yaml\n(name:.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        loaded = load(example, env={"OPENAI_BASE_URL": "http://localhost:8000/v1"})
        assert f"name: {loaded.recipe.name}\n" in example


def test_the_recorded_replies_of_the_page_are_found_as_it_says(tmp_path: Path) -> None:
    text = DOCS.read_text("utf-8")
    (block,) = re.findall(r"```jsonl\n(.*?)```", text, re.DOTALL)
    lines = block.splitlines()
    assert len(lines) == len(get_args(By))
    replies: dict[By, RecordedReplies] = {}
    for by, line in zip(get_args(By), lines, strict=True):
        (tmp_path / f"{by}.jsonl").write_text(line)
        replies[by] = RecordedReplies.load(tmp_path / f"{by}.jsonl", by)
    of_prompt, of_label = re.findall(r"`match: '(.*?)'`", text)
    RecordedTeacher(replies["prompt"], of_prompt)
    assert RecordedTeacher(replies["label"], of_label).needs_hints_for == []
    found = re.search(of_prompt, next(iter(replies["prompt"].groups)))
    assert found is not None
    assert f'"prompt": "{found["prompt"]}"' in text
    found = re.search(of_label, "team delivery, number 3")
    assert found is not None
    assert (found["label"], found["draw"]) == ("delivery", "3")
