"""A student that is served: models behind endpoints answer by prompt, and nothing is trained.

Each role is an arm of its own. Who speaks to the endpoints is handed in: see `Asking`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Protocol, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from seedbed.recipe.named_files import read_named_file
from seedbed.student.protocol import Lesson, Student, StudentError
from seedbed.student.rows import Row
from seedbed.tasks.fields import labels_of

DEFAULT_ROLE = "student"

RoleName = Annotated[str, StringConstraints(strict=True, min_length=1)]

_FENCED = re.compile(r"\A```[^\n`]*\n(.*)\n?```\Z", re.DOTALL)
_PAIRS = ("``", '""', "''", "“”", "‘’", "„“", "«»", "**")


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to one row; None where none came. `cut`: it ended at the role's `max_tokens`.

    `failed`: none came in any try, where another time one may; else a row without an answer was refused one.
    """

    text: str | None
    cut: bool = False
    failed: bool = False


class Asking(Protocol):
    """Speaks to the served models, by the names of their roles."""

    def check(self, role: str) -> None:
        """Make sure that the role can be asked at all, by a question without any row in it.

        Raises EndpointError, BudgetReached.
        """
        ...

    def ask(self, role: str, rows: Sequence[Row]) -> list[Said]:
        """What it says to each row, in order. Raises EndpointError, BudgetReached, without text of a row."""
        ...

    def spent(self, role: str) -> Mapping[str, int]:
        """`requests`, `prompt_tokens` and `completion_tokens` so far."""
        ...


class EndpointOptions(BaseModel):
    """Which roles are asked, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: RoleName | None = Field(
        default=None,
        description=f"the role that is asked; it is bound under `roles` (default: `{DEFAULT_ROLE}`)",
    )
    roles: tuple[RoleName, ...] | None = Field(
        default=None, min_length=1, description="several roles instead, each of which is an arm"
    )
    prompt: str | None = Field(
        default=None,
        min_length=1,
        description="the prompt: a template, or a `.j2` file of one relative to the recipe's folder "
        "(default: what the task's chat view asks; with labels, the text and their list)",
    )
    temperature: float = Field(default=0.0, ge=0, le=2, description="sampling temperature")

    @field_validator("prompt")
    @classmethod
    def _of_the_file(cls, value: str | None, info: ValidationInfo) -> str | None:
        """So that the options alone say what is asked, and a change of the file is one of them."""
        if value is None or not value.endswith(".j2"):
            return value
        return read_named_file(Path((info.context or {}).get("folder", "")) / value)

    @model_validator(mode="after")
    def _roles_from_one_place(self) -> Self:
        if self.role is not None and self.roles is not None:
            raise ValueError("write either role or roles")
        if self.roles is not None and len(set(self.roles)) < len(self.roles):
            raise ValueError("roles names one of them twice; each is an arm of its own")
        return self

    @property
    def asked_roles(self) -> tuple[str, ...]:
        """Roles of the recipe that the student is asked in."""
        return self.roles or (self.role or DEFAULT_ROLE,)


class FittedEndpoint:
    """One role, as it is. `notes` tell what it was asked, and which answers were of no use."""

    def __init__(self, asking: Asking, role: str, labels: tuple[str, ...]) -> None:
        self._asking = asking
        self._role = role
        self._labels = labels
        self._rows = self._silent = self._failed = self._strange = self._cut = 0

    @property
    def reported(self) -> Mapping[str, float]:
        return {}

    @property
    def unanswered(self) -> int:
        return self._failed

    @property
    def notes(self) -> tuple[str, ...]:
        spent = self._asking.spent(self._role)
        counted = [
            (self._silent, "rows got no answer, and count as wrong"),
            (self._failed, "rows got no answer in any try, and count as wrong: run the same command again"),
            (self._strange, "answers were none of the labels, and count as wrong"),
            (self._cut, f"answers ended at roles.{self._role}.max_tokens"),
        ]
        read, written = spent["prompt_tokens"], spent["completion_tokens"]
        return (
            f"{spent['requests']:,} requests, {read:,} tokens read and {written:,} written",
            *(f"{count:,} of {self._rows:,} {what}" for count, what in counted if count),
        )

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """The labels that were meant, "" for none; of a task without labels what was said."""
        said = self._asking.ask(self._role, rows)
        self._rows += len(rows)
        self._silent += sum(each.text is None and not each.failed for each in said)
        self._failed += sum(each.failed for each in said)
        self._cut += sum(each.cut for each in said)
        if not self._labels:
            return [each.text or "" for each in said]
        read = [None if each.text is None else read_label(each.text, self._labels) for each in said]
        self._strange += sum(
            label is None and each.text is not None for label, each in zip(read, said, strict=True)
        )
        return [label or "" for label in read]


class Endpoint(Student):
    """Served models, which are asked and never taught.

    A label is read strictly: the whole answer is the label, whatever its case, perhaps in quotes or a fence.
    """

    name: ClassVar[str] = "endpoint"
    version: ClassVar[int] = 1
    Options: ClassVar[type[BaseModel]] = EndpointOptions
    needs: ClassVar[tuple[str, ...]] = ()
    slow: ClassVar[bool] = True

    def __init__(self, options: EndpointOptions) -> None:
        self.options = options
        self.asking: Asking | None = None

    @property
    def answers(self) -> bool:
        return True

    def fit(self, lesson: Lesson) -> FittedEndpoint:
        """Nothing is learnt; the role of the lesson is asked whether it is there.

        Raises StudentError for a lesson without a role, EndpointError, BudgetReached.
        """
        if not lesson.role:
            raise StudentError("a served model learns nothing; it is asked by `seedbed train` and `evaluate`")
        assert self.asking is not None, "whoever makes a served student gives it who asks"
        self.asking.check(lesson.role)
        return FittedEndpoint(self.asking, lesson.role, labels_of(lesson.task))


def read_label(answer: str, labels: Sequence[str]) -> str | None:
    """The label that the whole answer is, whatever its case, in quotes or a fence; None for any other."""
    text = answer.strip()
    if fenced := _FENCED.match(text):
        text = fenced[1].strip()
    while text:
        if text in labels:
            return text
        folded = [label for label in labels if label.casefold() == text.casefold()]
        if len(folded) == 1:
            return folded[0]
        if len(text) < 2 or text[0] + text[-1] not in _PAIRS:
            return None
        text = text[1:-1].strip()
    return None
