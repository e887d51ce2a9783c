"""What methods work on beside real rows: rows that lack a label or an answer, and chunks of documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from seedbed.core.errors import SourceError
from seedbed.core.record import Provenance, Record, real_record_id
from seedbed.sources.chunks import Chunking
from seedbed.sources.readers import read_rows
from seedbed.sources.records import Origins
from seedbed.sources.spec import SourceSpec
from seedbed.sources.text_folder import FILE, TEXT
from seedbed.text.secrets import find_secrets

DROPPED_SECRET = "secret"


def load_unlabelled(
    spec: SourceSpec,
    task_fields: Sequence[str],
    *,
    may_be_empty: Collection[str] = (),
    redacted: Counter[str] | None = None,
) -> list[Record]:
    """The rows of a source with those of the task's text fields that its first row has.

    All rows must have them, and text in them but for those that `may_be_empty`. Raises SourceError, also
    where there is none of them. `redacted` counts what was replaced in the rows.
    """
    first = next(read_rows(spec))
    there = [name for name in task_fields if spec.column(name) in first.values]
    if not there:
        wanted = " or ".join(repr(spec.column(name)) for name in task_fields)
        found = ", ".join(repr(str(name)) for name in first.values)
        raise SourceError(
            f"{spec.path}: no column {wanted}; there are: {found}. Say which is which: columns: "
            f"{{{task_fields[0]}: COLUMN}}"
        )
    origins = Origins(spec)
    rows = read_rows(
        spec,
        text_columns=[spec.column(name) for name in there],
        may_be_empty=[spec.column(name) for name in may_be_empty],
        redacted=redacted,
    )
    records = [
        Record(
            real_record_id(spec.name, row.key),
            {name: row.values[spec.column(name)] for name in there},
            origins.of(row),
        )
        for row in rows
    ]
    origins.refuse_too_deep()
    return records


def load_chunks(
    spec: SourceSpec,
    chunking: Chunking,
    *,
    drop_secrets: bool = False,
    redacted: Counter[str] | None = None,
) -> list[Record]:
    """The chunks of a source's documents as records of `text`, `heading` and `document`.

    A chunk is known by its document and its own text: a passage added elsewhere leaves its id as it is.
    `document` is the file of a folder, or the row's key. With `drop_secrets` a chunk that holds any part of
    a secret is left out. `redacted` counts what was replaced, and as `DROPPED_SECRET` the chunks left out.
    Raises SourceError.
    """
    origins = Origins(spec)
    copies: Counter[tuple[str, str]] = Counter()
    counts = Counter[str]() if redacted is None else redacted
    records = []
    for document, text, provenance in _documents(spec, counts, origins):
        secret = _secret_lines(text) if drop_secrets else frozenset[str]()
        for chunk in chunking.chunks(text):
            if drop_secrets and (find_secrets(chunk.text) or not secret.isdisjoint(_lines(chunk.text))):
                counts[DROPPED_SECRET] += 1
                continue
            same = (document, chunk.text)
            copies[same] += 1
            records.append(
                Record(
                    real_record_id(spec.name, "\0".join([*same, str(copies[same])])),
                    {"text": chunk.text, "heading": chunk.heading, "document": document},
                    provenance,
                )
            )
    if not records and counts[DROPPED_SECRET]:
        raise SourceError(f"{spec.path}: every chunk holds a secret, and none is left; name other documents")
    if not records:
        raise SourceError(f"{spec.path}: no text in these documents; name others, or take the source out")
    return records


def _secret_lines(text: str) -> frozenset[str]:
    """The lines that secrets stand on: a chunk may hold but a part of a private key."""
    return frozenset(
        line
        for span in find_secrets(text)
        for line in _lines(text[text.rfind("\n", 0, span.start) + 1 : _line_end(text, span.end)])
    )


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _lines(text: str) -> list[str]:
    return [stripped for line in text.splitlines() if (stripped := line.strip())]


def _documents(
    spec: SourceSpec, redacted: Counter[str], origins: Origins
) -> Iterator[tuple[str, str, Provenance]]:
    column = spec.column(TEXT)
    # All rows before the first is used: a problem of the source is told after its last good row.
    for row in list(read_rows(spec, text_columns=[column], redacted=redacted)):
        yield str(row.values.get(FILE, row.key)), row.values[column], origins.of(row)
    origins.refuse_too_deep()
