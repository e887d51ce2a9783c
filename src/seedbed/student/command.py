"""The student of the user's own: a command that trains, another that answers.

Whatever can be started from a shell can be a student. What is known of it is a file of scores that it writes
itself, the answers that it gives, or both.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from seedbed.core.protocols import Task
from seedbed.core.registry import nearest
from seedbed.recipe.complaints import shown
from seedbed.recipe.section import OneOrMore, Text
from seedbed.recipe.units import Duration, write_size
from seedbed.student.attempt import Attempt, FittedProgram, Learnt, learn
from seedbed.student.keeper import Order
from seedbed.student.protocol import Lesson, Student
from seedbed.tasks.preference import Preference

MOST_SCORES = 1 << 20
# `{{word}}` stands for `{word}`; `${word}` is the shell's.
_PLACE = re.compile(r"\{\{(\w+)\}\}|(?<!\$)\{(\w+)\}")
_OF_TRAINING = ("train", "dev", "out", "seed")
_OF_ASKING = ("out", "seed")
# What a command without a place could not know: nothing else says where its files are.
_WANTED_OF_TRAINING = {
    "train": "the trainer would see no rows, and all arms would be alike",
    "out": "what it learns and scores is looked for there alone",
}
_WANTED_OF_ASKING = {"out": "what was learnt lies there, and each arm has its own"}


def _places_in(command: str) -> set[str]:
    return {match[2] for match in _PLACE.finditer(command) if match[2] is not None}


def _with(known: Sequence[str], command: str) -> str:
    for match in _PLACE.finditer(command):
        name = match[2]
        if name is not None and name not in known:
            close = nearest(name, list(known))
            hint = (
                f"did you mean {{{close}}}?"
                if close
                else "there are: " + ", ".join(f"{{{n}}}" for n in known)
            )
            raise ValueError(f"nothing stands for {{{name}}}; {hint} For the shell write {{{{{name}}}}}")
    return command


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise ValueError(f"must be the name of a file in {{out}}, such as scores.json, not '{name}'")
    return name


TrainingCommand = Annotated[Text, AfterValidator(partial(_with, _OF_TRAINING))]
AskingCommand = Annotated[Text, AfterValidator(partial(_with, _OF_ASKING))]
FileInside = Annotated[Text, AfterValidator(_inside)]


class CommandOptions(BaseModel):
    """Settings of the command student."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: TrainingCommand = Field(
        description="the command that trains, run by the shell in the folder of the recipe. `{train}` and "
        "`{dev}` stand for files of rows, `{out}` for an empty folder, `{seed}` for a number"
    )
    score: FileInside | None = Field(
        None, description="file in `{out}` with what it scores on `{dev}`: a JSON object of numbers"
    )
    metric: Text | None = Field(
        None, description="the number in `score` that decides (default: the first); more is better"
    )
    predict: AskingCommand | None = Field(
        None,
        description="the command that answers, of `{out}` and `{seed}`: a JSON line for each question on its "
        "standard input, one with `id` and `answer` on its standard output",
    )
    time: Duration = Field(86_400.0, description="how long either command may take")
    files: Annotated[tuple[Text, ...], OneOrMore] = Field(
        (),
        description="further files and folders, as seen from the recipe, that decide what is learnt, beside "
        "the files that the commands name; when one changes it is trained anew",
    )


