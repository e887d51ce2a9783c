"""Scoring of arms: the eval is read once and late, its text stays out, every gap is named."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import InputError
from seedbed.core.registry import UnknownPlugin
from seedbed.stats.intervals import Estimate
from seedbed.student.arms import Arm, build_arms
from seedbed.student.evaluate import score_arms
from seedbed.student.examine import Examined, difference_of, verdict_on
from seedbed.student.job import Job, read_job, write_job
from seedbed.student.mixture import Mixture
from seedbed.student.protocol import StudentError
from seedbed.student.rows import Row, row_of
from seedbed.tasks.classification import Classification

CLASSES = ("billing", "login", "shipping")
TASK = Classification.bind(Classification.Options(input="text", label="label"), CLASSES)


def make_rows(
    kind: str, count: int, *, vocabulary: Sequence[int] = range(40), noise: float = 0.0
) -> list[Row]:
    """Rows whose words tell their class; with `noise`, that share of rows speaks of another class."""
    rng = random.Random(kind)
    rows = []
    for index in range(count):
        label = CLASSES[index % len(CLASSES)]
        spoken = rng.choice(CLASSES) if rng.random() < noise else label
        words = [f"{spoken}{rng.choice(vocabulary)}" for _ in range(3)]
        text = " ".join([*words, f"filler{rng.randrange(30)}"])
        rows.append(row_of(TASK, f"{kind}-{index}", {"text": text, "label": label}))
    return rows


def pairs(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return [(row.text, row.answer) for row in rows]


def examined_rows(pairs: Sequence[tuple[str, str]]) -> list[Row]:
    return [Row(f"eval-{at}", text, label) for at, (text, label) in enumerate(pairs)]


def scored_by(job: Job, read: Callable[[], Sequence[tuple[str, str]]]) -> dict[str, Any]:
    return score_arms(job, TASK, lambda: examined_rows(read()))


def arms_at(
    real: Sequence[Row], synthetic: Sequence[Row], share: float, size: int | None = None
) -> list[Arm]:
    return build_arms(real, synthetic, Mixture(share, size))


def arm(result: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [entry for entry in result["arms"] if entry["name"] == name]
    assert isinstance(found, dict)
    return found


def difference(result: dict[str, Any], name: str, against: str) -> dict[str, Any]:
    (found,) = [d for d in result["differences"] if (d["arm"], d["against"]) == (name, against)]
    assert isinstance(found, dict)
    return found


class Eval:
    """Eval rows that count how often they are read."""

    def __init__(self, rows: Sequence[tuple[str, str]]) -> None:
        self.rows = list(rows)
        self.readings = 0

    def __call__(self) -> list[tuple[str, str]]:
        self.readings += 1
        return self.rows


def test_a_poor_synthetic_source_is_found_out() -> None:
    arms = arms_at(make_rows("real", 240), make_rows("synthetic", 240, noise=0.7), 0.75)
    locked = Eval(pairs(make_rows("eval", 600)))
    result = scored_by(Job(tuple(arms)), locked)
    assert locked.readings == 1
    assert result["eval"] == {"rows": 600, "labels": dict.fromkeys(CLASSES, 200)}
    synthetic, real = arm(result, "synthetic_only"), arm(result, "real_only")
    assert (
        synthetic["scores"]["macro_f1"]["value"]
        < arm(result, "mix")["scores"]["macro_f1"]["value"]
        < real["scores"]["macro_f1"]["value"]
    )
    assert difference(result, "synthetic_only", "real_only")["verdict"] == "worse"
    assert difference(result, "mix", "synthetic_only")["verdict"] == "better"
    assert result["undecided"] is difference(result, "mix", "real_only")["undecided"]
    retention = synthetic["retention"]
    assert retention["value"] == pytest.approx(
        synthetic["scores"]["macro_f1"]["value"] / real["scores"]["macro_f1"]["value"], abs=1e-5
    )
    assert retention["low"] < retention["value"] < retention["high"] < 1


def test_a_mix_that_beats_both_sides_is_seen_too() -> None:
    """Real and synthetic rows each know half of the words: equal alone, better together."""
    real = make_rows("real", 300, vocabulary=range(20))
    synthetic = make_rows("synthetic", 300, vocabulary=range(20, 40))
    result = scored_by(Job(tuple(arms_at(real, synthetic, 0.5))), Eval(pairs(make_rows("eval", 900))))
    assert difference(result, "mix", "real_only")["verdict"] == "better"
    assert difference(result, "mix", "synthetic_only")["verdict"] == "better"
    assert difference(result, "synthetic_only", "real_only")["verdict"] != "better"
    assert result["undecided"] is False


def test_equal_sources_show_no_material_difference() -> None:
    real, synthetic = make_rows("real", 600), make_rows("synthetic", 600)
    result = scored_by(Job(tuple(arms_at(real, synthetic, 0.5))), Eval(pairs(make_rows("eval", 3_000))))
    mixed = difference(result, "mix", "real_only")
    assert mixed["verdict"] == "no_material_difference"
    assert mixed["rows_to_decide"] is None


def test_a_small_eval_is_undecided_and_says_how_many_rows_would_decide() -> None:
    arms = arms_at(make_rows("real", 90, noise=0.3), make_rows("synthetic", 90, noise=0.45), 0.75)
    result = scored_by(Job(tuple(arms)), Eval(pairs(make_rows("eval", 30, noise=0.2))))
    mixed = difference(result, "mix", "real_only")
    assert result["undecided"] is True
    assert mixed["verdict"] == "undecided"
    assert mixed["rows_to_decide"] is None or mixed["rows_to_decide"] >= 30


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.01, 0.01, "no_material_difference"),
        (0.005, 0.015, "no_material_difference"),
        (0.01, 0.05, "better"),
        (-0.05, -0.01, "worse"),
        (-0.01, 0.05, "undecided"),
    ],
)
def test_verdicts_follow_the_interval(low: float, high: float, verdict: str) -> None:
    assert verdict_on(Estimate((low + high) / 2, low, high)) == verdict


@pytest.mark.parametrize("rows", [20, 79, 100])
def test_rows_that_are_all_answered_alike_want_more_rows_to_say_so(rows: int) -> None:
    """By the rule of three: of n rows without a difference 3 in n may differ, for all they tell."""
    told = difference_of(Estimate(0.0, 0.0, 0.0), rows)
    assert (told["verdict"], told["rows_to_decide"]) == ("undecided", 101)
    assert difference_of(Estimate(0.0, 0.0, 0.0), 101)["verdict"] == "no_material_difference"


def test_answers_that_are_no_label_are_counted() -> None:
    task = Classification.bind(Classification.Options(input="text", label="label"), ["x", "y"])
    rows = [Row(str(n), "red", "x", {"text": "red", "label": "x"}) for n in range(3)]
    examined = Examined("dev", task, rows, {"mix": ["x ", "banana", "y"], "real_only": ["x", "x", "y"]})
    assert (examined.strangers("mix"), examined.strangers("real_only")) == (["banana"], [])


def test_figures_of_each_label_add_up() -> None:
    """Four eval rows whose predictions are sure: the figures can be counted by hand."""
    rows = [Row(str(n), text, label) for n, (text, label) in enumerate([("red", "x"), ("blue", "y")] * 4)]
    locked = [("red", "x"), ("red", "x"), ("red", "y"), ("blue", "y")]
    result = scored_by(Job((Arm("real_only", tuple(rows), 8, 0),)), lambda: locked)
    scores = arm(result, "real_only")
    assert scores["scores"]["accuracy"]["value"] == 0.75
    assert scores["scores"]["macro_f1"]["value"] == pytest.approx((0.8 + 2 / 3) / 2, abs=1e-6)
    by_label = scores["per_class"]
    assert by_label["x"] | {"recall_interval": None} == {
        "recall": 1.0, "recall_interval": None, "precision": 0.666667, "f1": 0.8, "support": 2,
    }  # fmt: skip
    assert (by_label["y"]["recall"], by_label["y"]["precision"]) == (0.5, 1.0)
    low, high = by_label["y"]["recall_interval"]
    assert 0 < low < 0.5 < high < 1


def test_equal_jobs_give_equal_results() -> None:
    job = Job(tuple(arms_at(make_rows("real", 60), make_rows("synthetic", 60, noise=0.5), 0.5)))
    locked = pairs(make_rows("eval", 90))
    assert scored_by(job, lambda: locked) == scored_by(job, lambda: list(locked))


def test_dev_rows_are_scored_beside_the_eval() -> None:
    job = Job(
        tuple(arms_at(make_rows("real", 60), make_rows("synthetic", 60), 0.5)),
        dev=tuple(make_rows("dev", 45)),
    )
    scored = arm(scored_by(job, Eval(pairs(make_rows("eval", 90)))), "mix")
    assert scored["dev"]["rows"] == 45
    assert 0 < scored["dev"]["scores"]["macro_f1"]["value"] <= 1


def test_no_eval_text_leaves(tmp_path: Path) -> None:
    """Not even where the label column is wrong for some rows, as labels or in an error."""
    marked = [(f"{row.text} zanzibar quagga", row.answer) for row in make_rows("eval", 60)]
    job = Job(tuple(arms_at(make_rows("real", 60), make_rows("synthetic", 60), 0.5)))
    result = json.dumps(scored_by(job, lambda: marked))
    assert "zanzibar" not in result
    with pytest.raises(InputError, match="check which of its columns is the label") as caught:
        scored_by(job, lambda: [(label, text) for text, label in marked])
    assert "zanzibar" not in str(caught.value)
    assert "'billing'" in str(caught.value)


def test_an_arm_that_cannot_be_learnt_stands_there_with_its_problem() -> None:
    one_label = Arm("synthetic_only", (Row("1", "some words", "billing"),) * 3, 0, 3)
    real = Arm("real_only", tuple(make_rows("real", 60)), 60, 0)
    empty = Arm("mix", (), 0, 0, "there are no real rows for a mix")
    result = scored_by(Job((real, one_label, empty)), Eval(pairs(make_rows("eval", 30))))
    broken = arm(result, "synthetic_only")
    assert broken["scores"] is None
    assert "arm synthetic_only: all 3 training rows are labelled 'billing'" in broken["problem"]
    assert arm(result, "mix")["problem"] == "arm mix: there are no real rows for a mix"
    assert result["differences"] == []
    assert result["undecided"] is None
    assert any(note.startswith("not scored: arm mix") for note in result["notes"])


def test_without_any_arm_the_eval_stays_closed() -> None:
    locked = Eval(pairs(make_rows("eval", 30)))
    with pytest.raises(StudentError, match=r"eval stays closed\narm real_only: there are no real rows"):
        scored_by(Job(tuple(arms_at([], [], 0.5))), locked)
    assert locked.readings == 0


def test_every_arm_is_fitted_before_the_eval_is_read() -> None:
    events: list[str] = []

    class Watched(tuple[Row, ...]):
        """Training rows that note when somebody goes through them."""

        def __iter__(self) -> Iterator[Row]:
            events.append("trained")
            return super().__iter__()

    def read_eval() -> list[tuple[str, str]]:
        events.append("read")
        return pairs(make_rows("eval", 9))

    first, last = (Arm(name, Watched(make_rows(name, 9)), 9, 0) for name in ("real_only", "mix"))
    scored_by(Job((first,)), read_eval)
    alone = events.index("read")
    events.clear()
    scored_by(Job((first, last)), read_eval)
    assert alone > 0
    assert events.index("read") == 2 * alone
    assert events.count("read") == 1


def test_a_wrong_order_leaves_the_eval_closed() -> None:
    locked = Eval([])
    with pytest.raises(UnknownPlugin, match="did you mean 'classifier'"):
        scored_by(Job((), student="clasifier"), locked)
    with pytest.raises(ValueError, match="extra"):
        scored_by(Job((), options={"extra": 1}), locked)
    assert locked.readings == 0


def test_an_empty_eval_is_refused() -> None:
    job = Job((Arm("real_only", tuple(make_rows("real", 9)), 9, 0),))
    with pytest.raises(InputError, match="the eval set has no rows"):
        scored_by(job, list)


def test_labels_that_one_side_lacks_are_named() -> None:
    rows = [*make_rows("real", 30), Row("rare", "rare words", "fraud")]
    real = Arm("real_only", tuple(rows), len(rows), 0)
    synthetic = Arm("synthetic_only", tuple(row for row in rows if row.answer != "login"), 0, 21)
    locked = [*pairs(make_rows("eval", 30)), ("rare words", "fraud"), ("quite new", "chargeback")]
    result = scored_by(Job((real, synthetic)), lambda: locked)
    notes = "\n".join(result["notes"])
    assert "arm real_only has no row of 'chargeback', which the eval has: it scores 0 there" in notes
    assert "arm synthetic_only has no row of 'chargeback', 'login'" in notes
    assert "arm real_only has a single row of 'fraud'" in notes
    assert arm(result, "real_only")["per_class"]["chargeback"]["recall"] == 0
    assert arm(result, "real_only")["per_class"]["chargeback"]["precision"] is None
    without_login = scored_by(Job((real,)), lambda: [row for row in locked if row[1] != "login"])
    assert "the eval has no row of 'login'" in "\n".join(without_login["notes"])


def test_a_job_comes_back_from_its_folder(tmp_path: Path) -> None:
    odd = row_of(TASK, "odd", {"text": "line\nbreak \u2028 \ud800 \0 مرحبا", "label": "login"})
    job = Job(
        tuple(arms_at([*make_rows("real", 12), odd], make_rows("synthetic", 7), 0.5, 20)),
        options={"features": "word+char"},
        dev=(odd,),
        held_out=tuple(make_rows("held", 2)),
        folder=tmp_path / "trained",
        home=tmp_path,
        draws=50,
        level=0.9,
    )
    assert read_job(write_job(job, tmp_path), TASK) == job
