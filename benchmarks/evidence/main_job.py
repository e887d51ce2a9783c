"""D-main: the whole way of a record, on real replies, and what the result teaches a student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.evidence.behaviour_run import CELLS_FAILED, TARGET_MET, Item, run_behaviours
from benchmarks.evidence.behaviours import HUMAN, LM, distinct, questions, with_shuffled_labels
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting

SPLITS = 3
FULL_SPLITS = 10
ARM_ROWS = 2168
SYNTHETIC_SHARE = 0.75
# Of all human rows: half are the eval, and a fifth of the other half is dev.
EVAL_SHARE, DEV_SHARE = 0.5, 0.1
ARMS = {"synthetic": "synthetic_only", "mix": "mix", "real": "real_only"}


def measure(setting: Setting) -> Figures:
    """Each split twice: filters off on replies that were cleaned before, filters on on all replies."""
    human = distinct(questions(HUMAN))
    replies = {
        # As the published figures were measured: without repetitions and without what equals a human item.
        "filters_off": distinct(questions(LM), unlike=human),
        # As a teacher would give them: what is to be dropped, the pipeline's own filters must find.
        "filters_on": list(questions(LM)),
    }
    splits = range(FULL_SPLITS if setting.full else SPLITS)
    figures: dict[str, Any] = {"human_items": len(human)}
    for name, items in replies.items():
        if setting.broken:
            items = with_shuffled_labels(items)
        runs = [
            setting.step(
                f"{name}-{split}", partial(_run, human=human, items=items, filters=name, split=split)
            )
            for split in splits
        ]
        figures[name] = {"replies": len(items), **_over_splits(runs)}
    return figures


def _run(
    folder: Path, *, human: Sequence[Item], items: Sequence[Item], filters: str, split: int
) -> dict[str, Any]:
    """One run of the product; with filters on not every reply can pass, so the target is out of reach."""
    ran = run_behaviours(
        folder,
        human,
        items,
        split={"eval": EVAL_SHARE, "dev": DEV_SHARE, "seed": split},
        filters=[] if filters == "filters_off" else "default",
        mix={"synthetic": SYNTHETIC_SHARE, "size": ARM_ROWS},
        student="classifier",
        exits=(TARGET_MET,) if filters == "filters_off" else (TARGET_MET, CELLS_FAILED),
    )
    outcome = ran.outcome
    return _figures(outcome.value, ran.stats) | {"exit": outcome.exit, "seconds": round(outcome.seconds, 1)}


def _figures(report: Mapping[str, Any], stats: Mapping[str, int]) -> dict[str, Any]:
    arms = {arm["name"]: arm for arm in report["proof"]["arms"]}
    openings = [opening for opening in report["eval"]["openings"] if opening["purpose"] == "evaluate"]
    return {
        "macro_f1": {name: arms[arm]["scores"]["macro_f1"]["value"] for name, arm in ARMS.items()},
        "rows": {name: arms[arm]["rows"] for name, arm in ARMS.items()},
        "eval_rows": report["proof"]["eval"]["rows"],
        "eval_openings": len(openings),
        "accepted": report["accounts"]["drafts"]["accepted"],
        "rejected": {entry["filter"]: entry["rejected"] for entry in report["filters"]},
        "answered": stats["answered"],
        "refused": stats["refused"],
    }


def _over_splits(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means of the scores and their differences; of everything else the value in each split."""
    means = {name: fmean(run["macro_f1"][name] for run in runs) for name in ARMS}
    rejects = {
        (name, reason) for run in runs for name, counts in run["rejected"].items() for reason in counts
    }
    rejected: dict[str, dict[str, list[int]]] = {}
    for name, reason in sorted(rejects):
        counts = [run["rejected"].get(name, {}).get(reason, 0) for run in runs]
        rejected.setdefault(name, {})[reason] = counts
    return {
        "macro_f1": {name: round(mean, 4) for name, mean in means.items()},
        "mix_above_synthetic": round(means["mix"] - means["synthetic"], 4),
        "real_above_mix": round(means["real"] - means["mix"], 4),
        "retention_synthetic": round(means["synthetic"] / means["real"], 4),
        "retention_mix": round(means["mix"] / means["real"], 4),
        "arm_rows": {name: [run["rows"][name] for run in runs] for name in ARMS},
        "most_eval_openings": max(run["eval_openings"] for run in runs),
        **{
            name: [run[name] for run in runs]
            for name in ("eval_rows", "accepted", "answered", "refused", "exit", "seconds")
        },
        "rejected": rejected,
    }


DEMONSTRATION = Demonstration(
    id="D-main",
    title="the main job, from replies to proof",
    shows=(
        "Which of seven behaviours does a question test? The published LM-written items come over HTTP as "
        "a recorded teacher's replies, by label; human items are halved by group into real rows and the "
        "locked eval. Macro-F1 of the three arms (synthetic only, 75/25 mix, real only; at most 2,168 rows "
        "each) is the mean over the splits. With filters off the replies were cleaned beforehand "
        "(repetitions, and what equals a human item, taken out); with filters on all of them arrive, and "
        "what the default filters reject is listed for each split."
    ),
    broken="the labels of the recorded replies are shuffled",
    sets=("anthropic_evals",),
    measure=measure,
)
