"""D3: do generated rows stand in for real ones, in what mix, and does the product's own search see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.evidence.behaviour_run import Item, run_behaviours
from benchmarks.evidence.behaviours import HUMAN, LM, distinct, questions, with_shuffled_labels
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.mixing_curve import ARM_ROWS, over_splits, score_split
from benchmarks.evidence.plot import Axes, Plot, curve
from benchmarks.evidence.product import seedbed_expecting

SPLITS, FULL_SPLITS = 3, 10
PRIOR = 0.75
SINGLE, PAIRS = "single-word", "word"
# Of the human items; what neither is goes to train. Nobody opens the eval here.
EVAL_SHARE = 0.02
HALF, FEW_TRAIN, FEW_DEV = 0.48, 0.934, 0.0173
"""Shares for dev: half of the items; all but two hundred; about 75."""
SYNTHETIC_ONLY = 1.0


def measure(setting: Setting) -> Figures:
    human = distinct(questions(HUMAN))
    written = distinct(questions(LM), unlike=human)
    if setting.broken:
        written = with_shuffled_labels(written)
    splits = range(FULL_SPLITS if setting.full else SPLITS)
    return setting.steps(
        {
            "curve": partial(_curve, human=human, written=written, splits=splits, features=SINGLE),
            "with_pairs": partial(_curve, human=human, written=written, splits=splits, features=PAIRS),
            "search": partial(_searches, human=human, written=written, splits=splits),
        }
    )


def _curve(
    folder: Path, *, human: Sequence[Item], written: Sequence[Item], splits: Sequence[int], features: str
) -> dict[str, Any]:
    return _taught(
        over_splits(
            [
                score_split(folder, human=human, written=written, split=split, features=features)
                for split in splits
            ]
        )
    )


def _taught(curve: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Scores and what is claimed of their differences."""
    score = {name: values[0] for name, values in curve.items()}
    return {
        "macro_f1": score,
        "interval": {name: list(values[1:]) for name, values in curve.items()},
        "retention_lm_only": round(score["lm_only"] / score["human"], 4),
        "retention_mix_75_25": round(score["mix_75_25"] / score["human"], 4),
        "mix_75_25_above_lm_only": round(score["mix_75_25"] - score["lm_only"], 4),
        "human_above_mix_75_25": round(score["human"] - score["mix_75_25"], 4),
        "small_real_gain": round(score["human_200_lm_600"] - score["human_200"], 4),
        "all_lm_beside_all_human": round(score["all_human_all_lm"] - score["human"], 4),
    }


def _searches(
    folder: Path, *, human: Sequence[Item], written: Sequence[Item], splits: Sequence[int]
) -> dict[str, Any]:
    """`seedbed mix --search` over one run, which knows nothing of the human items, split anew each time."""
    ran = run_behaviours(
        folder,
        human,
        written,
        split={"eval": EVAL_SHARE, "dev": HALF},
        filters=[],
        mix={"synthetic": PRIOR, "size": ARM_ROWS, "hold_out": 0},
        student={"classifier": {"features": SINGLE}},
        overrides=["student=null"],
    )
    beside = ("mix.fixed=real", "mix.synthetic=0", f"mix.search=[{PRIOR}]")
    found = {
        name: [_search(ran.folder, split, dev, keys) for split in splits]
        for name, dev, keys in (
            ("equal_size", HALF, ()),
            ("all", HALF, beside),
            ("small", FEW_TRAIN, beside),
            ("few_dev", FEW_DEV, ()),
        )
    }
    return {
        "equal_size": _equal_size(found["equal_size"]),
        "small_real": _beside_real(found["small"]),
        "all_human_and_all_lm": _beside_real(found["all"]),
        "few_dev_rows": _few_dev(found["few_dev"]),
    }


def _search(folder: Path, split: int, dev: float, keys: Sequence[str]) -> dict[str, Any]:
    """What a search says of the human items split in one way."""
    overrides = (f"sources.real.split.seed={split}", f"sources.real.split.dev={dev}", *keys)
    arguments = [part for key in overrides for part in ("--set", key)]
    value: dict[str, Any] = seedbed_expecting((0,), "mix", folder, "--search", *arguments).value
    return value | {"arms": {arm["share"]: arm for arm in value["arms"]}}


