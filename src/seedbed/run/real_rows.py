"""The sources of a recipe as rows: read, split where it says so, the eval left to its own process.

Beside real rows there is material: what methods work on, which is neither trained on nor measured against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn, TypeAlias

from seedbed.core.errors import RecipeError
from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.generate.ranking import PASSAGE
from seedbed.recipe import LoadedRecipe, Source
from seedbed.sources.chunks import Chunking
from seedbed.sources.material import load_chunks, load_unlabelled
from seedbed.sources.records import load_real
from seedbed.sources.redaction import Redaction
from seedbed.sources.spec import SourceSpec, documents_format
from seedbed.sources.split import split_source
from seedbed.text.names import problem_with_names

Attempt: TypeAlias = Callable[[Callable[[], None]], None]


def spec_of(name: str, loaded: LoadedRecipe, task: Task) -> SourceSpec:
    """A recipe's source as the sources room reads it; compared by the task's own fields by default."""
    source = loaded.recipe.sources[name]
    columns = {**_renamed(task.real_columns), **source.columns}
    path = loaded.folder / source.path
    return SourceSpec(
        name=name,
        path=path,
        format=source.format or (documents_format(path) if source.chunk else None),
        columns=columns,
        compare=tuple(source.compare or task.compare_fields),
        ignore_after=source.ignore_after,
        group=source.group,
        id=source.id,
        licence=source.licence,
        structured={columns.get(name, name): schema for name, schema in _structured(task).items()},
        redaction=_redaction_of(source, columns, loaded),
    )


def _redaction_of(source: Source, columns: Mapping[str, str], loaded: LoadedRecipe) -> Redaction | None:
    """What is replaced in a source. In the eval whatever is replaced in another one, too: it would not be
    seen that a redacted seed is one of its rows."""
    alike = loaded.recipe.sources.values() if source.lock else (source,)
    kinds = tuple(dict.fromkeys(kind for one in (source, *alike) for kind in one.redact))
    if not kinds and not source.sensitive:
        return None
    names = next((model for one in (source, *alike) if (model := one.names_model)), None)
    key = loaded.folder / ".seedbed" / "redaction" / f"{loaded.recipe.name}.key"
    return Redaction(kinds, tuple(columns.get(name, name) for name in source.sensitive), names, key)


def needed_of_eval(spec: SourceSpec, task: Task, *, tested: bool) -> list[str]:
    """Columns of a locked eval that must be usable beside those compared: what a student is `tested` on."""
    if task.label_field is not None:
        return [spec.column(name) for name in (task.label_field, *task.text_fields)]
    if not tested:
        return []
    return [spec.column(name) for name in task.real_columns if name not in task.optional_fields]


def _renamed(columns: Mapping[str, str]) -> dict[str, str]:
    return {name: column for name, column in columns.items() if name != column}


def _structured(task: Task) -> dict[str, dict[str, Any]]:
    """The fields of real rows that are no text, each with the schema of an object that has it alone."""
    known = task.schema()["properties"]
    return {
        name: task.schema(omit=[other for other in task.fields if other != name])
        for name in task.real_columns
        if known[name].get("type") != "string"
    }


def passages_in(material: Mapping[str, Sequence[Record]]) -> list[Record]:
    """The passages of documents among the material."""
    return [item for items in material.values() for item in items if item.fields.keys() == PASSAGE]


class RealRows:
    """The real rows by side, the material by source, and where the locked eval lies.

    `redacted` is what was replaced in each source that is redacted, by kind. `attempt` runs what may raise
    InputError and keeps its problems.
    """

    def __init__(self, loaded: LoadedRecipe, task: Task, attempt: Attempt) -> None:
        self.train: list[Record] = []
        self.dev: list[Record] = []
        self.material: dict[str, list[Record]] = {}
        self.specs: dict[str, SourceSpec] = {}
        self.eval_spec: SourceSpec | None = None
        self.redacted: dict[str, Counter[str]] = {}
        for name, source in loaded.recipe.sources.items():
            spec = spec_of(name, loaded, task)
            if source.names_model and (problem := problem_with_names(source.names_model)):
                attempt(partial(_refuse, loaded, ("sources", name, "redact"), problem))
                continue
            if (source.redact or source.sensitive or source.secrets) and not source.lock:
                self.redacted[name] = Counter()
            if source.lock:
                self.eval_spec = spec
            elif source.is_material:
                self.specs[name] = spec
                attempt(partial(self._read_material, source, spec, task))
            else:
                self.specs[name] = spec
                attempt(partial(self._read, source, spec, loaded, task))

    def _read_material(self, source: Source, spec: SourceSpec, task: Task) -> None:
        if source.chunk is not None:
            chunking = Chunking(source.chunk.tokens, source.chunk.lines, source.chunk.by)
            self.material[spec.name] = load_chunks(
                spec, chunking, drop_secrets=source.secrets == "drop", redacted=self.redacted.get(spec.name)
            )
        else:
            self.material[spec.name] = load_unlabelled(
                spec,
                task.text_fields,
                may_be_empty=task.optional_fields,
                redacted=self.redacted.get(spec.name),
            )

    def _read(self, source: Source, spec: SourceSpec, loaded: LoadedRecipe, task: Task) -> None:
        optional = task.optional_fields
        split = source.split
        if not (split.dev or split.eval):
            self.train += load_real(
                spec,
                tuple(task.real_columns),
                may_be_empty=optional,
                redacted=self.redacted.get(spec.name),
            )
            return
        out = loaded.folder / ".seedbed" / "splits" / loaded.recipe.name / spec.name
        files = split_source(
            spec, {"dev": split.dev, "eval": split.eval}, split.seed, out, may_be_empty=optional
        )
        if spec.name in self.redacted:
            self.redacted[spec.name].update(files.redacted)
        self.train += load_real(files.source(spec, "train"), tuple(task.real_columns), may_be_empty=optional)
        if files.dev is not None:
            dev = load_real(files.source(spec, "dev"), tuple(task.real_columns), may_be_empty=optional)
            if own := sum(row.provenance.depth > 0 for row in dev):
                message = (
                    f"{own:,} of the {len(dev):,} dev rows are output of Seedbed, and a student is scored on "
                    "real rows alone; set dev rows aside from a source of real rows"
                )
                _refuse(loaded, ("sources", spec.name, "split", "dev"), message)
            self.dev += dev
        if files.eval_path is not None:
            self.eval_spec = files.source(spec, "eval")


def _refuse(loaded: LoadedRecipe, keys: tuple[str, ...], message: str) -> NoReturn:
    raise RecipeError([loaded.problem(keys, message)])
