"""Variety: what slots do for a teacher that collapses, and that the measures see it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import data, write_jsonl
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.product import seedbed_expecting, write_recipe
from seedbed.core.hashing import seed_from
from seedbed.models.recorded_server import RecordedServer

BUDGET = 1_000
EXPONENT = 1.5
"""Of the Zipf law: the first text of an order comes 2.8 times as often as the second."""
REPLIES_A_PROMPT = 200

# Two labels only: the fewer there are, the less the label alone spreads the prompts.
LABELS: Mapping[str, Sequence[str]] = {
    "money and travel": ("banking", "credit_cards", "auto_and_commute", "travel", "utility"),
    "home and talk": ("kitchen_and_dining", "home", "work", "small_talk", "meta"),
}
AXES: Mapping[str, Sequence[str]] = {
    "channel": ("app", "phone", "web", "speaker"),
    "mood": ("calm", "hurried", "puzzled", "cheerful"),
    "writer": ("student", "nurse", "retired teacher", "shop owner", "newcomer"),
}
MEASURES = ("compression_gzip", "compression_xz", "topic_coverage", "distinct_texts", "nearest_neighbour")

# The library's prompt ends with the label, each slot, and the number of the draw, which this teacher ignores.
_MATCH = r"(?s)Category: (?P<prompt>.+?)\s+Variation: "
_TARGET_MET = 0

Texts = Mapping[str, Sequence[str]]


def measure(setting: Setting) -> Figures:
    """Both methods at one budget, `template` with either teacher; nothing is filtered: every draft counts."""
    real, pool = halves()
    figures: dict[str, Any] = {
        "real_rows": sum(map(len, real.values())),
        "pool_texts": sum(map(len, pool.values())),
    }
    # To a prompt without slots both teachers are the same one.
    direct = setting.step("direct", partial(run, real=real, pool=pool, method="direct"))
    figures["direct"] = direct
    for teacher in ("collapses_by_prompt", "ignores_slots"):
        work = partial(
            run,
            real=real,
            pool=pool,
            method="direct" if setting.broken else "template",
            slots_matter=teacher == "collapses_by_prompt",
        )
        template = setting.step(f"{teacher}-template", work)
        figures[teacher] = {"template": template, "difference": apart(direct, template)}
    return figures


def halves() -> tuple[Texts, Texts]:
    """The train rows of CLINC150 under two labels, every other one real, the others what a teacher says."""
    folder = data("clinc150") / "data"
    domains = json.loads((folder / "domains.json").read_text(encoding="utf-8"))
    label_of = {
        intent: label for label, names in LABELS.items() for name in names for intent in domains[name]
    }
    texts: dict[str, list[str]] = {label: [] for label in LABELS}
    for text, intent in json.loads((folder / "data_full.json").read_text(encoding="utf-8"))["train"]:
        texts[label_of[intent]].append(text)
    real = {label: rows[::2] for label, rows in texts.items()}
    return real, {label: rows[1::2] for label, rows in texts.items()}


def _replies(pool: Texts, *, slots_matter: bool) -> Iterator[dict[str, Any]]:
    """For each prompt there can be, texts of its label in the shares of a Zipf law.

    Which text comes first, second, … is a hash of the prompt; where slots do not matter, of its label.
    """
    combinations = [
        "".join(f"\n{axis}: {value}" for axis, value in zip(AXES, values, strict=True))
        for values in itertools.product(*AXES.values())
    ]
    for label, texts in pool.items():
        total = sum(rank**-EXPONENT for rank in range(1, len(texts) + 1))
        for slots in ["", *combinations]:
            key = label + slots if slots_matter else label
            order = sorted(texts, key=lambda text: seed_from(key, text))
            for rank, text in enumerate(order, start=1):
                times = round(REPLIES_A_PROMPT * rank**-EXPONENT / total)
                if not times:
                    break
                for _ in range(times):
                    yield {"prompt": label + slots, "reply": {"text": text}}


def run(
    folder: Path,
    *,
    real: Texts,
    pool: Texts,
    method: str,
    slots_matter: bool = True,
    budget: int = BUDGET,
) -> dict[str, Any]:
    """One run of the product: what was answered, and its measures as the report has them."""
    rows = ({"text": text, "label": label} for label, texts in real.items() for text in texts)
    source = write_jsonl(folder / "real.jsonl", rows)
    recorded = write_jsonl(folder / "replies.jsonl", _replies(pool, slots_matter=slots_matter))
    with RecordedServer(recorded, "prompt", _MATCH) as server:
        recipe = {
            "name": "variety",
            "task": {"kind": "classification", "input": "text", "label": "label"},
            "sources": {"real": {"path": source.name}},
            "roles": {
                "teacher": {
                    "model": "recorded",
                    "endpoint": server.url,
                    "licence": {"terms": "texts of CLINC150, CC-BY-3.0", "allows_training": True},
                }
            },
            "generate": {
                "target": budget,
                # A recipe whose only method fills no slots may not name any.
                **(
                    {"axes": {axis: list(values) for axis, values in AXES.items()}}
                    if method != "direct"
                    else {}
                ),
                "methods": [method],
                "examples": 0,
            },
            "filters": [],
        }
        outcome = seedbed_expecting((_TARGET_MET,), "run", write_recipe(folder, recipe, {}))
        answered = server.stats()["answered"]
    measures = outcome.value["measures"]
    entries = {entry["name"]: entry for entry in measures["metrics"]}
    return {
        "answered": answered,
        "sample": measures["rows"]["sample"],
        "embedder": measures["embedder"],
        **{
            name: {
                **{end: round(entries[name][end], 4) for end in ("value", "low", "high", "real")},
                "verdict": entries[name]["verdict"],
            }
            for name in MEASURES
        },
    }


def apart(direct: Mapping[str, Any], template: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the intervals of the two methods have nothing in common, and `template` the better one."""
    figures: dict[str, Any] = {}
    for name in MEASURES:
        one, other = direct[name], template[name]
        lower = other["high"] < one["low"]
        higher = other["low"] > one["high"]
        figures[name] = {
            "template_is_apart": lower or higher,
            "template_is_more_varied": lower if name.startswith("compression") else higher,
        }
    return figures


DEMONSTRATION = Demonstration(
    id="variety",
    title="slots against collapse",
    shows=(
        "`template` against `direct` at one budget of 1,000 requests each. Half of CLINC150's train texts "
        "are the real rows, under two labels; the other half is what the teacher can say, over HTTP: for "
        "each distinct prompt it draws by a Zipf law (exponent 1.5) whose order is a hash of the prompt, so "
        "that it collapses for every prompt and more prompts reach more of the pool. No filter is on, and "
        "every draft is accepted and measured: a filter of duplicates would hide the collapse. `template` "
        "has the lower compression ratio and the higher topic coverage, intervals apart. With a teacher "
        "whose order is a hash of the label alone, so that slots change nothing, the intervals overlap."
    ),
    broken="both runs use `direct`, which fills no slots",
    sets=("clinc150",),
    measure=measure,
)
