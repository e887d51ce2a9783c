"""Section `sources`: the real data, and which of it is the locked eval."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, field_validator, model_validator

from seedbed.core.globs import files_below, matches
from seedbed.core.protocols import Task
from seedbed.recipe.document import KeyPath
from seedbed.recipe.section import Bool, Float, Int, OneOrMore, Reading, Section, Text
from seedbed.recipe.words import distinct, slug

_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


class Split(Section):
    """Shares of a source's rows that are set aside; the rest is train."""

    dev: Float = Field(0.0, ge=0, lt=1, description="share that mixes and thresholds are chosen on")
    eval: Float = Field(0.0, ge=0, lt=1, description="share that becomes the locked eval")
    seed: Int = Field(0, ge=0, description="another seed gives another split")

    @model_validator(mode="after")
    def _leaves_train(self) -> Self:
        if self.dev + self.eval >= 1:
            raise ValueError("dev and eval together must stay below 1: the rest is the train part")
        return self


class Chunk(Section):
    """How documents are cut into the pieces that methods work on."""

    tokens: Int | None = Field(
        None, ge=20, description="most tokens of a chunk, at 4 characters each (default: 400)"
    )
    lines: Int | None = Field(None, ge=1, description="lines of a chunk, in the place of tokens: for code")
    by: Literal["heading", "paragraph"] = Field(
        "heading",
        description="`heading`: a chunk stays within its section; `paragraph`: headings are text like others",
    )

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.tokens is not None and self.lines is not None:
            raise ValueError("a chunk has so many tokens or so many lines; keep one of them")
        return self


PERSON = "person"
Redacted: TypeAlias = Literal[
    "email", "iban", "card", "us_ssn", "es_dni", "uk_nhs", "nl_bsn", "de_tax_id", "it_codice_fiscale", "ip",
    "phone", "person",
]  # fmt: skip


class Names(Section):
    """What tells names."""

    model: Text = Field("en_core_web_sm", description="spaCy pipeline: a package or a folder")