class Command(Student):
    """Runs a command in a keeper's hands, and believes no file that it did not finish."""

    name: ClassVar[str] = "command"
    version: ClassVar[int] = 1
    Options: ClassVar[type[BaseModel]] = CommandOptions
    needs: ClassVar[tuple[str, ...]] = ()
    slow: ClassVar[bool] = True

    def __init__(self, options: CommandOptions) -> None:
        self._options = options

    @property
    def answers(self) -> bool:
        return self._options.predict is not None

    @property
    def reads(self) -> Sequence[str]:
        """The words of its commands, of which those that name a script are files."""
        words = _words(self._options.command) + _words(self._options.predict or "")
        return [word for word in words if len(word) < 256 and word[0] != "/"]

    @property
    def listed(self) -> Sequence[tuple[Sequence[str], str]]:
        return [(("files",), name) for name in self._options.files]

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        """Here, and not with the options: of a mistyped `score` it does not follow that there is none."""
        found: list[tuple[Sequence[str], str]] = [
            ((key,), f"has no {{{place}}} in it: {why}; write {{{place}}} where it belongs")
            for key, command, places in (
                ("command", self._options.command, _WANTED_OF_TRAINING),
                ("predict", self._options.predict, _WANTED_OF_ASKING),
            )
            if command is not None
            for place, why in places.items()
            if place not in _places_in(command)
        ]
        return found or self._problems_of_scores()

    def _problems_of_scores(self) -> list[tuple[Sequence[str], str]]:
        options = self._options
        if options.score is None and options.predict is None:
            return [((), "needs score, a file that the command writes, or predict, a command that answers")]
        if options.score is None and options.metric is not None:
            return [(("metric",), "decides by a number of the file `score`, and there is none; add score")]
        return []

    def fit(self, lesson: Lesson) -> FittedProgram:
        """Raises StudentError for a command that fails, takes too long or writes no usable scores."""
        options, attempt = self._options, Attempt(lesson.folder.absolute())
        order = Order(
            "the trainer",
            _shell(options.command, _places(attempt, lesson.seed)),
            lesson.home,
            options.time,
            attempt.log,
        )
        learnt = learn(attempt, lesson, order, pairs=isinstance(lesson.task, Preference), report=self._scores)
        asking = None
        if options.predict is not None:
            words = _shell(options.predict, _places(attempt, lesson.seed))
            asking = Order("predict", words, lesson.home, options.time, attempt.answering_log, b"")
        return FittedProgram(lesson.task, lesson.dev, asking, learnt)

    def _scores(self, out: Path) -> Learnt:
        """The numbers of the score file, that which decides first. Raises ValueError."""
        name, metric = self._options.score, self._options.metric
        if name is None:
            return Learnt()
        scores = read_scores(out, name)
        if metric is None:
            return Learnt(scores)
        if metric not in scores:
            raise ValueError(
                f"wrote {name} without '{metric}', which decides; it has: {', '.join(list(scores)[:10])}"
            )
        return Learnt({metric: scores.pop(metric), **scores})


def read_scores(out: Path, name: str) -> dict[str, float]:
    """The numbers of a score file in `out`, at least one. Raises ValueError, which says what is wrong."""
    path = out / name
    if not path.resolve().is_relative_to(out.resolve()):
        raise ValueError(f"wrote {name} as a link out of {{out}}")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_SCORES + 1)
    except FileNotFoundError:
        raise ValueError(f"wrote no {name} in {{out}}") from None
    except OSError as error:
        raise ValueError(f"wrote {name}, which cannot be read: {error.strerror}") from None
    if len(data) > MOST_SCORES:
        raise ValueError(f"wrote more than {write_size(MOST_SCORES)} into {name}; it is for a few numbers")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"wrote {name}, which is no JSON: {error}") from None
    if not isinstance(value, dict) or not value:
        raise ValueError(f'wrote {name}, which is no JSON object of numbers such as {{"accuracy": 0.9}}')
    return {key: _number(name, key, number) for key, number in value.items()}


def _number(name: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"wrote {name}, in which {shown(key)} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"wrote {name}, in which {shown(key)} is {value}; scores are finite numbers")
    return number


def _places(attempt: Attempt, seed: int) -> dict[str, str]:
    paths = {"train": attempt.train, "dev": attempt.dev, "out": attempt.out}
    return {**{name: str(path) for name, path in paths.items()}, "seed": str(seed)}


def _shell(command: str, places: Mapping[str, str]) -> list[str]:
    """The words that have the shell run a command; what stands for a place is quoted."""

    def put(match: re.Match[str]) -> str:
        return f"{{{match[1]}}}" if match[1] is not None else shlex.quote(places[match[2]])

    return ["/bin/sh", "-c", _PLACE.sub(put, command)]


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError:  # a quote that only the shell understands
        words = command.split()
    return [word for word in words if word]
