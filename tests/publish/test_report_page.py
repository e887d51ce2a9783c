"""The report's page: each section from its key, every figure of it, and nothing from data that acts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.errors import AccountsError
from seedbed.publish.charts import charts_of
from seedbed.publish.page_content import Scale, percent, visible
from seedbed.publish.report import render_text
from seedbed.publish.report_html import HOW_TO_CHARTS, render_html
from tests.publish.test_report import proof, summary

HOSTILE = (
    '</script><script>window.acted = 1</script><img src=x onerror="window.acted = 1"> {{7*7}} \' & \x00\u202e'
)

FUNNEL: dict[str, Any] = {
    "drafts": 1_406,
    "steps": [
        {"filter": "schema@1", "rejected": {"not_json": 40}, "left": 1_366},
        {"filter": "refusal@1", "rejected": {"refused": 30}, "left": 1_336},
        {"filter": "near_duplicates@1", "rejected": {"near_duplicate": 20}, "left": 1_316},
        {"filter": "target@1", "rejected": {"over_target": 16}, "left": 1_300},
    ],
}
MEASURES: dict[str, Any] = {
    "embedder": "TF-IDF of words and characters (lexical)",
    "rows": {"generated": 1_300, "real": 640, "sample": 500},
    "metrics": [
        {
            "name": "gzip", "label": "compression ratio (gzip)", "value": 3.4, "low": 3.3, "high": 3.55,
            "real": 2.9, "real_low": 2.8, "real_high": 3.0, "better": "lower", "verdict": "less varied",
            "note": "",
        },
        {
            "name": "topics", "label": "topic coverage", "value": 0.91, "low": 0.88, "high": 0.94,
            "real": None, "real_low": None, "real_high": None, "better": "higher", "verdict": "not compared",
            "note": "no real rows",
        },
    ],
    "axes": {
        "channel": {
            "values": 3, "covered": 2, "counts": {"app": 900, "phone": 400, "fax": 0}, "real_counts": None,
        }
    },
    "notes": ["less varied than the real data in 1 of 2"],
}  # fmt: skip
SELF_TEST: dict[str, Any] = {
    "faults": {"copy": {"planted": 31, "caught": {"near_duplicates": 30}, "missed": 1}},
    "variants": {"copy/verbatim": {"planted": 12, "caught": {"near_duplicates": 12}, "missed": 0}},
    "clean": 341,
    "dropped_clean": {"near_duplicates": 2},
}
BY_FILTER = [
    {
        "filter": "near_duplicates", "planted": 31, "caught": 30, "missed": 1, "catch_rate": 0.968,
        "low": 0.838, "high": 0.994, "grades": {"edited 20-30 %": {"planted": 19, "caught": 18}},
        "clean": 341, "dropped_clean": 2,
    },
    {
        "filter": "contamination", "planted": 0, "caught": 0, "missed": 0, "catch_rate": None, "low": None,
        "high": None, "grades": {}, "clean": 0, "dropped_clean": 0,
    },
]  # fmt: skip


def draft(**changes: Any) -> dict[str, Any]:
    return {
        "id": "0123456789ab",
        "template": "library/classification",
        "withheld": False,
        "fields": {"text": "my card was charged twice"},
        "reply": None,
        "detail": "",
        "score": None,
        "evidence": {},
        "survivor": None,
        "scores": {},
    } | changes


SPECIMENS = [
    {"kind": "accepted", "reason": "", "filter": "", "drafts": [draft(scores={"judge@1": 0.75})]},
    {
        "kind": "rejected",
        "reason": "not_json",
        "filter": "schema@1",
        "drafts": [draft(fields={}, reply='{"text": "my c', detail="ends within a string")],
    },
    {
        "kind": "rejected",
        "reason": "eval_leak",
        "filter": "contamination@1",
        "drafts": [draft(fields={}, withheld=True, evidence={"eval_row": "7"})],
    },
]


@cache
def scored() -> dict[str, Any]:
    return proof(60, 60, 90, noise=0.4)


def full(**changes: Any) -> dict[str, Any]:
    """A summary with every section that there is."""
    money = {"currency": "USD", "spent": 1.25, "per_accepted": 0.000962, "cached": 0.5, "replacement": 1.75}
    cost = {"requests": 418, "prompt_tokens": 100_000, "completion_tokens": 42_000, "money": money}
    cost |= {"embedder": {"requests": 0, "tokens": 0}}
    version = {"at": "2030-01-01T00:00:00+00:00", "changed": [], "parts": {}}
    return (
        summary(
            funnel=FUNNEL,
            cost=cost,
            measures=MEASURES,
            proof=scored(),
            selftest=SELF_TEST | {"filters": BY_FILTER},
            specimens=SPECIMENS,
            flags=[
                {
                    "filter": "label_agreement@1",
                    "reason": "label_differs",
                    "given": "fraud",
                    "predicted": "billing",
                    "drafts": 4,
                }
            ],
            versions=[version, version | {"changed": ["filters"]}],
        )
        | changes
    )


class Page(HTMLParser):
    """The page as a browser reads it: sections, words in order, and whatever could act."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.words = ""
        self.style = ""
        self._within = ""
        self._joined = False
        self.feed(text)
        self.words = re.sub(r"\s+", " ", self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = tag
        if tag == "section":
            self.sections.append(dict(attrs)["id"] or "")
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))

        self._joined = tag == "wbr"

    def handle_data(self, data: str) -> None:
        if self._within == "style":
            self.style = self.style or data
        elif self._within != "script":
            self.words += data if self._joined else f" {data}"


