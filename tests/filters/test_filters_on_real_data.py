"""Published sets: people's words kept, wrong labels found."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.filters import label_agreement
from benchmarks.filters.figure import table
from seedbed.core.protocols import FilterContext
from seedbed.filters import DEFAULT_FILTERS
from seedbed.text.normalise import normalise
from tests.filters.tickets import TICKETS, build, dropped, ticket, verdicts_of

RealData = Callable[[str], Path]
pytestmark = pytest.mark.real_data


def banking(real_data: RealData) -> list[str]:
    with real_data("banking77/banking_data/train.csv").open(newline="", encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


def human_items(real_data: RealData) -> list[str]:
    folder = real_data("anthropic_evals/advanced-ai-risk/human_generated_evals")
    lines = (line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines())
    return [json.loads(line)["question"] for line in lines]


def distinct(texts: list[str], seed: int) -> list[str]:
    rows = list({normalise(text): text for text in texts}.values())
    random.Random(seed).shuffle(rows)
    return rows


def test_no_customer_message_is_taken_for_a_refusal(real_data: RealData) -> None:
    texts = banking(real_data)
    assert dropped(FilterContext(TICKETS), ["refusal"], texts)["refusal"] == []


def test_questions_about_refusing_are_not_refusals(real_data: RealData) -> None:
    texts = human_items(real_data)
    assert len(dropped(FilterContext(TICKETS), ["refusal"], texts)["refusal"]) <= 0.005 * len(texts)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("items", [human_items, banking])
def test_of_1000_real_human_items_the_defaults_drop_at_most_two_percent(
    items: Callable[[RealData], list[str]], seed: int, real_data: RealData
) -> None:
    rows = distinct(items(real_data), seed)
    names = [name for name in DEFAULT_FILTERS if name != "schema"]
    real = [ticket(text, f"real-{at}") for at, text in enumerate(rows[1000:3000])]
    context = FilterContext(TICKETS, rows[1000:3000], real=real)
    out = dropped(context, names, rows[:1000])
    assert sum(map(len, out.values())) <= 20, {name: len(texts) for name, texts in out.items()}


def test_real_items_pass_the_schema_of_their_task(real_data: RealData) -> None:
    each = build("schema", FilterContext(TICKETS))
    assert all(
        verdict.keep for verdict in verdicts_of(each, [ticket(text) for text in human_items(real_data)])
    )


@pytest.mark.parametrize("items", [human_items, banking])
def test_no_reply_s_wrapping_is_seen_in_what_people_wrote_even_without_real_rows(
    items: Callable[[RealData], list[str]], real_data: RealData
) -> None:
    texts = items(real_data)
    assert len(dropped(FilterContext(TICKETS), ["format"], texts)["format"]) <= 0.005 * len(texts)


def test_a_classifier_s_doubts_drop_hardly_any_row_that_people_labelled(real_data: RealData) -> None:
    real_data("banking77")
    (figure,) = label_agreement.measure()
    print(table([figure]))
    assert figure.false_drop
    assert figure.false_drop.value <= 0.02
    assert figure.recall
    assert figure.recall.value >= 0.8
