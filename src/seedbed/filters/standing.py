"""What a record stands on: the texts that it was made from, or is an answer about, and may quote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from seedbed.core.field_text import texts_in
from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.filters.subject import FilterOptions, no_text_fields

# Of these kinds a record has an answer in words, and perhaps a document that it is about.
_ANSWERING = ("instruction", "preference")


class StandingOptions(FilterOptions):
    """Of a filter that holds answers against their source."""

    source: tuple[str, ...] = Field(
        (), description="text fields that hold the source (default: the task's context)"
    )
    fields: tuple[str, ...] = Field(
        (), description="text fields that are checked (default: the answer, of a pair the chosen one)"
    )


class Passages:
    """The passages of documents that methods work on: a record has that of its method among its parents."""

    def __init__(self, documents: Sequence[Record]) -> None:
        self._texts = {
            each.id: "\n".join(each.fields[name] for name in ("document", "heading", "text"))
            for each in documents
        }

    def behind(self, record: Record) -> str:
        """The passage with its document and heading; "" where the record is about none."""
        return "\n".join(self._texts[row] for row in record.provenance.parents if row in self._texts)


class Standing:
    """Which fields of a task's records answer, and what their answers stand on."""

    def __init__(self, task: Task, options: StandingOptions, documents: Sequence[Record]) -> None:
        self.answer_fields = _answers(task, options)
        self._source_fields = _context(task, options)
        self._asked_fields = [name for name in task.compare_fields if name not in self.answer_fields]
        self._passages = Passages(documents)

    def source(self, record: Record) -> str:
        """The source in the record and the passage behind it; "" where there is neither."""
        parts = [*_texts(record, self._source_fields), self._passages.behind(record)]
        return "\n".join(part for part in parts if part)

    def question(self, record: Record) -> str:
        return "\n".join(_texts(record, self._asked_fields))

    def answer(self, record: Record) -> str:
        return "\n".join(_texts(record, self.answer_fields))


def standing_problems(options: StandingOptions, task: Task) -> Iterator[tuple[tuple[str, ...], str]]:
    """What a filter that holds answers against their source has to say of a task (`problems`)."""
    for key in ("source", "fields"):
        for _, message in no_text_fields(getattr(options, key), task):
            yield (key,), message
    if not options.source and task.kind not in _ANSWERING:
        yield (), f"holds answers against their source; of {task.kind} name the field, source: [FIELD]"
    elif not _answers(task, options):
        yield ("source",), "leaves no text field that stands on it; name the answer: fields: [FIELD]"


def problems_without_documents(options: StandingOptions, task: Task) -> Iterator[str]:
    """What it has to say of a recipe that has no documents."""
    if not _context(task, options):
        yield (
            "has no source to hold answers against: the task has no context and the recipe no documents; add "
            "either, or take the filter out"
        )


def quote_of(record: Record) -> str:
    """The words of its source that a method kept with the record as its evidence; "" where there are none."""
    evidence = record.notes.get("evidence")
    return str(evidence.get("quote", "")) if isinstance(evidence, Mapping) else ""


def says_it_is_not_there(record: Record) -> bool:
    """Whether the record is one to say that its source does not tell what is asked."""
    return record.notes.get("answerable") is False


def _context(task: Task, options: StandingOptions) -> tuple[str, ...]:
    return options.source or tuple(name for name in task.asked_fields if name not in task.compare_fields)


def _answers(task: Task, options: StandingOptions) -> tuple[str, ...]:
    """The answer; of a pair the chosen one alone, for the other may well be wrong."""
    if options.fields:
        return options.fields
    if task.kind == "preference":
        return task.fields[1:2]
    return tuple(name for name in task.text_fields if name not in (*options.source, *task.asked_fields))


def _texts(record: Record, names: Sequence[str]) -> list[str]:
    return [text for name in names for text in texts_in(record.fields.get(name)) if text.strip()]
