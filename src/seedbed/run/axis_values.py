"""The values of a recipe's axes that stand: listed, in a file, or frozen as the teacher gave them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from seedbed.core.chat import (
    CHARACTERS_A_TOKEN,
    ChatRequest,
    Choice,
    Hints,
    Pen,
    Sampling,
    Usage,
    prompt_characters,
)
from seedbed.core.errors import Problem, SourceError
from seedbed.core.hashing import digest
from seedbed.core.record import Unreadable
from seedbed.generate.verbalised import (
    LIST_FIELD,
    LIST_SCHEMAS,
    list_schema,
    read_list,
    with_probabilities,
)
from seedbed.models.budget import worst_case
from seedbed.prompts.sampling import RowPool
from seedbed.prompts.templates import library_template
from seedbed.recipe import AskedAxis, AxisFile, LoadedRecipe, meant
from seedbed.run.asked_values import AskedQuestion, Standing, Words, texts_listed, usable
from seedbed.run.roles import AskedModel, asked_model
from seedbed.sources.leaks import Kind
from seedbed.sources.readers import read_rows
from seedbed.sources.spec import SourceSpec
from seedbed.text.similarity import unlike

# Every cell weighs every value of an axis, so that many values make planning slow.
MOST_VALUES = 10_000
LONGEST_VALUE = 200
# What a plan reckons with before the first value is known.
LIKELY_VALUE = 40
VALUES_A_QUESTION = 10
_MOST_SHOWN = 100
# Texts, or people, that a question for personas shows, and characters of a text.
_SHOWN_AT_ONCE = 3
_LONGEST_TEXT = 2_000
# Values less probable than this are asked for where each has a probability.
_TAIL = 0.1
_FIELD = "values"
_SCHEMA = list_schema({"type": "string"}, _FIELD)

Attempt: TypeAlias = Callable[[Callable[[], tuple[str, ...]]], tuple[str, ...] | None]


@dataclass(frozen=True)
class AxisQuestion(AskedQuestion):
    """How the values of one axis are asked for. Whatever is said in it is part of its hash.

    `texts` are those that suggest people, by id, for an axis of personas.
    """

    name: str
    axis: AskedAxis
    task_variables: Mapping[str, str]
    model: AskedModel
    folder: Path
    texts: Mapping[str, str] = field(default_factory=dict)
    each: ClassVar[int] = VALUES_A_QUESTION
    likely: ClassVar[int] = LIKELY_VALUE
    longest: ClassVar[int] = LONGEST_VALUE
    kind: ClassVar[Kind] = "slot"

    @property
    def count(self) -> int:
        return self.axis.count

    @property
    def asked_as(self) -> str:
        """The identity of a set of values: the question while nothing is known yet.

        Of personas it names the source of the texts and has none of them: one more row begins no new set.
        """
        if self.axis.source == "teacher":
            return super().asked_as
        unread = replace(self, texts={}).request(())
        return digest("personas", [unread.hash.hex(), self.axis.texts or ""]).hex()

    @property
    def words(self) -> Words:
        what, key = f"axis {self.name!r}", ("generate", "axes", self.name)
        return Words(what, "this axis", "values", "list the values", key)

    @property
    def about(self) -> dict[str, Any]:
        return {"axis": self.name, "ask": self.axis.ask}

    def new(self, found: Sequence[str], known: Sequence[str]) -> list[str]:
        return unlike(found, known)

    def request(self, known: Sequence[str]) -> ChatRequest:
        """Asks for some more values; of many known ones the latest are shown.

        Ten people are asked for by texts, the next ten by people there are, and so on: which texts and people
        is a choice of the number of those that stand.
        """
        shown = {"task": self.task_variables, "known": list(known[-_MOST_SHOWN:]), "count": VALUES_A_QUESTION}
        shown |= {"sampling": self.axis.sampling, "tail": _TAIL}
        key = (self.name, len(known))
        if self.axis.source == "teacher":
            prompt = "axis_values"
            shown |= {"name": self.name, "ask": self.axis.ask or "", "characters": LONGEST_VALUE}
        elif len(known) // VALUES_A_QUESTION % 2:
            prompt = "personas/relate"
            shown["personas"] = RowPool(known).pick(_SHOWN_AT_ONCE, *key)
        else:
            prompt = "personas/find"
            chosen = RowPool(sorted(self.texts)).pick(_SHOWN_AT_ONCE, *key)
            shown["passages"] = [self.texts[one][:_LONGEST_TEXT] for one in chosen]
        return ChatRequest(
            model=self.model.model,
            revision=self.model.revision,
            messages=library_template(prompt).render(shown),
            sampling=Sampling(max_tokens=self.model.max_tokens),
            schema=_SCHEMA if self._is_plain_list else LIST_SCHEMAS[self.axis.sampling],
            hints=self._hints(),
        )

    def read(self, choice: Choice) -> list[str]:
        """The values of a reply, the less probable first where it says how probable they are."""
        if self._is_plain_list:
            return read_values(choice)
        answers = read_list(choice, self.axis.sampling)
        if isinstance(answers, Unreadable):
            return []
        rarest_first = sorted(answers, key=lambda one: one.probability)
        return usable([one.text for one in rarest_first], 1, LONGEST_VALUE)

    @property
    def _is_plain_list(self) -> bool:
        """Whether it is asked and answered as before there was any other way."""
        return self.axis.source == "teacher" and self.axis.sampling == "plain"

    def _hints(self) -> Hints:
        key = _FIELD if self._is_plain_list else LIST_FIELD
        if self.axis.sampling == "plain":
            return Hints(fields=(key,), text_field=key, several=VALUES_A_QUESTION)
        return Hints(fields=(key,), text_field=key, sketch=_weighed_values)


def _weighed_values(pen: Pen) -> Mapping[str, Any]:
    return with_probabilities(pen, (pen.value() for _ in range(VALUES_A_QUESTION)))


@dataclass(frozen=True, slots=True)
class AxisForecast:
    """What questions for values or templates take: how many at least, their tokens, the most of these."""

    questions: int = 0
    expected: Usage = field(default_factory=Usage)
    worst: Usage = field(default_factory=Usage)

    def __add__(self, other: AxisForecast) -> AxisForecast:
        return AxisForecast(
            self.questions + other.questions,
            self.expected + other.expected,
            self.worst + other.worst,
        )


@dataclass(frozen=True, slots=True)
class Unasked:
    """An axis whose values, or templates that, the teacher must still be asked for; the question as it would
    be asked next."""

    question: AskedQuestion
    standing: Standing

    @property
    def missing(self) -> int:
        """Those that will be asked for: none where the teacher had no more to give."""
        return 0 if self.standing.exhausted else self.question.count - len(self.standing.values)

    @property
    def questions(self) -> int:
        """So many at least: each brings what it is asked for, and nothing that is known."""
        return -(-self.missing // self.question.each)

    def forecast(self) -> AxisForecast:
        """Of the least number of questions. A prompt shows the values before it: as long as those that
        stand, or of a likely length where there is none; at the most as long as a value may be."""
        known = self.standing.values
        question, each = self.question, self.question.each
        length = round(sum(map(len, known)) / len(known)) if known else question.likely
        total = AxisForecast()
        for at in range(self.questions):
            more = at * each
            likely = question.request([*known, *["x" * length] * more])
            longest = question.request([*known, *["x" * question.longest] * more])
            asked = prompt_characters(likely.messages) // CHARACTERS_A_TOKEN
            answered = each * (length + len('"", ')) // CHARACTERS_A_TOKEN
            total += AxisForecast(1, Usage(asked, answered), worst_case(longest))
        return total

    def to_json(self) -> dict[str, Any]:
        request = self.question.request(self.standing.values)
        return {
            "count": self.question.count,
            "frozen": len(self.standing.values),
            "questions": self.questions,
            "prompt": [{"role": m.role, "content": m.content} for m in request.messages],
        }

    @property
    def values(self) -> list[str]:
        """What a plan reckons with: the frozen values, or a word that stands for all of them."""
        return list(self.standing.values) or [f"({self.question.name}: not asked yet)"]


def axes_that_stand(
    loaded: LoadedRecipe,
    task_variables: Mapping[str, str],
    attempt: Attempt,
    texts_of: Callable[[str | None], Mapping[str, str]],
) -> tuple[dict[str, tuple[str, ...]], dict[str, Unasked]]:
    """The values that stand, of every axis, and the axes whose values must be asked for yet.

    `attempt` runs what may raise InputError and keeps its problems. `texts_of` has the texts of a source by
    id, of all real rows for None.
    """
    axes: dict[str, tuple[str, ...]] = {}
    unasked: dict[str, Unasked] = {}
    for name, axis in loaded.recipe.generate.axes.items():
        if isinstance(axis, AxisFile):
            axes[name] = attempt(partial(values_of_file, loaded, name, axis)) or ()
        elif isinstance(axis, AskedAxis):
            question = _question(loaded, name, axis, task_variables)
            standing = question.standing()
            axes[name] = standing.values[: axis.count]
            if len(axes[name]) < axis.count:
                texts = texts_of(axis.texts) if axis.source == "personas" else {}
                unasked[name] = Unasked(replace(question, texts=texts), standing)
        else:
            axes[name] = axis
    return axes, unasked


def replies_behind(loaded: LoadedRecipe, task_variables: Mapping[str, str]) -> set[str]:
    """Keys of the replies that gave the frozen values of the recipe's axes."""
    keys: set[str] = set()
    for name, axis in loaded.recipe.generate.axes.items():
        if isinstance(axis, AskedAxis):
            question = _question(loaded, name, axis, task_variables)
            keys |= question.pages.replies(question.asked_as)
    return keys


