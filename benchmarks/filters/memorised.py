"""`memorised`: runs of a real row's words inside of other people's text, and a published leak."""

from __future__ import annotations

import random

from benchmarks.evidence.behaviours import HUMAN, LM, distinct, questions
from benchmarks.filters.figure import Figure, Rate, precision_and_recall
from benchmarks.filters.human_items import DATA, TASK, false_drop, human_items
from benchmarks.filters.trial import generated, trial
from seedbed.core.protocols import FilterContext
from seedbed.filters.memorised import Memorised
from seedbed.text.normalise import normalise

RUNS = (15, 30, 45)


def measure() -> list[Figure]:
    people = trial("memorised", *human_items())
    return [
        *map(_planted, RUNS),
        _leaked(),
        Figure(
            "memorised",
            DATA,
            len(people.reasons),
            None,
            None,
            false_drop("memorised"),
            people.rows_per_second,
        ),
    ]


def _planted(run: int) -> Figure:
    """So many words in a row of a real one, between two words of every other item."""
    rng = random.Random(run)
    items, context = human_items()
    real = [words for row in context.real if len(words := row.fields["question"].split()) >= run]
    truth = [at % 2 == 0 for at in range(len(items))]
    records = []
    for item, spoilt in zip(items, truth, strict=True):
        words = item.fields["question"].split()
        if spoilt:
            row = rng.choice(real)
            start, at = rng.randrange(len(row) - run + 1), rng.randrange(len(words) + 1)
            words[at:at] = row[start : start + run]
        records.append(generated(item.id, {**item.fields, "question": " ".join(words)}))
    ours = trial("memorised", records, context)
    least = Memorised.build(Memorised.Options(), context).least
    name = f"anthropic_evals, {run} words of a real row in every other human item; {least} would count"
    return Figure(
        "memorised", name, len(records), *precision_and_recall(ours.found, truth), None, ours.rows_per_second
    )


def _leaked() -> Figure:
    """Questions by a model that equal one by a person, choices apart; those by people are the real rows."""
    people = distinct(questions(HUMAN))
    real = [generated(f"real-{at}", {"question": text}) for at, (_, text) in enumerate(people)]
    known = {normalise(text) for _, text in people}
    leaked = [
        generated(f"lm-{at}", {"question": text})
        for at, (_, text) in enumerate(questions(LM))
        if normalise(text) in known
    ]
    texts = [row.fields["question"] for row in real[:2_000]]
    ours = trial("memorised", leaked, FilterContext(TASK, texts, real=real))
    name = "anthropic_evals, items by a model that equal a human one"
    return Figure(
        "memorised", name, len(leaked), None, Rate(sum(ours.found), len(leaked)), None, ours.rows_per_second
    )
