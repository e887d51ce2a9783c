"""The report: every figure of the summary, sums that hold, and words that say what figures mean."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.errors import AccountsError
from seedbed.core.fate import Accounts, CellCounts, DraftCounts, Stopped
from seedbed.publish.report import render_text
from seedbed.publish.text_layout import display_width, printable, table
from seedbed.student.arms import build_arms
from seedbed.student.evaluate import score_arms
from seedbed.student.job import Job
from seedbed.student.mixture import Mixture
from seedbed.student.rows import Row
from seedbed.tasks.classification import Classification

ACCOUNTS = Accounts(
    target=1_300,
    cells=CellCounts(planned=412, done=406, failed=6),
    drafts=DraftCounts(
        total=1_412,
        accepted=1_300,
        rejected=Counter(not_json=40, refused=30, near_duplicate=20, over_target=16),
        failed=Counter(timeout=4, http_503=2),
    ),
    stopped="target",
)


TASK = Classification.bind(Classification.Options(input="text", label="label"), None)


def rows(kind: str, count: int, noise: float) -> list[Row]:
    """Rows whose words tell their class, but for a share of `noise`."""
    rng = random.Random(kind)
    made = []
    for index in range(count):
        label = ("billing", "login", "shipping")[index % 3]
        spoken = rng.choice(("billing", "login", "shipping")) if rng.random() < noise else label
        made.append(Row(f"{kind}-{index}", f"{spoken}{rng.randrange(30)} {spoken}{rng.randrange(30)}", label))
    return made


def proof(
    real: int, synthetic: int, eval_rows: int, *, noise: float = 0.0, mix: float = 0.75
) -> dict[str, Any]:
    arms = build_arms(rows("real", real, 0.0), rows("synthetic", synthetic, noise), Mixture(mix))
    locked = rows("eval", eval_rows, 0.1)
    return score_arms(Job(tuple(arms)), TASK, lambda: locked)


COMPARED = {
    "min": 4,
    "regime": "gates",
    "labels": 120,
    "labels_needed": 100,
    "unjudged": 0,
    "kappa": {"value": 0.71, "low": 0.58, "high": 0.82},
    "agreement": {"value": 0.86, "low": 0.78, "high": 0.91},
    "sensitivity": {"value": 0.8, "low": 0.68, "high": 0.89},
    "specificity": {"value": 0.92, "low": 0.83, "high": 0.96},
    "bad_rate": {"value": 0.071, "low": 0.03, "high": 0.125},
}


def summary(**changes: Any) -> dict[str, Any]:
    """A finished run with something in every section, less what a test changes."""
    return {
        "run": "runs/tickets",
        "recipe": "tickets",
        "task": "classification",
        "rehearsal": False,
        "accounts": ACCOUNTS.to_json(),
        "at_work": False,
        "partial": False,
        "calls": {
            "requests": 418,
            "answers": 406,
            "attempts": {"timeout": 8, "http_503": 4},
            "prompt_tokens": 100_000,
            "completion_tokens": 42_000,
        },
        "by_cover": {
            "category": {
                "billing": {"target": 100, "accepted": 100, "drafts": 130, "cells": 130},
                "fraud": {"target": 200, "accepted": 190, "drafts": 282, "cells": 282},
            }
        },
        "filters": [{"filter": "refusal@1", "checked": 412, "rejected": {"refused": 30}}],
        "flags": [],
        "judged": [
            {
                "filter": "judge@1",
                "judged": 390,
                "scores": {"2": 90, "4": 300},
                "mean": 3.5385,
                "unjudged": {"unreadable": 3, "timeout": 1},
                "promoted": 12,
                "calls": 396,
                "unreadable": None,
                "compared": COMPARED,
            }
        ],
        "rounds": [
            {"round": 1, "cells": 300, "accepted": 200, "over_target": 14, "yield": 0.7123, "partial": False},
            {"round": 2, "cells": 112, "accepted": 100, "over_target": 0, "yield": None, "partial": False},
        ],
        "selftest": None,
        "eval": {
            "path": "data/test.csv",
            "sha256": "ab" * 32,
            "rows": 120,
            "compare": ["text"],
            "ignore_after": "Choices:",
            "openings": [
                {"purpose": "evaluate", "at": "2030-01-02T03:04:05+00:00", "by": "seedbed run tickets"}
            ],
        },
        "measures": None,
        "mix": {"search": None, "ablations": {}},
        "proof": None,
        "notes": ["no real data: nothing shows what the data is worth"],
    } | changes


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"regime": "people"}, "it sends to people: a score below min flags, and rejects nothing"),
        ({"regime": "off", "kappa": None, "bad_rate": None}, "it is off: it is not asked"),
        ({"regime": "uncalibrated", "labels": 99}, "it is uncalibrated: it ranks, and rejects only with"),
        ({"regime": "uncalibrated", "labels": 99}, "trust: uncalibrated; 100 labels are needed"),
        ({"regime": "uncalibrated"}, "people said the same of all records"),
        ({"unjudged": 7}, "7 of the labelled records stayed unjudged, and count against it"),
    ],
)
def test_each_regime_says_what_the_judge_may_do(changes: dict[str, Any], told: str) -> None:
    (judged,) = summary()["judged"]
    text = one_line(render_text(summary(judged=[{**judged, "compared": {**COMPARED, **changes}}])))
    assert told in text


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_what_a_model_said_stands_apart_with_what_it_could_not_say() -> None:
    text = one_line(render_text(summary()))
    assert "judge@1: 390 drafts judged, mean 3.54 (2: 90, 4: 300)" in text
    assert "4 unjudged: kept without a score, because no usable answer came (unreadable 3, timeout 1)" in text
    assert "396 of the requests below were its own" in text
    assert "12 drafts that had fallen as twins of one that it rejects came back" in text
    assert "compared with 120 human labels, good from a score of 4: kappa 0.71 (95 %: 0.58 to 0.82)" in text
    assert "it gates: a score below min rejects" in text
    assert "it finds 80.0 % (95 %: 68.0 % to 89.0 %) of what people call bad" in text
    assert (
        "corrected for its errors, 7.1 % (95 %: 3.0 % to 12.5 %) of the drafts that it judged are bad" in text
    )
    assert "Judged by a model" not in render_text(summary(judged=[]))


def test_the_outcome_comes_first_with_both_equations() -> None:
    text = render_text(summary())
    head = text.partition("Why drafts")[0]
    assert "Target met: 1,300 of 1,300 records accepted." in head
    assert "1,412 = 1,300 accepted + 106 rejected + 6 failed + 0 pending" in one_line(head)
    assert "412 = 406 done + 6 failed + 0 pending" in one_line(head)


@pytest.mark.parametrize(
    ("stopped", "words"),
    [
        ("target", "Target met"),
        ("budget", "larger budget"),
        ("variety", "variety or replies ran out"),
        ("interrupted", "Interrupted"),
        ("endpoint", "endpoint could not be used"),
        ("cells", "cells failed"),
        (None, "Not finished"),
    ],
)
def test_each_way_to_stop_has_its_words(stopped: Stopped | None, words: str) -> None:
    accounts = ACCOUNTS.to_json() | {"stopped": stopped}
    text = one_line(render_text(summary(accounts=accounts)).partition("drafts  ")[0])
    assert words in text
    assert ("Target met" in text) == (stopped == "target")


def test_a_sum_that_does_not_hold_is_never_printed() -> None:
    accounts = ACCOUNTS.to_json()
    accounts["drafts"]["accepted"] += 1
    with pytest.raises(AccountsError, match="do not add up"):
        render_text(summary(accounts=accounts))


def test_reasons_filters_coverage_rounds_and_calls_are_listed() -> None:
    text = render_text(summary())
    lines = {one_line(line) for line in text.splitlines()}
    assert {"not_json 40 2.8 %", "near_duplicate 20 1.4 %", "timeout 4"} <= lines
    assert "refusal@1 412 30 refused 30" in lines
    assert {"billing 100 100 130 76.9 %", "fraud 200 190 282 67.4 % short"} <= lines
    assert {"1 300 200 14 71.2 %", "2 112 100 0 –"} <= lines
    assert "418 requests brought 406 answers" in lines
    assert "attempts without an answer: timeout 8, http_503 4" in lines
    assert "over_target: good drafts that a higher target would take." in lines
    assert text.index("not_json") < text.index("near_duplicate")


def test_the_eval_names_its_openings_and_what_is_compared() -> None:
    text = render_text(summary())
    assert "120 rows, sha256 abababababababab…" in text
    assert "compared with every draft: text, up to 'Choices:'" in text
    assert "opened once:\n- 2030-01-02T03:04:05+00:00 evaluate by seedbed run tickets" in text
    never = summary()["eval"] | {"openings": []}
    assert "never opened" in render_text(summary(eval=never))


def test_a_rehearsal_says_that_it_is_no_training_data() -> None:
    entry = {
        "filter": "near_duplicates", "planted": 21, "caught": 20, "flagged": 0, "missed": 1,
        "catch_rate": 0.952381, "low": 0.773306, "high": 0.991558, "dropped_before": 3,
        "grades": {
            "edited 0-10 %": {"planted": 20, "caught": 20},
            "edited 30-40 %": {"planted": 1, "caught": 0},
        },
        "clean": 341, "dropped_clean": 2, "flagged_clean": 0,
        "false_drop_rate": 0.005865, "false_drop_low": 0.0016, "false_drop_high": 0.0211,
    }  # fmt: skip
    idle = entry | {"filter": "schema", "planted": 0, "catch_rate": None, "grades": {}, "dropped_before": 0}
    selftest = {
        "faults": {}, "variants": {}, "filters": [idle, entry], "clean": 341,
        "dropped_clean": {"near_duplicates": 2}, "flagged_clean": {"label_agreement": 4},
    }  # fmt: skip
    text = render_text(summary(rehearsal=True, selftest=selftest, proof=proof(60, 60, 60)))
    assert "not training data" in one_line(text.partition("Why drafts")[0])
    assert "nothing about any teacher" in one_line(text)
    lines = {one_line(line) for line in text.splitlines()}
    assert "near_duplicates 21 20 95 % 77 – 99 % 2 of 341" in lines
    assert "schema 0 – – – 2 of 341" in lines
    assert "Of 341 clean drafts the filters dropped 2 (near_duplicates 2) and flagged 4." in one_line(text)
    assert "near_duplicates: missed edited 30-40 % 1 of 1. 3 more fell to another filter" in one_line(text)
    assert "seedbed export runs/tickets --format jsonl --allow-rehearsal" in lines
    plain = render_text(summary())
    assert "REHEARSAL" not in plain
    assert "--allow-rehearsal" not in plain
    assert "Self-test" not in plain


def test_flags_are_listed_by_pair_the_most_frequent_first() -> None:
    flags = [
        {"filter": "label_agreement@1", "reason": "label_disagrees", "given": given, "predicted": "b",
         "drafts": 20 - at}
        for at, given in enumerate("acdefghijklm")
    ]  # fmt: skip
    text = render_text(summary(flags=flags))
    lines = [one_line(line) for line in text.splitlines()]
    assert "a → b 20 label_agreement@1" in lines
    assert "And 19 more. List them with `seedbed show --reason`: label_disagrees." in one_line(text)
    assert "Flagged" not in render_text(summary())


def test_the_arms_stand_with_intervals_and_what_they_mean() -> None:
    result = proof(150, 150, 600, noise=0.8)
    text = render_text(summary(proof=result))
    lines = [one_line(line) for line in text.splitlines()]
    for arm, name in zip(result["arms"], ("real only", "synthetic only", "mix"), strict=True):
        f1 = arm["scores"]["macro_f1"]
        shown = (
            f"{f1['value']:.3f} [{f1['low']:.3f}, {f1['high']:.3f}] {arm['scores']['accuracy']['value']:.3f}"
        )
        assert any(line.startswith(name) and shown in line for line in lines), name
    assert ": worse" in one_line(text)
    assert "mix against synthetic only: +" in text
    assert "Labels with the lowest recall in mix:" in text


def test_undecided_says_how_many_rows_would_decide() -> None:
    result = proof(30, 30, 30, noise=0.15)
    (undecided, *_) = [
        d for d in result["differences"] if d["verdict"] == "undecided" and d["rows_to_decide"]
    ]
    text = one_line(render_text(summary(proof=result)))
    assert f"undecided: 30 eval rows cannot tell; about {undecided['rows_to_decide']:,} would decide" in text


def test_no_difference_worth_acting_on_is_no_material_gain() -> None:
    result = proof(300, 300, 3_000)
    assert {d["verdict"] for d in result["differences"]} == {"no_material_difference"}
    text = one_line(render_text(summary(proof=result)))
    assert "no material gain" in text or "no material loss" in text
    assert "the whole interval lies within ±0.03" in text


def test_arms_that_are_short_or_missing_are_explained() -> None:
    real, synthetic = rows("real", 20, 0.0), rows("synthetic", 300, 0.0)
    locked = rows("eval", 30, 0.0)
    short = score_arms(Job(tuple(build_arms(real, synthetic, Mixture(0.5, 100)))), TASK, lambda: locked)
    text = one_line(render_text(summary(proof=short)))
    assert "mix: 41 rows instead of 100: the 20 real rows allow no more at a synthetic share of 0.5" in text
    missing = score_arms(Job(tuple(build_arms([], synthetic, Mixture(0.5)))), TASK, lambda: locked)
    text = one_line(render_text(summary(proof=missing)))
    assert "real only 0 0 not scored – –" in text
    assert "not scored: arm real_only: there are no real rows" in text


def test_a_run_that_brought_nothing_has_a_report() -> None:
    empty = Accounts(target=10, stopped="endpoint")
    bare = summary(
        accounts=empty.to_json(), by_cover={}, filters=[], rounds=[], eval=None, notes=[], partial=True,
        calls={"requests": 0, "answers": 0, "attempts": {}, "prompt_tokens": 0, "completion_tokens": 0},
    )  # fmt: skip
    text = render_text(bare)
    assert "0 = 0 accepted + 0 rejected + 0 failed + 0 pending" in text
    assert "partial view" in text
    assert "seedbed export" not in text


hostile = st.text(st.characters() | st.sampled_from("\x1b\x9b\r\n\t\u202e東"), min_size=1, max_size=120)


@given(label=hostile, reason=hostile, note=hostile)
@settings(max_examples=60, deadline=None)
def test_no_text_from_outside_steers_the_terminal_or_breaks_the_columns(
    label: str, reason: str, note: str
) -> None:
    accounts = Accounts(
        target=1,
        cells=CellCounts(planned=1, done=1),
        drafts=DraftCounts(total=1, rejected=Counter({reason: 1})),
        stopped="cells",
    )
    cover = {label: {label: {"target": 123, "accepted": 1, "drafts": 2, "cells": 3}}}
    text = render_text(summary(accounts=accounts.to_json(), by_cover=cover, notes=[note]))
    assert not any(char in text for char in "\x1b\x9b\r\t\u202e")
    text.encode()
    for line in text.splitlines():
        if line.endswith("short") or line.startswith("refusal@1"):
            assert display_width(line) <= 80


def test_every_line_of_an_ordinary_report_fits_80_columns() -> None:
    result = proof(150, 150, 90, noise=0.5)
    text = render_text(summary(proof=result, rehearsal=True))
    assert max(display_width(line) for line in text.splitlines()) <= 80
    assert all(line == line.rstrip() for line in text.splitlines())


@given(
    cells=st.lists(
        st.tuples(st.text(st.characters(codec="utf-8"), max_size=100), st.integers(0, 10**6)),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None)
def test_tables_align(cells: Sequence[tuple[str, int]]) -> None:
    lines = table(["name", "figure"], cells).split("\n")
    assert len(lines) == 1 + len(cells)
    assert len({display_width(line) for line in lines}) == 1
    assert display_width(lines[0]) <= 80


def test_printable_keeps_text_and_shows_what_it_took() -> None:
    assert printable("naïve 東京 مرحبا – ok") == "naïve 東京 مرحبا – ok"
    assert printable("red \x1b[31m, two\nlines") == "red \ufffd[31m, two lines"