def _question(
    loaded: LoadedRecipe, name: str, axis: AskedAxis, task_variables: Mapping[str, str]
) -> AxisQuestion:
    folder = loaded.folder / ".seedbed" / "axes" / loaded.recipe.name / name
    return AxisQuestion(name, axis, task_variables, asked_model(loaded, loaded.recipe.teacher), folder)


def values_of_file(loaded: LoadedRecipe, name: str, axis: AxisFile) -> tuple[str, ...]:
    """The values in a file, each once, in its order, without white space around; blank ones are skipped.

    Raises SourceError where the file cannot be read, holds none or too many.
    """
    path = loaded.resolve(axis.file)
    if axis.column is None:
        found = _lines(path)
    else:
        rows = read_rows(SourceSpec(name, path), text_columns=[axis.column], may_be_empty={axis.column})
        found = [row.values[axis.column] for row in rows]
    values = tuple(dict.fromkeys(value for text in found if (value := text.strip())))
    if not values:
        what = "a value a line" if axis.column is None else f"values in column {axis.column!r}"
        raise SourceError([Problem(f"no value for axis {name!r}; write {what}", str(path))])
    if len(values) > MOST_VALUES:
        message = f"{len(values):,} values for axis {name!r}; {MOST_VALUES:,} are the most"
        raise SourceError([Problem(message, str(path))])
    return values


