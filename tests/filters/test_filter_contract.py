"""What holds for every filter of the table: registered is tested."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.chat import Choice
from seedbed.core.errors import NoAnswer
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters import DEFAULT_FILTERS, FILTERS
from tests.filters.tickets import TICKETS, FromMemory, InProcessLock, build, ticket, unread

REAL = [
    f"the {thing} that I bought {when} is {state}"
    for thing in ("lamp", "chair", "oven", "bed")
    for when in ("today", "in May", "last week")
    for state in ("broken", "late", "too small", "lost", "blue")
]
ROWS = [
    ticket(text, f"real-{at}", label="lost" if "lamp" in text or "bed" in text else "fee")
    for at, text in enumerate(REAL)
]
PROMPTS = ["Write one message in which a customer says what happened to the {{ thing }} that was bought"]
CONTEXT = FilterContext(TICKETS, REAL, InProcessLock(["where is my parcel now"]), real=ROWS, prompts=PROMPTS)
# What is learnt from real rows is as large as their vocabulary; what looks for real rows has them.
LARGEST = {"label_agreement": 16_384, "memorised": 16_384, "semantic_duplicates": 65_536}
FLAGGING = ("label_agreement", "verify", "groundedness", "toxicity")
SAMPLE = [
    ticket("I would like to know where my lamp is, please", "a"),
    ticket("Where is my parcel, now?", "b"),
    ticket("", "c"),
    ticket(None, "d"),
    unread("I'm sorry, but I can't help with that.", key="e"),
    unread('{"text": "my lam', "truncated", key="f"),
    ticket("I would like to know where my lamp is please!", "g"),
    ticket("\ud800 \x00 שלום", "h", label="fee"),
    ticket("Sure! Here is a message:\n\nThe oven that I bought is loud.", "i", label="lost"),
]  # fmt: skip

any_text = st.text(st.characters(codec=None, categories=None), max_size=300)
ODD_TEXTS = {
    "empty": "",
    "blank": " \n",
    "NUL": "\x00",
    "lone surrogate": "a \ud800 b",
    "right to left": "\u202e" + "שלום עולם " * 30,
    "a megabyte in one word": "a" * 1_048_576,
    "a megabyte of words": "no way " * 150_000,
}


LOCAL = [name for name in FILTERS if FILTERS.get(name).kind != "model"]
MODEL = [name for name in FILTERS if FILTERS.get(name).kind == "model"]


def ask(each: Any, one: Record, *replies: Any) -> tuple[Verdict, FromMemory]:
    asking = FromMemory(each, *replies)
    return asyncio.run(each.check(one, asking)), asking


def answer(name: str, each: Any, records: Sequence[Record]) -> list[Any]:
    """All that a filter says about these records, in plain values."""
    if each.kind == "record":
        return list(each.check(records))
    if each.kind == "model":
        return [ask(each, one, "no usable answer")[0] for one in records]
    texts = [each.text(record) for record in records]
    edges = [each.edge(a, b) for a in texts for b in texts]
    return [*map(each.keys, texts), *edges]


@pytest.mark.parametrize("name", [*FILTERS])
def test_it_declares_itself(name: str) -> None:
    plugin = FILTERS.get(name)
    assert plugin.name == name
    assert plugin.version >= 1
    assert plugin.kind in ("record", "corpus", "model")
    assert plugin.__doc__
    assert (plugin.kind == "corpus") == hasattr(plugin, "reason")
    assert (plugin.kind == "model") == hasattr(plugin, "role")


def test_the_defaults_are_in_the_table() -> None:
    assert [name for name in DEFAULT_FILTERS if name not in FILTERS] == []


@pytest.mark.parametrize("name", [*FILTERS])
def test_unknown_options_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="treshold"):
        FILTERS.get(name).Options(treshold=1)


@pytest.mark.parametrize("name", [*FILTERS])
def test_every_option_is_described(name: str) -> None:
    fields = FILTERS.get(name).Options.model_fields
    assert [key for key, field in fields.items() if not field.description] == []


@pytest.mark.parametrize("name", LOCAL)
def test_it_answers_the_same_after_pickling_and_is_small(name: str) -> None:
    each = build(name, CONTEXT)
    before = answer(name, each, SAMPLE)
    packed = pickle.dumps(each)
    assert answer(name, pickle.loads(packed), SAMPLE) == before
    assert answer(name, build(name, CONTEXT), SAMPLE) == before
    assert len(packed) < LARGEST.get(name, 4096)


@pytest.mark.parametrize("name", [name for name in FILTERS if FILTERS.get(name).kind == "record"])
def test_a_record_filter_has_one_entry_a_record_in_order(name: str) -> None:
    said: list[Verdict | None] = build(name, CONTEXT).check(SAMPLE)
    for record, verdict in zip(SAMPLE, said, strict=True):
        if verdict is None:
            continue
        assert verdict.record == record.id
        assert verdict.filter == f"{name}@{FILTERS.get(name).version}"
        assert verdict.reason
        assert verdict.is_flag <= (name in FLAGGING)
        json.dumps(dict(verdict.evidence)).encode()
    assert build(name, CONTEXT).check([]) == []


@pytest.mark.parametrize("name", MODEL)
def test_a_model_filter_keeps_and_says_so_where_no_usable_answer_comes(name: str) -> None:
    """It never makes a score up, never raises, and names what it looked at without saying whence it came."""
    each = build(name, CONTEXT)
    assert ask(each, SAMPLE[0], "no usable answer")[1].asked
    for one in SAMPLE:
        for reply in ("no usable answer", NoAnswer("http_503", "down"), Choice("{", "length")):
            verdict, asking = ask(each, one, reply)
            assert (verdict.record, verdict.filter) == (one.id, f"{name}@{each.version}")
            assert (verdict.keep, verdict.score, verdict.reason) == (True, None, "")
            assert verdict.evidence["unjudged"]
            json.dumps(dict(verdict.evidence)).encode()
            assert len(asking.asked) <= 2
    same = ticket("Where is my parcel, now?", "another key")
    assert each.content(same) == each.content(SAMPLE[1])
    assert build(name, CONTEXT).prompts.keys() == each.prompts.keys()


def check_any(name: str, text: str) -> None:
    each = build(name, CONTEXT)
    records = [ticket(text), unread(text), ticket({"not": "text"})]
    if each.kind == "model":
        for record in records:
            verdict, asking = ask(each, record, text)
            assert verdict.keep
            assert all(message.content.encode() for messages in asking.asked for message in messages)
        return
    if each.kind == "record":
        assert len(each.check(records)) == 3
        return
    for record in records:
        keys = each.keys([each.text(record)])[0]
        assert len(keys) <= 40
        assert all(0 <= key < 2**63 for key in keys)
    assert each.edge(text, text) == (1.0 if each.keys([text])[0] else None)


@pytest.mark.parametrize("name", [*FILTERS])
@given(text=any_text)
@settings(max_examples=40)
def test_any_text_gets_an_answer(name: str, text: str) -> None:
    check_any(name, text)


@pytest.mark.parametrize("name", [*FILTERS])
@pytest.mark.parametrize("kind", [*ODD_TEXTS])
def test_an_odd_text_gets_an_answer(name: str, kind: str) -> None:
    check_any(name, ODD_TEXTS[kind])


GOLDEN_RECORDS = {
    ("refusal", 1): "keep keep keep keep refused keep keep keep keep",
    ("schema", 1): "keep keep invalid_schema invalid_schema not_json truncated keep invalid_schema keep",
    ("format", 1): "keep keep keep keep keep keep keep keep format_preamble",
    ("length", 1): "keep keep too_short too_short keep keep keep too_short keep",
    ("contamination", 1): "keep eval_leak keep keep keep keep keep keep keep",
    ("forbidden", 1): "forbidden keep keep keep keep keep forbidden keep keep",
    # Held to a schema that no text of these keeps; tests/filters/test_verify.py has the rest.
    (
        "verify",
        1,
    ): "invalid_json invalid_json missing_field missing_field keep keep invalid_json invalid_json "
    "invalid_json",
    ("language", 1): "wrong_language keep keep keep keep keep wrong_language keep wrong_language",
    ("constraints", 1): (
        "keep constraint_broken constraint_broken keep keep keep keep constraint_broken constraint_broken"
    ),
    ("label_agreement", 1): "keep keep keep keep keep keep keep keep label_disagrees",
    (
        "secrets",
        1,
    ): "keep keep keep keep keep keep keep keep keep",  # what they reject: their own tests
    ("pii", 1): "keep keep keep keep keep keep keep keep keep",
    ("toxicity", 1): "keep keep keep keep keep keep keep keep keep",  # what it flags: test_toxicity
    ("memorised", 1): "keep keep keep keep keep keep keep keep keep",
    ("groundedness", 1): "keep keep keep keep keep keep keep keep keep",
}
GOLDEN_KEYS = {
    ("duplicates", 1): ([8721809249421318586], 1.0, None),
    ("near_duplicates", 3): ([2470082657082972783, 7407620543667936939], 1.0, 0.8824),
    ("semantic_duplicates", 2): ([85, 765], 1.0, 0.9975),
    ("rouge_l", 3): ([4228792777567902350, 5860776726818572574], 1.0, 0.9412),
}


def test_verdicts_change_with_the_version_only() -> None:
    """Whoever changes what a filter says raises its version and adds the new verdicts here."""
    said = {
        (name, FILTERS.get(name).version): " ".join(
            "keep" if verdict is None else verdict.reason for verdict in build(name, CONTEXT).check(SAMPLE)
        )
        for name in FILTERS
        if FILTERS.get(name).kind == "record"
    }
    assert said == GOLDEN_RECORDS


def test_keys_and_edges_change_with_the_version_only() -> None:
    one, same, near = (
        "Where is my lamp? It came in May.",
        "where is my LAMP it came in may",
        "Where is my lamp? It came in mid May.",
    )
    said = {}
    for name in FILTERS:
        if (plugin := FILTERS.get(name)).kind == "corpus":
            each = build(name, CONTEXT)
            score = each.edge(one, near)
            said[name, plugin.version] = (
                list(each.keys([one])[0][:2]),
                each.edge(one, same),
                score and round(score, 4),
            )
    assert said == GOLDEN_KEYS