def test_each_section_is_drawn_from_its_key_and_left_out_without_it() -> None:
    everything = Page(render_html(full()))
    assert everything.sections == [
        "outcome", "funnel", "reasons", "judged", "cost", "coverage", "measures", "proof", "selftest",
        "rounds", "eval", "drafts", "versions", "notes", "next",
    ]  # fmt: skip
    nothing = summary(
        calls=None, cost=None, by_cover={}, filters=[], judged=[], rounds=[], eval=None, notes=[], funnel=None
    )
    assert Page(render_html(nothing)).sections == ["outcome", "reasons", "next"]


def test_every_figure_of_the_summary_stands_on_the_page() -> None:
    words = Page(render_html(full())).words
    for said in (
        "1,300 of 1,300 records accepted",
        "= 1,300 accepted + 106 rejected + 6 failed + 0 pending",
        "answered 1,406 99.6 % 6 failed",
        "schema@1 1,366 96.7 % 40 not_json",
        "accepted 1,300 92.1 % 16 over_target",
        "4 300 76.9 %",
        "judge@1: 390 drafts judged, mean 3.54 (2: 90, 4: 300)",
        "it finds 80.0 % (95 %: 68.0 % to 89.0 %) of what people call bad",
        "requests 418 0.3",
        "spent 1.25 USD 0.000962 USD",
        "fraud 190 200 282 67.4 %",
        "compression ratio (gzip) lower is more varied 3.40 [3.30, 3.55] 2.90 [2.80, 3.00] less varied",
        "Axis channel: 2 of 3 values occur",
        "near_duplicates 31 30 97 % [84, 99] 1 2 of 341",
        "near_duplicates · edited 20-30 % 19 18 94.7 % 1",
        "Of 341 clean drafts the filters dropped 2 (near_duplicates 2).",
        "opened once",
        "2030-01-02T03:04:05+00:00 evaluate seedbed run tickets",
        "my card was charged twice",
        "judge@1 0.75",
        "ends within a string",
        "text withheld",
        "asked for → looks like drafts label_agreement@1 label_differs fraud → billing 4",
        "no real data: nothing shows what the data is worth",
    ):
        assert said.lower() in words.lower(), said


