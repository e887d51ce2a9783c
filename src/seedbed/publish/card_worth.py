"""The data card's sections on worth: how the mix was chosen, and what a student learnt from each arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.publish.markdown import bullets, code, table, words
from seedbed.publish.mix_text import decision_words, tried_words
from seedbed.publish.proof_text import arm_name, eval_rows, held_out_words, metric_name, signed, verdict_words


def mix_choice(mix: Mapping[str, Any]) -> list[str]:
    """How the share of generated rows was chosen; nothing where it was not."""
    result = mix["search"]
    if not result:
        return []
    metric = metric_name(result["metric"])
    rows = [
        [
            words(arm["name"]),
            f"{arm['real']:,}",
            f"{arm['synthetic']:,}",
            f"{arm['score']['value']:.3f} \\[{arm['score']['low']:.3f}, {arm['score']['high']:.3f}\\]",
        ]
        for arm in result["arms"]
    ]
    how = (
        f"{words(tried_words(result))}, each share learnt from {result['seeds']} times; "
        "the eval stayed closed."
    )
    return [
        how,
        table(["arm", "real", "synthetic", metric], rows),
        words(decision_words(result)),
    ]


def proven_worth(proof: Mapping[str, Any] | None, *, rehearsal: bool) -> list[str]:
    """What a student learnt from each arm, with intervals, and what the differences say."""
    if not proof:
        return ["Not proven: no student was trained on it and scored on a locked eval."]
    metric, others = proof["metric"], proof["metrics"][1:]
    arms = []
    for entry in proof["arms"]:
        scores = entry["scores"]
        rows = [f"{entry[name]:,}" for name in ("rows", "real", "synthetic")]
        if scores is None:
            arms.append([words(arm_name(entry)), *rows, "not scored", *["–"] * len(others)])
            continue
        first = scores[metric]
        shown = f"{first['value']:.3f} \\[{first['low']:.3f}, {first['high']:.3f}\\]"
        further = [f"{scores[other]['value']:.3f}" for other in others]
        arms.append([words(arm_name(entry)), *rows, shown, *further])
    lines = []
    for entry in proof["differences"]:
        gap = entry["difference"]
        lines.append(
            f"{words(arm_name(entry, 'arm'))} against {words(arm_name(entry, 'against'))}: "
            f"{signed(gap['value'])} {metric_name(metric)} "
            f"\\[{signed(gap['low'])}, {signed(gap['high'])}\\]: "
            f"{words(verdict_words(entry, proof['material'], eval_rows(proof)))}"
        )
    level = f"{100 * proof['interval']['level']:.4g} %"
    return [
        f"A student ({code(proof['student']['name'])}) learnt from each arm and was scored on "
        f"{proof['eval']['rows']:,} locked eval rows, with {level} intervals."
        + (" Of a rehearsal this shows that the proof works, and nothing else." if rehearsal else ""),
        table(["arm", "rows", "real", "synthetic", *map(metric_name, proof["metrics"])], arms),
        words(held_out_words(proof)),
        bullets(lines),
        bullets([words(note) for note in proof["notes"]]),
    ]
