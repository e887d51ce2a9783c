"""The search for a share is right in both directions, and says so where it cannot tell."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.student.ablation import BASE, ablate
from seedbed.student.arms import Arm
from seedbed.student.examine import Examined
from seedbed.student.fitting import fitted, student_of
from seedbed.student.job import Job
from seedbed.student.mixture import Mixture, MixtureError, SliceRule
from seedbed.student.repeated import Tried, Try
from seedbed.student.rows import Row
from seedbed.student.search import Question, search
from seedbed.tasks.classification import Classification

CLASSES = ("billing", "login", "shipping")
TASK = Classification.bind(Classification.Options(input="text", label="label"), CLASSES)


def rows(kind: str, count: int, words: Sequence[int] = range(60), *, noise: float = 0.0) -> list[Row]:
    """Rows of which one word tells the class; with `noise`, that share of rows is labelled by chance."""
    rng = random.Random(kind)
    made = []
    for at in range(count):
        label = CLASSES[at % 3]
        spoken = rng.choice(CLASSES) if rng.random() < noise else label
        text = f"{spoken}{rng.choice(words)} {spoken}{rng.choice(words)} filler{rng.randrange(30)}"
        made.append(Row(f"{kind}-{at}", text, label))
    return made


def trying(dev: Sequence[Row], seen: list[int] | None = None) -> Try:
    def attempt(arms: Sequence[Arm]) -> Tried:
        if seen is not None:
            seen.extend(len(arm.rows) for arm in arms)
        job = Job(tuple(arms))
        with tempfile.TemporaryDirectory() as folder, fitted(job, TASK, student_of(job)) as entries:
            assert Path(folder).is_dir()
            answers = {e.arm.name: e.fitted.answer(dev) for e in entries if e.fitted is not None}
            problems = {e.arm.name: e.problem for e in entries if e.fitted is None}
        return Tried(Examined("dev", TASK, dev, answers), {}, "macro_f1", problems)

    return attempt


def by_share(result: dict[str, Any]) -> dict[float, dict[str, Any]]:
    return {arm["share"]: arm for arm in result["arms"]}


def test_where_a_half_mix_beats_both_it_is_taken() -> None:
    """Real and generated rows each know half of the words: equal alone, better together."""
    real, generated = rows("real", 240, range(30)), rows("generated", 240, range(30, 60))
    question = Question(real, generated, Mixture(0.9), (0.25, 0.5, 0.75))
    result = search(question, trying(rows("dev", 1_500)))
    arms = by_share(result)
    assert arms[1.0]["against_real"]["verdict"] != "better"
    assert arms[1.0]["against_real"]["verdict"] != "worse"
    assert arms[0.5]["against_real"]["verdict"] == "better"
    assert result["decision"] == "better"
    assert result["chosen"] == 0.5
    assert result["lead"]["low"] > 0


def test_where_generated_rows_are_poor_they_are_not_taken() -> None:
    real, generated = rows("real", 240), rows("generated", 240, noise=0.8)
    result = search(Question(real, generated, Mixture(0.75), (0.25, 0.5)), trying(rows("dev", 1_500)))
    assert by_share(result)[1.0]["against_real"]["verdict"] == "worse"
    assert result["decision"] == "better"
    assert result["chosen"] < 0.75


def test_where_both_sides_are_alike_there_is_no_material_gain() -> None:
    real, generated = rows("real", 900), rows("generated", 900)
    result = search(Question(real, generated, Mixture(0.75), (0.25, 0.5)), trying(rows("dev", 3_000)))
    assert result["decision"] == "no_material_gain"
    assert result["chosen"] == 0.75
    assert by_share(result)[0.75]["against_real"]["verdict"] == "no_material_difference"


def test_few_rows_decide_nothing_and_the_prior_stays() -> None:
    real, generated = rows("real", 120, noise=0.3), rows("generated", 120, noise=0.4)
    result = search(
        Question(real, generated, Mixture(0.9), (0.25, 0.5, 0.75)), trying(rows("dev", 30, noise=0.3))
    )
    assert result["decision"] == "undecided"
    assert result["chosen"] == 0.9
    assert result["rows_to_decide"] > 30


def test_beside_all_real_rows_what_is_added_is_seen() -> None:
    real, generated = rows("real", 60, range(30)), rows("generated", 600)
    question = Question(real, generated, Mixture(0.75, fixed="real"), (0.5, 0.9))
    arms = by_share(search(question, trying(rows("dev", 1_500))))
    assert (arms[0.0]["real"], arms[0.0]["synthetic"]) == (60, 0)
    assert (arms[0.75]["real"], arms[0.75]["synthetic"]) == (60, 180)
    assert (arms[1.0]["real"], arms[1.0]["synthetic"]) == (0, 240)
    assert arms[0.75]["against_real"]["verdict"] == "better"


def test_halving_tries_many_shares_on_few_rows_and_keeps_the_prior() -> None:
    real, generated = rows("real", 900), rows("generated", 900, noise=0.6)
    tried: list[int] = []
    shares = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    result = search(Question(real, generated, Mixture(0.95), shares), trying(rows("dev", 600), tried))
    assert [rung["rows"] for rung in result["rungs"]] == sorted(rung["rows"] for rung in result["rungs"])
    assert len(result["rungs"][0]["scores"]) == 9
    kept = by_share(result)
    assert {0.0, 0.95, 1.0} <= kept.keys()
    assert len(kept) <= 6
    whole = max(tried)
    assert sum(size == whole for size in tried) == 5 * len(kept)


def test_a_share_that_ruins_a_critical_slice_is_not_chosen() -> None:
    """Generated rows are good but for one class, whose rows speak of another."""
    real = rows("real", 300, range(20))
    generated = [
        Row(row.id, row.text.replace("login", "billing"), row.answer) if row.answer == "login" else row
        for row in rows("generated", 900)
    ]
    question = Question(real, generated, Mixture(0.97), (0.25, 0.5), critical=("login", "refunds"))
    result = search(question, trying(rows("dev", 900)))
    arms = by_share(result)
    assert arms[0.97]["slices"]["login"]["status"] == "broken"
    assert result["decision"] == "constrained"
    # Of a critical slice without a dev row nobody can say that it holds.
    assert arms[0.5]["slices"]["refunds"] == {
        "rows": 0,
        "score": None,
        "difference": None,
        "status": "unproven",
    }
    assert result["chosen"] == 0.0


def test_rules_in_whole_rows_shrink_with_the_rungs() -> None:
    real = [*rows("real", 540), *(Row(f"rare-{at}", f"rare{at % 7} words", "rare") for at in range(60))]
    rule = {"rare": SliceRule(real_at_least=40)}
    question = Question(real, rows("generated", 4_000), Mixture(0.75, slices=rule), (0.25, 0.5, 0.6, 0.9))
    dev = [*rows("dev", 120), *(Row(f"d-{at}", f"rare{at % 7} words", "rare") for at in range(30))]
    result = search(question, trying(dev))
    assert result["rungs"]
    assert result["left_out"] == {}


def test_few_rows_that_agree_prove_nothing() -> None:
    """Twenty dev rows that all are answered right by every arm: three of twenty may still differ."""
    real, generated = rows("real", 300, range(5)), rows("generated", 300, range(5))
    question = Question(real, generated, Mixture(0.5), (0.25,), critical=("login",))
    result = search(question, trying(rows("dev", 20, range(5))))
    assert {arm["score"]["value"] for arm in result["arms"]} == {1.0}
    assert result["decision"] == "undecided"
    assert not by_share(result)[0.5]["held"]


def test_equal_arms_are_seldom_told_apart() -> None:
    """What five noisy seeds of five equal shares show is `better` in no more than one trial of twenty."""
    rng = random.Random(0)

    def attempt(arms: Sequence[Arm]) -> Tried:
        return Tried(None, {arm.name: 0.8 + rng.gauss(0, 0.03) for arm in arms}, "score", {})

    question = Question(rows("real", 60), rows("generated", 60), Mixture(0.75), (0.25, 0.5))
    decisions = [search(question, attempt)["decision"] for _ in range(100)]
    assert decisions.count("better") <= 5


def test_a_share_without_rows_is_left_out_with_the_reason() -> None:
    real = rows("real", 90)
    result = search(Question(real, [], Mixture(0.0), (0.5,)), trying(rows("dev", 90)))
    assert "no synthetic rows" in result["left_out"]["0.5"]
    assert result["chosen"] == 0.0
    with pytest.raises(MixtureError, match="cannot be made: there are no synthetic rows"):
        search(Question(real, [], Mixture(0.5), (0.25,)), trying(rows("dev", 90)))


def test_a_trainer_that_only_reports_is_searched_by_its_figures() -> None:
    def attempt(arms: Sequence[Arm]) -> Tried:
        reported = {arm.name: 0.9 - abs(arm.synthetic / len(arm.rows) - 0.5) for arm in arms}
        return Tried(None, reported, "score", {})

    result = search(Question(rows("real", 90), rows("generated", 90), Mixture(0.75), (0.25, 0.5)), attempt)
    assert result["chosen"] == 0.5
    assert result["dev_rows"] == 0


def test_slices_keep_their_rule_in_every_share() -> None:
    rule = {"login": SliceRule(real_at_least=0.8)}
    real, generated = rows("real", 300), rows("generated", 300)
    seen: list[Arm] = []

    def watching(inner: Try) -> Callable[[Sequence[Arm]], Tried]:
        def attempt(arms: Sequence[Arm]) -> Tried:
            seen.extend(arms)
            return inner(arms)

        return attempt

    search(Question(real, generated, Mixture(0.5, slices=rule), (0.25,)), watching(trying(rows("dev", 90))))
    mixed = [arm for arm in seen if arm.real and arm.synthetic]
    assert mixed
    for arm in mixed:
        of_login = [row for row in arm.rows if row.answer == "login"]
        assert sum(row.id.startswith("real") for row in of_login) >= 0.8 * len(of_login)


def test_a_filter_that_keeps_wrong_labels_out_is_worth_something() -> None:
    real, good = rows("real", 60), rows("good", 300)
    wrong = rows("wrong", 300, noise=1.0)
    pools = {BASE: good, "label_check": [*good, *wrong], "harmless": [*good, *rows("more", 60)]}
    result = ablate(real, pools, Mixture(0.75, 240), trying(rows("dev", 1_500)))
    assert result["without"]["label_check"]["worth"]["verdict"] == "better"
    assert result["without"]["harmless"]["worth"]["verdict"] in ("no_material_difference", "undecided")
    assert result["rows"] == {"all": 240, "real": 60, "synthetic": 180}


def test_a_pool_that_is_too_small_is_left_out() -> None:
    good = rows("good", 300)
    pools = {BASE: good, "the big one": good[:20], "the small one": good[20:]}
    result = ablate(rows("real", 60), pools, Mixture(0.75, 240), trying(rows("dev", 90)))
    assert "20 generated rows are left of 180 needed" in result["left_out"]["the big one"]
    assert list(result["without"]) == ["the small one"]