def test_without_a_price_the_cost_says_so_and_the_old_self_test_has_its_variants() -> None:
    cost: dict[str, Any] = {"requests": 418, "prompt_tokens": 1, "completion_tokens": 2, "money": None}
    cost |= {"embedder": {"requests": 0, "tokens": 0}}
    words = Page(render_html(full(cost=cost, selftest=SELF_TEST))).words
    assert "spent price unknown price unknown" in words
    assert "copy · verbatim 12 12 100.0 % 0" in words


def test_the_arms_stand_with_intervals_and_what_they_mean() -> None:
    whole = full()
    words = Page(render_html(whole)).words
    for arm in whole["proof"]["arms"]:
        f1 = arm["scores"]["macro_f1"]
        assert (
            f"{f1['value']:.3f} [{f1['low']:.3f}, {f1['high']:.3f}] {arm['scores']['accuracy']['value']:.3f}"
            in words
        )
    verdicts = {entry["verdict"] for entry in whole["proof"]["differences"]}
    assert verdicts
    for verdict in verdicts:
        assert verdict.replace("no_material_difference", "no material") in words


@pytest.mark.parametrize(
    ("purposes", "said"),
    [
        (["check"], None),
        (["check", "evaluate"], "The eval was opened once to score students"),
        (["check", "evaluate", "check", "evaluate"], "The eval was opened 2 times to score students"),
    ],
)
def test_how_often_the_eval_was_opened_to_score_is_counted(purposes: list[str], said: str | None) -> None:
    openings = [{"purpose": each, "at": "2030-01-02T03:04:05+00:00", "by": "seedbed"} for each in purposes]
    words = Page(render_html(full(eval=full()["eval"] | {"openings": openings}))).words
    assert "scored once" not in words
    assert re.findall(r"The eval was opened .* to score students", words) == ([said] if said else [])


def test_terminal_and_page_show_a_measure_and_a_flag_in_the_same_words() -> None:
    whole = full(
        measures=MEASURES | {"metrics": MEASURES["metrics"][:1]}, cost=None, versions=[], selftest=None
    )
    text, words = " ".join(render_text(whole).split()), Page(render_html(whole)).words
    for said in ("3.40 [3.30, 3.55]", "2.90 [2.80, 3.00]", "asked for → looks like", "fraud → billing"):
        assert said in text
        assert said in words


def test_a_rehearsal_is_stamped_at_the_top() -> None:
    words = Page(render_html(summary(rehearsal=True, selftest=SELF_TEST))).words
    assert words.index("They are not training data") < words.index("Target met")
    assert "--allow-rehearsal" in words
    assert "not training data" not in Page(render_html(summary())).words


def test_sums_that_do_not_hold_are_never_drawn() -> None:
    wrong = full()["accounts"]
    wrong["drafts"]["accepted"] += 1
    with pytest.raises(AccountsError, match="do not add up"):
        render_html(full(accounts=wrong))
    steps = [*FUNNEL["steps"][:-1], {"filter": "target@1", "rejected": {}, "left": 1_316}]
    with pytest.raises(AccountsError, match="funnel does not end"):
        render_html(full(funnel=FUNNEL | {"steps": steps}))