def values_by_label(
    loaded: LoadedRecipe, name: str, axis: AxisFile, labels: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The values of each label where the file says for which they are: those that name no label are for all.

    Raises SourceError where a label is unknown, or has no value.
    """
    assert axis.column is not None, "a table has columns"
    assert axis.label is not None, "asked for only where the axis names it"
    path = loaded.resolve(axis.file)
    columns = [axis.column, axis.label]
    rows = list(read_rows(SourceSpec(name, path), text_columns=columns, may_be_empty=set(columns)))
    problems = []
    for unknown in sorted({row.values[axis.label].strip() for row in rows} - {"", *labels}):
        close = meant(unknown, labels, "the task has no label")
        problems.append(Problem(f"axis {name!r}: no label is called {unknown!r}; {close}", str(path)))
    found: dict[str, tuple[str, ...]] = {}
    for label in labels:
        own = [
            row.values[axis.column].strip() for row in rows if row.values[axis.label].strip() in ("", label)
        ]
        found[label] = tuple(dict.fromkeys(filter(None, own)))
        if not found[label]:
            problems.append(
                Problem(f"axis {name!r}: no value for the label {label!r}; write some", str(path))
            )
    if problems:
        raise SourceError(problems)
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise SourceError([Problem(f"cannot be read: {error.strerror}", str(path))]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"byte {error.object[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        raise SourceError([Problem(message, str(path), line)]) from None


def read_values(choice: Choice) -> list[str]:
    """The values of a reply, each on one line; none where it cannot be read."""
    return usable(texts_listed(choice, _FIELD), 1, LONGEST_VALUE)
