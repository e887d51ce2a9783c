"""The proof in words: the three arms with their intervals, and what the differences mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.publish.text_layout import bullet, heading, paragraph, table

ARM_NAMES: Mapping[str, str] = {
    "real_only": "real only",
    "synthetic_only": "synthetic only",
    "mix": "mix",
}
WEAKEST = 5


def proof_section(proof: Mapping[str, Any], *, rehearsal: bool = False) -> str:
    """`proof` is the result of `student.evaluate.score_arms`."""
    level = f"{100 * proof['interval']['level']:.4g} %"
    setting = (
        f"Student {proof['student']['name']}, scored on {proof['eval']['rows']:,} locked eval rows; "
        f"in brackets the {level} interval of {proof['interval']['draws']:,} bootstrap draws."
    )
    if rehearsal:
        setting += " Of a rehearsal these figures show that the proof works, and nothing about any teacher."
    differences = [bullet(_meaning(entry, proof)) for entry in proof["differences"]]
    remarks = [
        f"{arm_name(entry)}: {entry['note']}" for entry in proof["arms"] if entry["note"] and entry["rows"]
    ]
    parts = [
        heading("What the data is worth") + "\n" + paragraph(setting),
        _arms(proof["arms"]),
        "\n".join(differences),
        _weakest(proof["arms"]),
        "\n".join(bullet(remark) for remark in [*remarks, *proof["notes"]]),
    ]
    return "\n\n".join(part for part in parts if part)


def _arms(arms: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            arm_name(entry),
            f"{entry['rows']:,}",
            f"{entry['real']:,}",
            f"{entry['synthetic']:,}",
            *_scores(entry),
        ]
        for entry in arms
    ]
    return table(["arm", "rows", "real", "synth.", "macro-F1", "accuracy", "of real"], rows)


def _scores(entry: Mapping[str, Any]) -> list[str]:
    if entry["macro_f1"] is None:
        return ["not scored", "–", "–"]
    f1, retention = entry["macro_f1"], entry["retention"]
    return [
        f"{f1['value']:.3f} [{f1['low']:.3f}, {f1['high']:.3f}]",
        f"{entry['accuracy']['value']:.3f}",
        f"{100 * retention['value']:.0f} %" if retention else "–",
    ]


def _meaning(entry: Mapping[str, Any], proof: Mapping[str, Any]) -> str:
    gap = entry["macro_f1"]
    figures = (
        f"{arm_name(entry, 'arm')} against {arm_name(entry, 'against')}: "
        f"{signed(gap['value'])} macro-F1 [{signed(gap['low'])}, {signed(gap['high'])}]"
    )
    return f"{figures}: {verdict_words(entry, proof)}"


def verdict_words(entry: Mapping[str, Any], proof: Mapping[str, Any]) -> str:
    """What a difference of two arms shows; how many rows would decide where it shows nothing."""
    verdict = entry["verdict"]
    if verdict == "no_material_difference":
        gain = "gain" if entry["macro_f1"]["value"] >= 0 else "loss"
        return f"no material {gain}; the whole interval lies within ±{proof['material']}"
    if verdict != "undecided":
        return str(verdict)
    rows = entry["rows_to_decide"]
    if rows is None:
        return "undecided: the two score the same on these rows"
    return (
        f"undecided: {proof['eval']['rows']:,} eval rows cannot tell; "
        f"about {rows:,} would decide, if the difference is what it seems"
    )


def _weakest(arms: Sequence[Mapping[str, Any]]) -> str:
    """The labels that the mix (or else the first scored arm) recalls worst, beside the other arms."""
    scored = [entry for entry in arms if entry["macro_f1"] is not None]
    if not scored:
        return ""
    judged = next((entry for entry in scored if entry["name"] == "mix"), scored[0])
    by_recall = sorted(judged["per_class"].items(), key=lambda item: (item[1]["recall"], item[0]))
    rows = [
        [
            label,
            f"{figures['support']:,}",
            *(f"{entry['per_class'][label]['recall']:.2f}" for entry in scored),
        ]
        for label, figures in by_recall[:WEAKEST]
    ]
    names = [arm_name(entry) for entry in scored]
    return (
        paragraph(f"Labels with the lowest recall in {arm_name(judged)}:")
        + "\n"
        + table(["label", "rows", *names], rows)
    )


def arm_name(entry: Mapping[str, Any], key: str = "name") -> str:
    """An arm in words."""
    return ARM_NAMES.get(entry[key], entry[key])


def signed(value: float) -> str:
    return f"{value:+.3f}"
