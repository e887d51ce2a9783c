"""A small registry of its own, so that the recipe is tested without any real plug-in but the tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.cell import Cell
from seedbed.core.errors import Problem
from seedbed.core.protocols import Asking, Draft, Task
from seedbed.core.registry import Registry, Table
from seedbed.generate.method import BaseMethod, MethodOptions
from seedbed.recipe import LoadedRecipe
from seedbed.tasks import TASKS

DEFAULT_FILTERS = ("refusal", "schema", "length", "duplicates", "near_duplicates", "contamination")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Empty(Strict):
    pass


class Length(Strict):
    min_words: int | None = Field(None, ge=0)


class NearDuplicates(Strict):
    threshold: float | None = Field(None, gt=0, le=1)


class Asked(Strict):
    output: str = Field("json", pattern="json|text")


class Faults(BaseModel):
    """With an attribute by another name than its key, and taking both, as the real ones do."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    broken_json: float = Field(0.06, ge=0, le=1)
    refusal: float = Field(0.04, ge=0, le=1)
    copies: float = Field(0.06, ge=0, le=1, alias="copy")  # an attribute `copy` would hide a method


class Features(Strict):
    features: str = "word"


class Judge(Strict):
    min: int | None = Field(None, ge=2, le=5)
    same_family: str | None = None


class JudgeFaults(Strict):
    unreadable: float = Field(0.05, ge=0, le=1)


class Works(MethodOptions):
    source: str | None = None
    role: str = "teacher"


def method(method_name: str, options: type[BaseModel], axes: bool = True, **declared: Any) -> Any:
    class Method(BaseMethod):
        name: ClassVar[str] = method_name
        version: ClassVar[int] = 1
        uses_axes: ClassVar[bool] = axes
        Options: ClassVar[type[BaseModel]] = options

        def roles(self) -> Sequence[str]:
            return (getattr(self.options, "role", "teacher"),)

        async def __call__(self, cell: Cell, ctx: Asking) -> list[Draft]:
            raise NotImplementedError

    for key, value in declared.items():
        setattr(Method, key, value)
    return Method


def plugin(plugin_name: str, options: type[BaseModel], of_kind: str = "record") -> Any:
    class Plugin:
        kind: ClassVar[str] = of_kind
        role: ClassVar[str] = "judge"
        name: ClassVar[str] = plugin_name
        version: ClassVar[int] = 1
        Options: ClassVar[type[BaseModel]] = options

    return Plugin


def student(student_name: str, options: type[BaseModel]) -> Any:
    class Student:
        name: ClassVar[str] = student_name
        version: ClassVar[int] = 1
        Options: ClassVar[type[BaseModel]] = options

        def __init__(self, options: Any) -> None:
            pass

        def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
            return [] if task.label_field is not None else [((), "needs a task with labels")]

    return Student


def _same(loaded: Any) -> Any:
    return loaded


def table(kind: str, *plugins: Any) -> Table[Any]:
    loaders: dict[str, Callable[[], Any]] = {p.name: partial(_same, p) for p in plugins}
    return Table(kind, f"seedbed.test.{kind}", loaders)


def fake_registry() -> Registry:
    options: dict[str, type[BaseModel]] = {"length": Length, "near_duplicates": NearDuplicates}
    return Registry(
        methods=table(
            "method",
            method("direct", Asked, axes=False),
            method("template", Asked),
            method("label", Works, source_kinds=("unlabelled",), tasks=("classification",)),
            method("grounded", Works, source_kinds=("documents",), tasks=("instruction",)),
            method("paraphrase", Works, source_kinds=("unlabelled", "real")),
        ),
        filters=table(
            "filter",
            *(plugin(name, options.get(name, Empty)) for name in DEFAULT_FILTERS),
            plugin("judge", Judge, of_kind="model"),
        ),
        tasks=TASKS,
        students=table("student", student("classifier", Features)),
        exporters=table("export format", *(plugin(name, Empty) for name in ("jsonl", "csv", "trl-sft"))),
        models=table("teacher", plugin("rehearsal", Faults), plugin("rehearsal_judge", JudgeFaults)),
    )


class Load(Protocol):
    """Writes `text` as the folder's recipe.yaml and loads it."""

    def __call__(
        self, text: str, overrides: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> LoadedRecipe: ...


class Fail(Protocol):
    """Like `Load`, for a recipe that must be refused: its problems."""

    def __call__(
        self, text: str, overrides: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> tuple[Problem, ...]: ...
