"""A classifier's doubts: measured on real rows, shown as flags, and no ground to empty a rare label."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.filters.agreement import LEVELS, _least, learn
from seedbed.filters.label_agreement import LabelAgreement
from seedbed.tasks.classification import Classification
from tests.filters.tickets import QUESTIONS, build, record, unread, verdicts_of

ROOT = Path(__file__).resolve().parents[2]
LABELS = ("billing", "login", "rare")
TASK = Classification.bind(Classification.Options(input="text", label="label"), LABELS)


def rows(label: str, count: int, noise: float = 0.0, salt: str = "real") -> list[Record]:
    """Rows whose words tell their label, but for a share of `noise` that has another's words."""
    rng = random.Random(f"{label}{salt}")
    made = []
    for at in range(count):
        said = rng.choice([other for other in LABELS if other != label]) if rng.random() < noise else label
        words = [f"{said}{rng.randrange(25)}" for _ in range(6)] + [
            f"word{rng.randrange(40)}" for _ in range(4)
        ]
        made.append(record(f"{salt}-{label}-{at}", text=" ".join(words), label=label))
    return made


def built(real: Sequence[Record], **options: Any) -> Any:
    return build("label_agreement", FilterContext(TASK, real=real), **options)


def relabelled(drafts: Sequence[Record], label: str) -> list[Record]:
    return [record(draft.id, text=draft.fields["text"], label=label) for draft in drafts]


PLENTY = [*rows("billing", 120), *rows("login", 120), *rows("rare", 10)]


def test_a_text_of_another_label_is_dropped_where_both_have_enough_real_rows() -> None:
    wrong = relabelled(rows("login", 40, salt="draft"), "billing")
    verdicts = verdicts_of(built(PLENTY), wrong)
    assert sum(not verdict.keep for verdict in verdicts) >= 35
    first = next(verdict for verdict in verdicts if not verdict.keep)
    assert first.reason == "label_disagrees"
    assert first.evidence["given"] == "billing"
    assert first.evidence["predicted"] == "login"
    assert first.evidence["confidence"] >= 0.95
    assert first.evidence["confidence"] == first.score
    assert first.evidence["real_rows"] == [120, 120]


def test_drafts_of_their_own_label_stay_without_a_flag() -> None:
    verdicts = verdicts_of(
        built(PLENTY), [*rows("login", 40, salt="draft"), *rows("billing", 40, salt="draft")]
    )
    assert all(verdict.keep for verdict in verdicts)
    assert sum(verdict.is_flag for verdict in verdicts) <= 2


def test_a_rare_label_is_flagged_and_never_emptied() -> None:
    wrong = [*relabelled(rows("login", 40, salt="draft"), "rare")]
    verdicts = verdicts_of(built(PLENTY), wrong)
    assert all(verdict.keep for verdict in verdicts)
    assert any(verdict.is_flag for verdict in verdicts)
    # Nor is anything dropped because it looks like a label of few real rows.
    assert all(
        verdict.keep
        for verdict in verdicts_of(built(PLENTY), relabelled(rows("rare", 40, salt="d"), "login"))
    )


@pytest.mark.parametrize(("count", "drops"), [(49, False), (50, True)])
def test_fifty_real_rows_are_enough(count: int, drops: bool) -> None:
    real = [*rows("billing", 120), *rows("login", count)]
    verdicts = verdicts_of(built(real), relabelled(rows("billing", 40, salt="draft"), "login"))
    assert any(not verdict.keep for verdict in verdicts) == drops
    assert any(verdict.reason for verdict in verdicts)


def test_labels_that_real_rows_confuse_are_not_told_apart_by_force() -> None:
    real = [*rows("billing", 150, noise=0.5), *rows("login", 150, noise=0.5)]
    verdicts = verdicts_of(built(real), relabelled(rows("login", 60, salt="draft"), "billing"))
    assert all(verdict.keep for verdict in verdicts)