class Source(Section):
    """One named source of real rows, or of texts that methods work on."""

    path: Text = Field(
        description="a CSV, JSONL or Parquet file, a folder of texts or a glob such as `data/*.jsonl`, "
        "relative to the recipe's folder"
    )
    lock: Bool = Field(False, description="true: this is the eval; generation never sees it")
    format: Literal["csv", "jsonl", "parquet", "text"] | None = Field(
        None, description="how to read the path where its name does not tell"
    )
    columns: dict[Text, Text] = Field(
        default_factory=dict, description="field of the task -> column of the file, where the names differ"
    )
    compare: Annotated[tuple[Text, ...], OneOrMore, AfterValidator(distinct)] = Field(
        (), description="column or columns compared with the eval (default: the text, or the prompt)"
    )
    ignore_after: Text | None = Field(
        None, description="compared text ends where this marker first stands, such as `Choices:`"
    )
    group: Text | None = Field(None, description="column whose equal values stay on one side of a split")
    split: Split = Field(default_factory=Split, description="shares set aside: `{dev, eval, seed}`")
    unlabelled: Bool = Field(
        False, description="true: rows that lack the label or the answer, for methods that give it"
    )
    chunk: Chunk | None = Field(
        None, description="these are documents; they are cut into chunks, for methods that work on them"
    )
    redact: Annotated[tuple[Redacted, ...], OneOrMore, AfterValidator(distinct)] = Field(
        (), description="kinds of personal data that surrogates replace as the rows are read"
    )
    sensitive: Annotated[tuple[Text, ...], OneOrMore, AfterValidator(distinct)] = Field(
        (), description="columns whose values are replaced whole, and wherever else they stand in the row"
    )
    names: Names | None = Field(
        None, description="`{model}`: the spaCy pipeline that tells a `person` (default: en_core_web_sm)"
    )
    secrets: Literal["drop"] | None = Field(
        None, description="`drop`: chunks that hold a key, a token or a password are left out"
    )
    id: Text | None = Field(None, description="column that names a row for good (default: the row's content)")
    licence: Text | None = Field(None, description="licence of the data; it travels with every row")

    @field_validator("compare")
    @classmethod
    def _names_a_column(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must name at least one column; leave the key out for the default")
        return value

    @property
    def is_material(self) -> bool:
        """Whether it holds no real rows of the task, but what methods work on."""
        return self.unlabelled or self.chunk is not None

    @property
    def names_model(self) -> str | None:
        """The pipeline that tells persons, where they are to be redacted."""
        return (self.names or Names()).model if PERSON in self.redact else None


def read_sources(raw: Any, reading: Reading, task: Task | None) -> dict[str, Source]:
    """Every source that can be read as one, by name; all that is wrong with them is reported."""
    findings = reading.findings
    sources: dict[str, Source] = {}
    for name, value in findings.mapping(raw, ("sources",)).items():
        path: KeyPath = ("sources", name)
        if problem := slug(name):
            findings.add(path, problem)
        source = findings.model(Source, value, path)
        if source is None:
            continue
        _check_columns(source, path, reading, task)
        _check_material(source, path, reading)
        _check_redaction(source, path, reading, task)
        _check_path(source, path, reading)
        if task is not None and "compare" not in source.model_fields_set and not source.is_material:
            source = source.model_copy(update={"compare": task.compare_fields})
        sources[name] = source
    _check_eval(sources, reading)
    return sources


def _check_columns(source: Source, path: KeyPath, reading: Reading, task: Task | None) -> None:
    if task is None:
        return
    fields = task.fields if source.chunk is None else ("text",)
    for field in source.columns:
        if field not in fields:
            reading.findings.unknown_key((*path, "columns", field), fields)


def _check_material(source: Source, path: KeyPath, reading: Reading) -> None:
    """What only a source of the task's own rows has."""
    if not source.is_material:
        return
    what, findings = "unlabelled" if source.unlabelled else "chunk", reading.findings
    if source.unlabelled and source.chunk is not None:
        findings.add((*path, "chunk"), "documents are no rows without a label; keep unlabelled or chunk")
    for key in ("lock", "split", "compare", "ignore_after", "group"):
        if key in source.model_fields_set and getattr(source, key):
            findings.add((*path, key), f"{key} is for real rows of the task, not beside {what}; remove one")


def _check_redaction(source: Source, path: KeyPath, reading: Reading, task: Task | None) -> None:
    findings = reading.findings
    if source.names is not None and PERSON not in source.redact:
        findings.add((*path, "names"), "names tells a person, and none is redacted; write redact: [person]")
    if source.secrets is not None and source.chunk is None:
        findings.add(
            (*path, "secrets"), "chunks are dropped, and this source has none; write chunk, or remove secrets"
        )
    fields = () if task is None or source.chunk is not None else (*task.text_fields, task.label_field)
    for at, name in enumerate(source.sensitive):
        if name in fields or name in (source.columns.get(field or "") for field in fields):
            findings.add(
                (*path, "sensitive", at),
                f"{name!r} is what the records are made of, and would be no text any more; take personal "
                "data out of it with redact: [email, phone]",
            )


def _check_path(source: Source, path: KeyPath, reading: Reading) -> None:
    findings, where = reading.findings, (*path, "path")
    if findings.touch(where):
        return
    file = reading.folder / source.path
    if (found := matches(file)) is not None:
        if not found.files:
            findings.add(
                where,
                f"no file matches {found.pattern} in {found.base}; paths are relative to the recipe's folder",
            )
    elif not file.exists():
        findings.add(where, f"no such file: {file}; paths are relative to the recipe's folder")
    elif file.is_dir() and source.format not in (None, "text"):
        findings.add(where, f"{file} is a folder, and format {source.format} wants a file")
    elif file.is_file() and source.format == "text":
        findings.add(where, f"{file} is a file, and format text wants a folder or a glob of text files")
    elif file.is_file() and source.format is None and file.suffix.lower() not in _FORMATS:
        findings.add(
            where, f"cannot tell the format of {file.name} from its name; write format: csv, jsonl or parquet"
        )


def _check_eval(sources: dict[str, Source], reading: Reading) -> None:
    """At most one eval, apart from every real file."""
    findings = reading.findings
    first: str | None = None
    for name, source in sources.items():
        path: KeyPath = ("sources", name)
        if source.lock and source.split != Split():
            findings.add((*path, "split"), "a locked eval is not split; remove split, or lock")
        if not source.lock and not source.split.eval:
            continue
        if first is None:
            first = name
        else:
            where = (*path, "lock") if source.lock else (*path, "split", "eval")
            findings.add(where, f"there is one eval already, in source '{first}'; keep one of them")
    for name, source in sources.items():
        if not source.lock:
            continue
        # The eval is a file apart also from what methods work on.
        locked = _identities(reading.folder / source.path)
        for other, real in sources.items():
            if not real.lock and not locked.isdisjoint(_identities(reading.folder / real.path)):
                findings.add(
                    ("sources", name, "path"),
                    f"eval path = real path: source '{other}' reads {source.path} too, so the eval would be "
                    "seen in training; lock a file of its own, or give that source split: {eval: 0.2}",
                )


def _identities(path: Path) -> set[tuple[int, int]]:
    """Device and inode of every file that reading `path` would open: the same file under any name."""
    return {(stat.st_dev, stat.st_ino) for file in files_below(path) if (stat := file.stat())}
