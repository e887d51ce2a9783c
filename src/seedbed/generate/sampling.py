"""One question, answered several times: what methods that compare the answers have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from seedbed.core.chat import LoggedReply, Sketch
from seedbed.core.errors import InputError, Problem
from seedbed.core.protocols import Task
from seedbed.core.record import Record, Unreadable
from seedbed.generate.reading import read_fields
from seedbed.generate.steps import SteppedMethod, Steps
from seedbed.verify.answers import answer_key, solution_key
from seedbed.verify.mathematics import final_answer, without_answer

# `worked`: reasoning that ends with a marked answer; `text`: the reply is the one field; `json`: an object.
Form: TypeAlias = Literal["worked", "text", "json"]

# Of the schema of a field, what a reply that is the field's text keeps by itself.
_OF_ANY_TEXT = {"type", "minLength", "description"}
# Kinds whose answers are reasoned, and compared by what they come to.
WORKED = ("math", "preference")


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that can be read: the fields that it fills, its text, and a key that equal answers share."""

    fields: Mapping[str, Any]
    text: str
    key: str
    reply: LoggedReply


def question_of(task: Task, item: Record) -> dict[str, Any]:
    """What an item of a source asks. Raises InputError where it has no question."""
    refuse_without(item, task.compare_fields)
    return {name: item.fields[name] for name in task.asked_fields if name in item.fields}


def refuse_without(item: Record, fields: Sequence[str]) -> None:
    """Raises InputError where an item of a source has no such field."""
    if lacking := [name for name in fields if name not in item.fields]:
        message = f"the rows have no {' and no '.join(lacking)}; name a source that has, or map its columns"
        raise InputError([Problem(message, key=f"sources.{item.provenance.source}")])


class AnswerForm:
    """How the fields that are not known beforehand are answered in one reply, and read from it.

    Mathematics is reasoned in plain text, which a model does better than within JSON, and its answer is read
    from the end. An answer of a preference pair is of no field yet: it has its text alone.
    """

    def __init__(self, task: Task, known: Sequence[str], compared: str | None = None) -> None:
        """`compared` is the field that the key is of; without it the final answer or all that is answered."""
        self.answered = tuple(name for name in task.fields if name not in known)
        self.schema: Mapping[str, Any] | None = task.schema(omit=known)
        self._task, self._compared = task, compared
        described = list(self.schema["properties"].values())
        is_text = (
            len(described) == 1 and described[0].keys() <= _OF_ANY_TEXT and described[0]["type"] == "string"
        )
        self.form: Form = "worked" if task.kind in WORKED else "text" if is_text else "json"
        if self.form != "json":
            self.schema = None

    def read(self, reply: LoggedReply) -> Answer | Unreadable:
        if self.form == "json":
            read = read_fields(reply.choice, self.answered, "json")
            if isinstance(read, Unreadable):
                return read
            return Answer(read, reply.choice.text, self._key(read), reply)
        read = read_fields(reply.choice, ("text",), "text")
        if isinstance(read, Unreadable):
            return read
        text: str = read["text"]
        if self.form == "text":
            fields = {self.answered[0]: text}
            return Answer(fields, text, self._key(fields), reply)
        return self._worked(text, reply)

    def _worked(self, text: str, reply: LoggedReply) -> Answer | Unreadable:
        key = solution_key(text)
        if self._task.kind == "preference":
            return Answer({}, text, key or answer_key(text), reply)
        answer = final_answer(text)
        if answer is None or not key:
            return Unreadable("invalid_schema", "the solution comes to no answer", text)
        *worked, last = self._task.fields[1:]
        read = {**dict.fromkeys(worked, without_answer(text)), last: answer}
        return Answer({name: read[name] for name in self.answered}, text, key, reply)

    def _key(self, fields: Mapping[str, Any]) -> str:
        if self._compared is not None:
            return answer_key(fields[self._compared])
        return answer_key(dict(fields) if len(fields) > 1 else next(iter(fields.values())))


class SamplingMethod(SteppedMethod):
    """A method that has one question answered several times, with the options `samples` and `temperature`."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        # By the fields known beforehand. One object for all cells: its schema is hashed with each.
        self._forms: dict[tuple[str, ...], AnswerForm] = {}

    def form(self, task: Task, known: Sequence[str], compared: str | None = None) -> AnswerForm:
        if tuple(known) not in self._forms:
            self._forms[tuple(known)] = AnswerForm(task, known, compared)
        return self._forms[tuple(known)]

    async def sampled(
        self, steps: Steps, step: str, form: AnswerForm, asked: Mapping[str, Any], sketch: Sketch
    ) -> tuple[list[Answer], list[tuple[LoggedReply, Unreadable]]]:
        """The answers that can be read and the replies that cannot, in the order of the draws.

        The step has `asked`, the fields that are the question, `form` and `answered`. Raises NoAnswer.
        """
        replies = await steps.several(
            step,
            self.options.samples,
            schema=form.schema,
            temperature=self.options.temperature,
            asked=asked,
            form=form.form,
            answered=form.answered,
            sketch=sketch,
        )
        answers: list[Answer] = []
        useless: list[tuple[LoggedReply, Unreadable]] = []
        for reply in replies:
            read = form.read(reply)
            if isinstance(read, Unreadable):
                useless.append((reply, read))
            else:
                answers.append(read)
        return answers, useless
