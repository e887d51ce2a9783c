"""`label_agreement`: a draft's text looks like its label, by a classifier of the real rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from seedbed.core.hashing import seed_from
from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.agreement_process import learn_apart
from seedbed.filters.subject import FilterOptions, filter_id, flag, reject, whole_text
from seedbed.text.normalise import normalise

if TYPE_CHECKING:
    from seedbed.filters.agreement import Agreement

FEWEST_ROWS = 50
MOST_ROWS = 20_000


class LabelAgreement:
    """Flags a draft that a classifier of the real train rows takes for another label.

    How much the classifier is worth is measured on the real rows themselves, out of fold, for each pair
    (label asked for, label told) and by how clearly it contradicts: `filters.agreement` has the formula.
    A disagreement is flagged as `label_disagrees` from a precision of `flag_from` on, and the draft
    is kept. It is dropped, under the same reason, only from a precision of .95 on, only where at most 1
    in 100 real rows of its label are contradicted so clearly, and only where both labels have at least
    50 real rows: a rare label, which generated rows are to fill, is never emptied by a classifier that
    has hardly seen it. Of more than 20,000 real rows a sample is learnt from.
    """

    name: ClassVar = "label_agreement"
    version: ClassVar = 1
    kind: ClassVar = "record"
    needs: ClassVar[tuple[str, ...]] = ("sklearn",)

    class Options(FilterOptions):
        flag_from: float = Field(
            0.5, ge=0.5, le=1.0, description="precision of a disagreement from which it is flagged"
        )
        drop: bool = Field(
            True,
            strict=True,
            description="whether the surest disagreements are dropped; false flags them too",
        )

    def __init__(self, task: Task, rows: Sequence[tuple[str, str]], options: Options) -> None:
        """`rows` are (text, label) of the real ones. They are learnt from when the first text is looked at,
        or when the filter goes to a worker: a plan, or a run that is done, need not wait for it."""
        self._task = task
        self._rows = rows
        self._learnt: Agreement | None = None
        self._flag_from = options.flag_from
        self._drop = options.drop

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> LabelAgreement:
        return cls(context.task, _labelled(context.task, context.real), options)

    @property
    def agreement(self) -> Agreement:
        """What the real rows teach: six small models, fitted by scikit-learn, which `needs` names."""
        if self._learnt is None:
            from seedbed.filters.agreement import learn

            self._learnt = learn(self._rows)
        return self._learnt

    def __getstate__(self) -> dict[str, Any]:
        """Learnt once and handed to all workers; apart, as this process goes on and has no use for it."""
        if self._learnt is None:
            self._learnt = learn_apart(self._rows)
        return {**vars(self), "_learnt": self._learnt, "_rows": ()}

    @staticmethod
    def problems(options: Options, task: Task) -> list[tuple[tuple[str, ...], str]]:
        """(path of the key, message) where the task has no label."""
        if task.label_field is not None:
            return []
        return [((), f"compares labels, and a task of kind {task.kind} has none; take the filter out")]

    @staticmethod
    def problems_with_rows(options: Options, task: Task, real: Sequence[Record]) -> list[str]:
        """What is lacking in the real train rows."""
        labels = (label for row in real if (label := task.label(row.fields)) is not None)
        forms = (form for row in real if (form := normalise(whole_text(task, row.fields))))
        if _differ(labels) and _differ(forms):
            return []
        return ["learns from real rows of at least two labels and texts; add a source, or take it out"]

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        by = filter_id(type(self))
        label = None if record.unreadable is not None else self._task.label(record.fields)
        text = whole_text(self._task, record.fields)
        learnt = self.agreement
        if label not in learnt.labels or not text.strip():
            return None
        given = learnt.labels.index(label)
        told = learnt.told(text, given)
        if told.label == given:
            return None
        evidence = {
            "given": label,
            "predicted": learnt.labels[told.label],
            "confidence": told.precision,
            "margin": round(told.margin, 3),
            "real_rows": [learnt.rows[given], learnt.rows[told.label]],
        }
        enough = min(learnt.rows[given], learnt.rows[told.label]) >= FEWEST_ROWS
        if self._drop and enough and told.sure:
            return reject(record, by, "label_disagrees", evidence, told.precision)
        if told.precision < self._flag_from:
            return None
        return flag(record, by, "label_disagrees", evidence, told.precision)


def _differ(values: Iterator[str]) -> bool:
    """Whether two of them are not the same. Looks no further than it must."""
    first = next(values, None)
    return any(value != first for value in values)


def _labelled(task: Task, real: Sequence[Record]) -> list[tuple[str, str]]:
    rows = sorted(real, key=lambda row: (seed_from("label_agreement", row.id), row.id))[:MOST_ROWS]
    return [
        (whole_text(task, row.fields), label) for row in rows if (label := task.label(row.fields)) is not None
    ]
