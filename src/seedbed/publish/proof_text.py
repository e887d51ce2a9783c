"""The proof in words: the three arms with their intervals, and what the differences mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.publish.text_layout import bullet, figure, heading, paragraph, table

ARM_NAMES: Mapping[str, str] = {
    "real_only": "real only",
    "synthetic_only": "synthetic only",
    "mix": "mix",
}
METRIC_NAMES: Mapping[str, str] = {"macro_f1": "macro-F1"}
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
        _arms(proof),
        paragraph(held_out_words(proof)),
        "\n".join(differences),
        weakest(proof["arms"]),
        "\n".join(bullet(remark) for remark in [*remarks, *proof["notes"]]),
    ]
    return "\n\n".join(part for part in parts if part)


def _arms(proof: Mapping[str, Any]) -> str:
    others = proof["metrics"][1:]
    held_out = any(entry["held_out"] for entry in proof["arms"])
    rows = [
        [
            arm_name(entry),
            f"{entry['real']:,}",
            f"{entry['synthetic']:,}",
            *_scores(entry, proof["metric"], others, held_out=held_out),
        ]
        for entry in proof["arms"]
    ]
    head = ["arm", "real", "synth.", metric_name(proof["metric"]), *map(metric_name, others)]
    return table([*head, *(["on generated"] if held_out else []), "of real"], rows)


def _scores(entry: Mapping[str, Any], metric: str, others: Sequence[str], *, held_out: bool) -> list[str]:
    if entry["scores"] is None:
        return ["not scored", *["–"] * (len(others) + 1 + held_out)]
    score, retention = entry["scores"][metric], entry["retention"]
    generated = entry["held_out"]
    return [
        f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]",
        *(f"{entry['scores'][other]['value']:.3f}" for other in others),
        *([f"{generated['scores'][metric]['value']:.3f}" if generated else "–"] if held_out else []),
        f"{100 * retention['value']:.0f} %" if retention else "–",
    ]


def held_out_words(proof: Mapping[str, Any]) -> str:
    """How much better the mix does on generated rows than on real ones; "" where none were held out."""
    judged = next((entry for entry in proof["arms"] if entry["name"] == "mix" and entry["held_out"]), None)
    if judged is None or judged["scores"] is None:
        return ""
    metric = proof["metric"]
    real = judged["scores"][metric]["value"]
    generated = judged["held_out"]["scores"][metric]["value"]
    return (
        f"On {judged['held_out']['rows']:,} generated rows that no arm learnt from the mix has "
        f"{generated:.3f}, on the real eval {real:.3f}: a gap of {signed(generated - real)}. What a student "
        "shows on generated data says little about real data."
    )


def _meaning(entry: Mapping[str, Any], proof: Mapping[str, Any]) -> str:
    gap = entry["difference"]
    figures = (
        f"{arm_name(entry, 'arm')} against {arm_name(entry, 'against')}: "
        f"{signed(gap['value'])} {metric_name(proof['metric'])} [{signed(gap['low'])}, {signed(gap['high'])}]"
    )
    return f"{figures}: {verdict_words(entry, proof['material'], eval_rows(proof))}"


def eval_rows(proof: Mapping[str, Any]) -> str:
    """How many rows a proof was scored on, as `verdict_words` names them."""
    return f"{proof['eval']['rows']:,} eval rows"


def verdict_words(entry: Mapping[str, Any], material: float, rows_asked: str) -> str:
    """What a difference of two arms shows on these rows; how many would decide where it shows nothing."""
    verdict = entry["verdict"]
    if verdict == "no_material_difference":
        gain = "gain" if entry["difference"]["value"] >= 0 else "loss"
        return f"no material {gain}; the whole interval lies within ±{material}"
    if verdict != "undecided":
        return str(verdict)
    rows = entry["rows_to_decide"]
    if rows is None:
        return "undecided: the two score the same on these rows"
    return (
        f"undecided: {rows_asked} cannot tell; "
        f"about {rows:,} would decide, if the difference is what it seems"
    )


def weakest(arms: Sequence[Mapping[str, Any]]) -> str:
    """The labels that the mix (or else the first scored arm) recalls worst, beside the other arms."""
    scored = [entry for entry in arms if entry["per_class"]]
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


def metric_name(metric: str) -> str:
    """A metric in words."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))


def signed(value: float) -> str:
    return figure(value, "+")
