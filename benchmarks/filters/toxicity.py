"""`toxicity`: what people wrote left alone, and made-up insults put into it found.

No set of abuse that people labelled is among the data (the prompts of XSTest ask for what is unsafe, in
civil words). So the recall is that of insults as a rehearsal plants them, a sixth of which have no word that
lists have: it says that their spellings are read, and not how much of the abuse in the world is.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.filters.figure import Figure, Rate, precision_and_recall
from benchmarks.filters.human_items import DATA, TASK, human_items
from benchmarks.filters.trial import BATCH, generated
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.filters.toxicity import Toxicity
from seedbed.models.fault_plan import VARIANTS
from seedbed.models.planted_values import insult


def measure() -> list[Figure]:
    """The list (a flag counts as found), the model (what it rejects), and the model bare, text by text.

    The bare one is asked as its own documentation has it: `predict`, which takes a half for the border.
    """
    items, _ = human_items()
    spoilt = _with_insults(items)
    records = [*items, *spoilt]
    truth = [False] * len(items) + [True] * len(spoilt)
    name = f"{DATA}, and the same with a made-up insult"
    return [
        _figure("toxicity", f"{name}: flagged by the list", truth, *_asked(records)),
        _figure("toxicity", f"{name}: rejected by the model", truth, *_asked(records, model="linear")),
        _figure("alt-profanity-check", f"{name}: bare, text by text", truth, *_bare(records)),
    ]


def _asked(records: Sequence[Record], **options: Any) -> tuple[list[bool], float]:
    each = Toxicity.build(Toxicity.Options(**options), FilterContext(TASK))
    each.check(records[:1])  # loads the model
    began = time.process_time()
    batches = [records[at : at + BATCH] for at in range(0, len(records), BATCH)]
    verdicts = [verdict for batch in batches for verdict in each.check(batch)]
    seconds = time.process_time() - began
    by_model = options.get("model") is not None
    return [said is not None and said.keep != by_model for said in verdicts], seconds


def _bare(records: Sequence[Record]) -> tuple[list[bool], float]:
    from profanity_check import predict

    texts = [TASK.as_text(record.fields) for record in records]
    began = time.process_time()
    batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
    found = [bool(said) for batch in batches for said in predict(batch)]
    return found, time.process_time() - began


def _figure(filter_: str, name: str, truth: Sequence[bool], found: Sequence[bool], seconds: float) -> Figure:
    people = [said for said, toxic in zip(found, truth, strict=True) if not toxic]
    rates = precision_and_recall(found, truth)
    false = Rate(sum(people), len(people))
    return Figure(filter_, name, len(truth), *rates, false, len(truth) / seconds)


def _with_insults(items: Sequence[Record]) -> list[Record]:
    """Each item with an insult between two of its words, in the shares in which a rehearsal plants them."""
    rng = random.Random(0)
    ways = VARIANTS["toxic"]
    drawn = rng.choices(list(ways), [way.share for way in ways.values()], k=len(items))
    spoilt = []
    for item, variant in zip(items, drawn, strict=True):
        words = TASK.as_text(item.fields).split(" ")
        at = rng.randint(1, len(words) - 1)
        text = " ".join([*words[:at], insult(variant, rng), *words[at:]])
        spoilt.append(generated(f"{item.id} with an insult", {**item.fields, "question": text}))
    return spoilt
