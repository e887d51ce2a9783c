"""`seedbed requests forget`: which questions of a run a user means, in words that reports use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from seedbed.core.chat import LoggedReply, ReplyKey
from seedbed.core.errors import InputError, Problem, StoreError
from seedbed.core.record import record_named
from seedbed.core.registry import nearest
from seedbed.run.judge_questions import judge_questions
from seedbed.run.registry import registry
from seedbed.run.reopening import Question, Reopening, questions, reopen
from seedbed.run.view import RunView
from seedbed.store.folder import RunLock, find_run
from seedbed.store.replies import ReplyLog
from seedbed.store.successor import settle

CONDITIONS = {
    "reason": "drafts rejected for this reason",
    "cause": "cells that failed of this cause, and with role=judge drafts that stayed unjudged of it",
    "model": "answers of the model that calls itself so",
    "template": "questions of this template",
    "label": "questions for this label",
    "cell": "the cell with this id, or beginning of one",
    "record": "the draft with this id, or beginning of one",
    "role": "the teacher's answers (as without it), or with role=judge what the judge said of such drafts; "
    "and so with any role that a filter asks",
}
TEACHER = "teacher"


def parse_conditions(texts: Sequence[str]) -> dict[str, str]:
    """`name=value` texts by name. Raises InputError with every one that is wrong."""
    found: dict[str, str] = {}
    problems = []
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if name not in CONDITIONS:
            close = nearest(name, CONDITIONS)
            hint = f"did you mean {close!r}?" if close else "there are: " + ", ".join(CONDITIONS)
            problems.append(Problem(f"no condition is called {name!r}; {hint}", key="--where"))
        elif not equals or not value:
            problems.append(Problem(f"{text!r} must be NAME=VALUE, as in reason=refused", key="--where"))
        elif found.get(name, value) != value:
            problems.append(Problem(f"{name} cannot be both {found[name]!r} and {value!r}", key="--where"))
        else:
            found[name] = value
    if not texts:
        there = "; ".join(f"{name}=… for {what}" for name, what in CONDITIONS.items())
        problems.append(Problem(f"say what to forget: {there}", key="--where"))
    if problems:
        raise InputError(problems)
    return found


def forget_where(path: Path, wanted: Mapping[str, str], *, dry_run: bool = False) -> Reopening:
    """Reopen what meets every condition in the run at `path` (a run folder, or a recipe's with one run).

    Raises InputError, RunLockedError while a process works on the run, StoreError.
    """
    folder = find_run(path)
    with RunLock(folder):
        settle(folder)
        view = RunView.open(folder.path)
        if not view.has_log:
            raise StoreError(
                f"{view.log_path}: the reply log of this run cannot be opened; keep the run folder where its "
                "recipe is"
            )
        with view.log() as log:
            label_field = view.task(registry()).label_field

            def is_meant(question: Question) -> bool:
                return _meets(question, wanted, label_field, log)

            if (role := wanted.get("role", TEACHER)) != TEACHER:
                meant = judge_questions(folder, _filters_asking(role, view), log, is_meant)
            else:
                meant = filter(is_meant, questions(folder, view.asker, log))
            why = "forgotten: " + " and ".join(f"{name}={value}" for name, value in wanted.items())
            return reopen(folder, log, meant, why, dry_run=dry_run)


def _filters_asking(role: str, view: RunView) -> tuple[str, ...]:
    asked = view.roles_of_filters
    filters = tuple(name for name in asked if asked[name] == role)
    if not filters:
        there = " or ".join(dict.fromkeys([TEACHER, *asked.values()]))
        message = f"no filter of this run asks the role {role}, which has said nothing; role is {there}"
        raise InputError([Problem(message, str(view.folder.path), key="--where")])
    return filters


def _meets(question: Question, wanted: Mapping[str, str], label_field: str | None, log: ReplyLog) -> bool:
    cell, record, fate = question.cell, question.record, question.fate

    def holds(name: str, value: str) -> bool:
        match name:
            case "reason":
                return fate is not None and not fate.accepted and fate.reason == value
            case "cause":
                return question.cause == value
            case "template":
                return cell.template == value
            case "label":
                # Of a cell that decides no label the record has the one that was found.
                known = record.slots if record is not None else cell.axes
                return label_field is not None and str(known.get(label_field)) == value
            case "cell":
                return cell.id.startswith(value)
            case "role":
                return True  # which questions are looked at, and no property of one
            case "record":
                return record is not None and record.id.startswith(record_named(value))
            case _:
                return any(_model(log, row.key) == value for row in question.rows)

    return all(holds(name, value) for name, value in wanted.items())


def _model(log: ReplyLog, key: ReplyKey) -> str | None:
    logged = log.get(key)
    return logged.model if isinstance(logged, LoggedReply) else None
