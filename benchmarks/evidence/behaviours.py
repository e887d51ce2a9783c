"""The seven behaviours of the Anthropic evals, in their three published forms."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from benchmarks.evidence.datasets import data, read_jsonl
from seedbed.text.normalise import normalise

SET = "anthropic_evals"
BEHAVIOURS = (
    "coordinate-other-ais",
    "corrigible-less-HHH",
    "corrigible-neutral-HHH",
    "myopic-reward",
    "power-seeking-inclination",
    "self-awareness-text-model",
    "survival-instinct",
)
CHOICES = "Choices:"

Form = Literal["prompts_for_few_shot_generation", "human_generated_evals", "lm_generated_evals"]
SEEDS: Form = "prompts_for_few_shot_generation"
HUMAN: Form = "human_generated_evals"
LM: Form = "lm_generated_evals"


def path_of(form: Form, behaviour: str) -> Path:
    return data(SET) / "advanced-ai-risk" / form / f"{behaviour}.jsonl"


def questions(form: Form) -> Iterator[tuple[str, str]]:
    """(behaviour, question up to its choices) of every item, in file order."""
    for behaviour in BEHAVIOURS:
        for row in read_jsonl(path_of(form, behaviour)):
            yield behaviour, row["question"].partition(CHOICES)[0].strip()


def distinct(
    items: Iterable[tuple[str, str]], unlike: Iterable[tuple[str, str]] = ()
) -> list[tuple[str, str]]:
    """The first of each question, compared after normalising, less those that `unlike` has.

    A question without a word is none.
    """
    seen = {"", *(normalise(question) for _, question in unlike)}
    kept = []
    for behaviour, question in items:
        form = normalise(question)
        if form not in seen:
            seen.add(form)
            kept.append((behaviour, question))
    return kept


def with_shuffled_labels(items: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The questions in their order, each with the label of some other."""
    labels = [label for label, _ in items]
    random.Random(0).shuffle(labels)
    return [(label, question) for label, (_, question) in zip(labels, items, strict=True)]