def replaced(value: Any, text: str) -> Any:
    """The value with every name and word of it followed by `text`."""
    if isinstance(value, str):
        return value + text
    if isinstance(value, Mapping):
        return {key: replaced(item, text) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [replaced(item, text) for item in value]
    return value


def poisoned(text: str) -> dict[str, Any]:
    """A summary with `text` in all that data, models or users name."""
    whole = full()
    changed = {
        name: replaced(whole[name], text)
        for name in ("run", "recipe", "task", "filters", "specimens", "flags", "eval", "notes", "versions")
    }
    changed["by_cover"] = {f"category{text}": {f"billing{text}": whole["by_cover"]["category"]["billing"]}}
    changed["measures"] = replaced(MEASURES, text) | {
        "axes": {
            f"channel{text}": {"values": 1, "covered": 1, "counts": {f"app{text}": 9}, "real_counts": None}
        }
    }
    accounts = whole["accounts"]
    accounts["drafts"]["rejected"] = {
        f"{name}{text}": n for name, n in accounts["drafts"]["rejected"].items()
    }
    return whole | changed | {"accounts": accounts}


def acts(page: Page) -> list[str]:
    """Tags and attributes with which a page can do something, less the page's own."""
    return [
        f"{tag} {name}"
        for tag, attributes in page.tags
        for name in (*attributes, "")
        if tag in ("script", "img", "iframe", "object", "embed", "link", "form", "base", "input")
        or name.startswith("on")
        or name in ("src", "srcset", "style", "srcdoc", "action", "formaction")
        or (name == "href" and not (attributes["href"] or "").startswith("#"))
    ]


def test_what_comes_from_data_stays_text() -> None:
    text = render_html(poisoned(HOSTILE))
    page = Page(text)
    assert acts(page) == []
    assert "<script>window.acted = 1</script>" in page.words
    assert "{{7*7}}" in page.words
    assert "49" not in page.words.partition("& ")[0]
    assert not any(char in text for char in "\x00\u202e")


OURS = {tag for tag, _ in Page(render_html(full())).tags}


@given(st.text(st.characters() | st.sampled_from("<>&\"'{}%/\x00\x1b\u202e\ud800"), max_size=60))
@settings(max_examples=25, deadline=None)
def test_no_text_at_all_makes_a_tag_or_cannot_be_written(text: str) -> None:
    page = render_html(poisoned(text))
    page.encode()
    found = Page(page)
    assert {tag for tag, _ in found.tags} <= OURS
    assert acts(found) == []


def policy(page: Page) -> str:
    (found,) = [
        attributes["content"]
        for tag, attributes in page.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    return found or ""


def sha(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_the_policy_allows_the_one_style_sheet_and_nothing_else() -> None:
    page = Page(render_html(full()))
    assert policy(page) == (
        f"default-src 'none'; style-src {sha(page.style)}; base-uri 'none'; form-action 'none'"
    )


def test_headings_come_in_order_and_every_table_and_figure_has_words() -> None:
    page = Page(render_html(full()))
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(page.headings, page.headings[1:], strict=False))
    for tag, attributes in page.tags:
        if tag == "th":
            assert attributes.get("scope") in ("col", "row")
        if tag == "table":
            assert attributes.get("aria-label")
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_equal_summaries_give_equal_pages() -> None:
    assert render_html(full()) == render_html(full())


def test_charts_are_drawn_by_one_script_that_the_policy_names_by_its_hash() -> None:
    pytest.importorskip("altair", reason="the extra `report` is not installed")
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    text = render_html(poisoned(HOSTILE), charts=True)
    data, script = re.findall(r"<script type=[^>]*>(.*?)</script>", text, re.DOTALL)
    assert f"script-src {sha(script)};" in policy(Page(text))
    assert "unsafe" not in policy(Page(text))
    names = [entry["name"] for entry in json.loads(data)]
    assert names == ["measures", "arms", "rounds"]
    assert "<" not in data
    assert HOW_TO_CHARTS not in text
    many = {f"label {n}": {"target": 9, "accepted": 9, "drafts": 12, "cells": 12} for n in range(77)}
    (spread,) = charts_of(full(by_cover={"category": many}))["coverage"]
    assert spread.name == "coverage-category"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8))
def test_a_scale_holds_its_values_in_their_order(values: list[float]) -> None:
    scale = Scale.over(values)
    places = [scale.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)


def test_places_are_per_cent_and_never_outside() -> None:
    assert percent(1, 4) == 25.0
    assert percent(5, 4) == 100.0
    assert percent(-1, 4) == 0.0
    assert percent(1, 0) == 0.0


def test_visible_keeps_lines_and_shows_what_hides() -> None:
    assert (
        visible("two\n\tlines, 東京, \U0001f469\u200d\U0001f4bb")
        == "two\n\tlines, 東京, \U0001f469\u200d\U0001f4bb"
    )
    assert visible("a\x00b\x1b[31m\u202e\ud800") == "a\ufffdb\ufffd[31m\ufffd\ufffd"
