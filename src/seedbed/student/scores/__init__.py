"""How right an answer is, row by row: the scores of each task kind, the first of which decides between arms.

    kind                        decides         why
    with labels                 macro-F1        a rare label counts as much as a frequent one; it is no score
                                                of a row, see `examine.py`
    math                        answer_match    what is asked for is the answer's value, however it is written
    code, with tests in Python  tests_passed    a program is right where it does what its tests want
    extraction                  field_match     each field counts: of long records hardly one is right as a
                                                whole, and arms would not be told apart
    translation                 chrf            of good translations hardly one is the reference to the letter
    whatever else               rouge_l         likewise, and an answer that rambles gains nothing by it

A custom task without label is scored as an extraction where what is answered is JSON of several fields. No
kind of task holds calls of tools or queries, so that none is scored by them.
"""

from __future__ import annotations

from seedbed.core.protocols import Task
from seedbed.student.scores.mathematics import AnswerMatch, ExactAnswer
from seedbed.student.scores.programs import Parses, PassesTests, has_tests
from seedbed.student.scores.protocol import Score
from seedbed.student.scores.records import FieldMatch, RecordMatch, ValidRecord, answers_records
from seedbed.student.scores.texts import Accuracy, ChrF, Exact, RougeL

MACRO_F1 = "macro_f1"


def scores_of(task: Task) -> tuple[Score, ...]:
    """The scores of rows for a task, the one that decides first, but for macro-F1."""
    if task.label_field is not None:
        return (Accuracy(),)
    if task.kind == "math":
        return (AnswerMatch(), ExactAnswer())
    if has_tests(task):
        return (PassesTests(), Parses())
    if answers_records(task):
        return (FieldMatch(), RecordMatch(), ValidRecord())
    if task.kind == "translation":
        return (ChrF(), Exact())
    return (RougeL(), ChrF(), Exact())


def metrics_of(task: Task) -> tuple[str, ...]:
    """Every metric that an arm has, the one that decides first."""
    names = tuple(score.name for score in scores_of(task))
    return (MACRO_F1, *names) if task.label_field is not None else names


def require_scorable(task: Task) -> None:
    """Raises SandboxError where answers of the task are programs and no sandbox can be made here.

    Asked before anything is trained: what nobody can score need not be learnt.
    """
    for score in scores_of(task):
        score.require()
