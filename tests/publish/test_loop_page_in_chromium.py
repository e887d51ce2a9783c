"""The page of a loop in a real browser: nothing cut or over another thing, no request, nothing that acts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seedbed.publish.loop_page import write_loop_page
from seedbed.publish.loop_text import loop_text
from tests.chromium import Chromium
from tests.publish.test_report_in_chromium import OPEN_ALL, VIEWS
from tests.publish.test_report_page import HOSTILE

NAME = "verify_my_exchange_charge_or_transfer_fee"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium.start(tmp_path_factory.mktemp("chromium")) as running:
        yield running


def estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.08, "high": value + 0.06}


def one_round(number: int, score: float, name: str) -> dict[str, Any]:
    arms = [
        {
            "name": arm, "key": "k", "rows": 90, "real": 40, "synthetic": 50, "note": "", "problem": "",
            "scores": {"macro_f1": estimate(at), "accuracy": estimate(at)}, "per_class": {},
        }
        for arm, at in (("real_only", 0.41), ("synthetic_only", 0.5), ("mix", score))
    ]  # fmt: skip
    gain = {
        "difference": estimate(0.03), "verdict": "undecided", "undecided": True, "rows_to_decide": 400,
    }  # fmt: skip
    weak = [
        {
            "kind": "confusion", "name": f"{name} told as {name}", "rows": 31, "errors": 14, "rest": 0.11,
            "error": {"value": 0.45, "low": 0.29, "high": 0.62}, "p": 0.0004, "about": {}, "words": [],
            "examples": [{"id": "a" * 24, "text": f"{name} " * 12, "answer": name, "told": name}],
        }
    ] * 3  # fmt: skip
    case = {"name": "length-long", "ask": f"is about what these words tell of: {name}", "count": 9}
    asked = {
        "target": 40 + 20 * number, "cover": {}, "edge_cases": [case], "increases": {name: 20},
        "asked": {"length-long": 9}, "notes": [f"not asked for: {name}"],
    }  # fmt: skip
    return {
        "round": number,
        "targets": {"target": 20 + 20 * number},
        "scored": {
            "stopped": "target", "accepted": 20 + 20 * number, "dev_rows": 240, "metric": "macro_f1",
            "metrics": ["macro_f1", "accuracy"], "arms": arms,
        },
        "gain": gain if number > 1 else None,
        "weaknesses": weak,
        "next": asked,
    }  # fmt: skip


def value(name: str, scores: list[float]) -> dict[str, Any]:
    return {
        "recipe": name, "rehearsal": True, "folder": f"runs/{name}/loop", "ended": "no_gain", "kept": 1,
        "rounds": [one_round(at, score, name) for at, score in enumerate(scores, start=1)], "proof": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "scores"),
    [(NAME, [0.5, 0.62, 0.61]), (NAME, [0.5]), (HOSTILE + "東京" * 30 + "a" * 300, [0.2, 0.9])],
    ids=["three rounds", "one round", "hostile"],
)
def test_the_page_lies_well_and_leaves_the_file_alone(
    name: str, scores: list[float], browser: Chromium, tmp_path: Path
) -> None:
    page = write_loop_page(value(name, scores), tmp_path)
    drawn = "document.querySelectorAll('.curve circle').length"
    for width, dark in VIEWS:
        seen = browser.open(
            page, width=width, dark=dark, before=OPEN_ALL, ask=f"window.acted === undefined && {drawn}"
        )
        assert seen.faults() == [], f"{width} pixels, {'dark' if dark else 'light'}"
        assert seen.requests == []
        assert seen.answer == len(scores)


def test_the_text_says_the_same_and_steers_no_terminal() -> None:
    text = loop_text(value("\x1b[31mred", [0.5, 0.6]))
    assert "\x1b" not in text
    assert "0.600 [0.520, 0.660]" in text
    assert "+0.030 undecided" in text
    assert "Stopped: the last round brought no gain; the run holds round 1 again." in text
    assert "14 of 31" in text