def _score(search: Mapping[str, Any], share: float) -> float:
    value: float = search["arms"][share]["score"]["value"]
    return value


def _equal_size(searches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    gains = [_score(search, PRIOR) - _score(search, SYNTHETIC_ONLY) for search in searches]
    return {
        "dev_rows": [search["dev_rows"] for search in searches],
        "decision": [search["decision"] for search in searches],
        "chosen": [search["chosen"] for search in searches],
        "times_synthetic_only": sum(search["chosen"] == SYNTHETIC_ONLY for search in searches),
        "mix_75_25_above_lm_only": [round(gain, 4) for gain in gains],
        "least_above_lm_only": round(min(gains), 4),
    }


def _beside_real(searches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What generated rows add to all real ones, which are the prior."""
    arms = [search["arms"][PRIOR] for search in searches]
    gains = [arm["against_real"]["difference"] for arm in arms]
    return {
        "dev_rows": [search["dev_rows"] for search in searches],
        "real": [arm["real"] for arm in arms],
        "added": [arm["synthetic"] for arm in arms],
        "gain": [round(gain["value"], 4) for gain in gains],
        "from": [round(gain["low"], 4) for gain in gains],
        "to": [round(gain["high"], 4) for gain in gains],
        "mean_gain": round(fmean(gain["value"] for gain in gains), 4),
        "verdict": [arm["against_real"]["verdict"] for arm in arms],
        "decision": [search["decision"] for search in searches],
        "rows_to_decide": [search["rows_to_decide"] for search in searches],
    }


def _few_dev(searches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [search["rows_to_decide"] for search in searches]
    return {
        "dev_rows": [search["dev_rows"] for search in searches],
        "decision": [search["decision"] for search in searches],
        "chosen": [search["chosen"] for search in searches],
        "rows_to_decide": rows,
        "least_rows_to_decide": min((wanted or 0 for wanted in rows), default=0),
    }


_POINTS = {
    0.0: "human",
    0.25: "mix_25_75",
    0.5: "mix_50_50",
    0.75: "mix_75_25",
    0.9: "mix_90_10",
    1.0: "lm_only",
}


def plots(figures: Figures) -> list[Plot]:
    lines = {
        title: {
            share: (figures[part]["macro_f1"][name], *figures[part]["interval"][name])
            for share, name in _POINTS.items()
        }
        for part, title in (("curve", "single words"), ("with_pairs", "words and pairs of them"))
    }
    axes = Axes(
        f"Macro-F1 of {ARM_ROWS:,} training rows, by what is generated of them", "macro-F1", 0.74, 0.92, 0.02
    )
    score = figures["curve"]["macro_f1"]
    alt = (
        f"Macro-F1 falls from {score['human']:.3f} with human rows alone over {score['mix_75_25']:.3f} with "
        f"three quarters of LM-written rows to {score['lm_only']:.3f} with these alone."
    )
    return [Plot("mixing-curve", alt, curve(axes, "share of LM-written rows", lines))]


DEMONSTRATION = Demonstration(
    id="D3",
    title="does synthetic stand in, and in what mix",
    shows=(
        "Which of seven behaviours does a question test? LM-written items against half of the human items, "
        "tested on the other half, in training sets of 2,168 rows, and beside few and beside all human "
        "items; the student is the classifier with single words, and `with_pairs` has the same of its "
        "default. Scores and the ends of their 95 % intervals are means over the splits. "
        "Then `seedbed mix --search` over one run, in three splits: training sets of equal size; two hundred "
        "human rows with LM-written ones added; all human rows with all LM-written ones added; and a dev set "
        "of about 75 rows, too few to tell."
    ),
    broken="the labels of the LM-written items are shuffled",
    sets=("anthropic_evals",),
    measure=measure,
    parts=("curve", "with_pairs", "search"),
    plots=plots,
)
