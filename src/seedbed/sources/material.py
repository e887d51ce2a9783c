"""What methods work on beside real rows: rows that lack a label or an answer, and chunks of documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from seedbed.core.errors import SourceError
from seedbed.core.record import Provenance, Record, real_record_id
from seedbed.sources.chunks import Chunking
from seedbed.sources.readers import read_rows
from seedbed.sources.spec import SourceSpec
from seedbed.sources.text_folder import FILE, TEXT


def load_unlabelled(
    spec: SourceSpec, task_fields: Sequence[str], *, may_be_empty: Collection[str] = ()
) -> list[Record]:
    """The rows of a source with those of the task's text fields that its first row has.

    All rows must have them, and text in them but for those that `may_be_empty`. Raises SourceError, also
    where there is none of them.
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
    provenance = Provenance(origin="real", source=spec.name, licence=spec.licence)
    rows = read_rows(
        spec,
        text_columns=[spec.column(name) for name in there],
        may_be_empty=[spec.column(name) for name in may_be_empty],
    )
    return [
        Record(
            real_record_id(spec.name, row.key),
            {name: row.values[spec.column(name)] for name in there},
            provenance,
        )
        for row in rows
    ]


def load_chunks(spec: SourceSpec, chunking: Chunking) -> list[Record]:
    """The chunks of a source's documents as records of `text`, `heading` and `document`.

    A chunk is known by its document and its own text: a passage added elsewhere leaves its id as it is.
    `document` is the file of a folder, or the row's key. Raises SourceError.
    """
    provenance = Provenance(origin="real", source=spec.name, licence=spec.licence)
    copies: Counter[tuple[str, str]] = Counter()
    records = []
    for document, text in _documents(spec):
        for chunk in chunking.chunks(text):
            same = (document, chunk.text)
            copies[same] += 1
            records.append(
                Record(
                    real_record_id(spec.name, "\0".join([*same, str(copies[same])])),
                    {"text": chunk.text, "heading": chunk.heading, "document": document},
                    provenance,
                )
            )
    if not records:
        raise SourceError(f"{spec.path}: no text in these documents; name others, or take the source out")
    return records


def _documents(spec: SourceSpec) -> Iterator[tuple[str, str]]:
    column = spec.column(TEXT)
    # All rows before the first is used: a problem of the source is told after its last good row.
    for row in list(read_rows(spec, text_columns=[column])):
        yield str(row.values.get(FILE, row.key)), row.values[column]