def test_options_only_flag_or_flag_less() -> None:
    wrong = relabelled(rows("login", 40, salt="draft"), "billing")
    only = verdicts_of(built(PLENTY, drop=False), wrong)
    assert all(verdict.keep for verdict in only)
    assert sum(verdict.is_flag for verdict in only) >= 35
    rare = relabelled(rows("login", 40, salt="draft"), "rare")
    flags = [
        sum(v.is_flag for v in verdicts_of(built(PLENTY, flag_from=level), rare)) for level in (0.5, 0.99)
    ]
    assert flags[0] > flags[1] == 0


def test_what_it_cannot_judge_is_kept() -> None:
    odd = [
        record("a", text="", label="login"),
        record("b", text="login1 login2", label="unheard of"),
        record("c", text="login1", label=None),
        unread("{"),
    ]
    assert all(verdict.keep and not verdict.reason for verdict in verdicts_of(built(PLENTY), odd))


def test_it_does_not_depend_on_the_order_of_the_rows() -> None:
    shuffled = list(PLENTY)
    random.Random(1).shuffle(shuffled)
    drafts = relabelled(rows("login", 30, noise=0.3, salt="draft"), "billing")
    assert verdicts_of(built(shuffled), drafts) == verdicts_of(built(PLENTY), drafts)


def test_a_large_class_is_no_excuse_for_errors_on_a_small_one() -> None:
    # Of 1,000 rows of b 950 are told so; of 60 of a, 15. Plain counts would call that a precision of .98.
    right, wrong = np.full(950, 1.0), np.full(15, 1.0)
    least = _least(right, wrong, 1000, 60)
    assert least[LEVELS.index(0.7)] < np.inf
    assert least[LEVELS.index(0.8)] == np.inf
    # The other way round the counts decide: of 90 disagreements 50 are right.
    least = _least(np.full(50, 1.0), np.full(39, 1.0), 60, 1000)
    assert least[LEVELS.index(0.5)] < np.inf
    assert least[LEVELS.index(0.6)] == np.inf


def test_at_most_one_in_a_hundred_real_rows_is_contradicted_surely() -> None:
    real = [*rows("billing", 300, noise=0.1), *rows("login", 300, noise=0.1)]
    learnt = learn([(row.fields["text"], row.fields["label"]) for row in real])
    fresh = [*rows("billing", 300, noise=0.0, salt="new"), *rows("login", 300, noise=0.0, salt="new")]
    sure = sum(learnt.told(r.fields["text"], learnt.labels.index(r.fields["label"])).sure for r in fresh)
    assert sure <= 6


def test_workers_need_no_scikit_learn(tmp_path: Path) -> None:
    (tmp_path / "filter.pickle").write_bytes(pickle.dumps((built(PLENTY), rows("login", 5))))
    code = (
        "import pickle, sys\n"
        f"built, drafts = pickle.load(open({str(tmp_path / 'filter.pickle')!r}, 'rb'))\n"
        "assert len(built.check(drafts)) == 5\n"
        "print(*sorted({'sklearn', 'scipy', 'pyarrow'} & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_what_it_lacks_is_told() -> None:
    assert LabelAgreement.problems(LabelAgreement.Options(), QUESTIONS)
    assert LabelAgreement.problems(LabelAgreement.Options(), TASK) == []
    assert LabelAgreement.problems_with_rows(LabelAgreement.Options(), TASK, rows("login", 9))
    assert LabelAgreement.problems_with_rows(LabelAgreement.Options(), TASK, PLENTY) == []


def test_going_to_workers_it_learns_apart_what_it_would_learn_here() -> None:
    drafts = relabelled(rows("login", 30, noise=0.3, salt="draft"), "billing")
    here, apart = built(PLENTY), built(PLENTY)
    assert verdicts_of(pickle.loads(pickle.dumps(apart)), drafts) == verdicts_of(here, drafts)
    code = (
        "import pickle, sys\n"
        "from tests.filters.test_label_agreement import PLENTY, built\n"
        "pickle.dumps(built(PLENTY))\n"
        "assert 'sklearn' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
