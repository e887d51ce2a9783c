"""The page in a real browser: nothing cut, nothing over another thing, no request, nothing that acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seedbed.publish.charts import available
from seedbed.publish.report_html import write_html
from tests.chromium import Chromium
from tests.publish.test_report import summary
from tests.publish.test_report_page import HOSTILE, full, poisoned

OPEN_ALL = "document.querySelectorAll('details').forEach((box) => { box.open = true; })"
DRAWN = """[...document.querySelectorAll(".plot")]
  .filter((plot) => plot.querySelector("svg path, svg rect")).length"""
BROKEN_WORDS = """[...document.querySelectorAll("td .chip bdi, tbody th bdi")].flatMap((place) =>
  [...place.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).flatMap((node) =>
    [...node.data.matchAll(/[\\w@]+/g)].filter((found) => {
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      return new Set([...range.getClientRects()].map((box) => box.top)).size > 1;
    }).map((found) => found[0])))"""
VERSIONS = """[...document.querySelectorAll("tbody th bdi")].map((place) => place.innerHTML)
  .filter((name) => name.includes("@"))"""
VIEWS = [(1280, False), (400, False), (1280, True), (400, True)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium.start(tmp_path_factory.mktemp("chromium")) as running:
        yield running


def many_labels() -> dict[str, Any]:
    """A run with as many and as long labels as intent sets have."""
    labels = [f"{'verify_my_' * (n % 3)}exchange_charge_or_transfer_fee_{n}" for n in range(77)]
    cover = {
        label: {"target": 12, "accepted": 12 - (n % 9 == 0), "drafts": 14 + n % 7, "cells": 14 + n % 7}
        for n, label in enumerate(labels)
    }
    return full(by_cover={"category": cover}, rehearsal=True)


def stopped() -> dict[str, Any]:
    accounts = full()["accounts"] | {"stopped": "budget", "target": 5_000}
    return summary(accounts=accounts, partial=True, funnel=None, notes=["no locked eval: nothing is proven"])


def hostile() -> dict[str, Any]:
    return poisoned(HOSTILE + "東京" * 30 + "a" * 300)


PAGES: dict[str, Callable[[], dict[str, Any]]] = {
    "full": full,
    "many labels": many_labels,
    "stopped": stopped,
    "hostile": hostile,
}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_lies_well_and_leaves_the_file_alone(name: str, browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_html(PAGES[name](), page)
    for width, dark in VIEWS:
        seen = browser.open(page, width=width, dark=dark, before=OPEN_ALL, ask="window.acted === undefined")
        assert seen.faults() == [], f"{width} pixels, {'dark' if dark else 'light'}"
        assert seen.answer is True


def test_no_badge_and_no_version_is_broken_within_a_word(browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_html(full(), page)
    for width in (400, 1280):
        seen = browser.open(page, width=width, before=OPEN_ALL, ask=f"[{BROKEN_WORDS}, {VERSIONS}]")
        broken, versions = seen.answer
        assert broken == [], f"{width} pixels"
        assert "near_<wbr>duplicates@1" in versions


def test_the_guard_sees_what_it_is_there_for(browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(
        "<!doctype html><meta charset=utf-8>"
        "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\">"
        "<body><img src=http://127.0.0.1:9/none.png><script>window.acted = 1</script>"
        "<p style='white-space: nowrap'>" + "wide " * 200 + "</p>"
        "<p style='width: 60px; overflow: hidden; white-space: nowrap'>cut in its own box</p>"
        "<p>under</p><p style='margin-top: -34px'>over</p><p style='color: #bbb'>pale</p>",
        "utf-8",
    )
    seen = browser.open(page, width=400)
    assert seen.requests == ["http://127.0.0.1:9/none.png"]
    assert any("Content Security Policy" in line for line in seen.console)
    for fault in ("page scrolls sideways", "outside: wide", "cut: cut in its own", "overlap: under | over"):
        assert any(line.startswith(fault) for line in seen.layout), fault
    assert any(line.startswith("P.null 1.") for line in seen.contrast)


@pytest.mark.skipif(not available(), reason="the extra `report` is not installed")
def test_charts_draw_under_the_policy_without_a_request(browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_html(poisoned(HOSTILE) | {"by_cover": many_labels()["by_cover"]}, page, charts=True)
    for width, dark in VIEWS:
        seen = browser.open(page, width=width, dark=dark, ask=f"[{DRAWN}, window.acted === undefined]")
        assert seen.faults() == [], f"{width} pixels, {'dark' if dark else 'light'}"
        assert seen.answer == [4, True]
