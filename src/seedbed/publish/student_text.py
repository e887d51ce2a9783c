"""What a student learnt from each arm, by dev rows, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.publish.mix_text import OF_A_REHEARSAL
from seedbed.publish.proof_text import arm_name, metric_name, signed, verdict_words, weakest
from seedbed.publish.text_layout import bullet, figure, heading, paragraph, table
from seedbed.publish.weaknesses_text import weaknesses_text


def trained_text(result: Mapping[str, Any], *, rehearsal: bool = False) -> str:
    """`result` is that of `run.students.train`."""
    metric, asked = result["metric"], "reported" not in result
    setting = f"Student {result['student']['name']}, scored on {result['dev_rows']:,} dev rows"
    setting += (
        "; in brackets the 95 % interval. " if asked else ", by what its trainer reports, without intervals. "
    )
    setting += "The eval stayed closed."
    if rehearsal:
        setting += " " + OF_A_REHEARSAL
    others = result["metrics"][1:] if asked else [name for name in result["metrics"] if name != metric]
    rows = [
        [
            arm_name(arm),
            f"{arm['real']:,}",
            f"{arm['synthetic']:,}",
            *_scores(arm, metric, others),
        ]
        for arm in result["arms"]
    ]
    of_dev = f"{result['dev_rows']:,} dev rows"
    differences = [
        f"{arm_name(entry, 'arm')} against {arm_name(entry, 'against')}: "
        f"{signed(entry['difference']['value'])} [{signed(entry['difference']['low'])}, "
        f"{signed(entry['difference']['high'])}]: {verdict_words(entry, result['material'], of_dev)}"
        for entry in result["differences"]
    ]
    notes = [
        f"{arm_name(arm)}: {line}" for arm in result["arms"] for line in (arm["note"], *arm["notes"]) if line
    ]
    notes += [f"not scored: {arm['problem']}" for arm in result["arms"] if arm["problem"]]
    weak = result["weaknesses"]
    parts = [
        heading("What the student learnt") + "\n" + paragraph(setting),
        table(["arm", "real", "synth.", metric_name(metric), *map(metric_name, others)], rows),
        "\n".join(map(bullet, differences)),
        "\n".join(bullet(_win_rate(found)) for found in result.get("win_rates", ())),
        weakest(result["arms"]),
        weaknesses_text(weak["slices"], of=arm_name(weak, "arm")) if weak is not None else "",
        "\n".join(map(bullet, notes)),
    ]
    return "\n\n".join(part for part in parts if part)


def _win_rate(found: Mapping[str, Any]) -> str:
    rate = found["rate"]
    asked = found["wins"] + found["ties"] + found["losses"]
    return (
        f"the judge likes {arm_name(found, 'arm')} better than {arm_name(found, 'against')} in "
        f"{found['wins']:,} of {asked:,}, worse in {found['losses']:,}; ties counted half "
        f"{100 * rate['value']:.0f} % [{100 * rate['low']:.0f}, {100 * rate['high']:.0f}]; in "
        f"{found['disagreed']:,} it said otherwise in the other order, which is a tie"
    )


def _scores(arm: Mapping[str, Any], metric: str, others: list[str]) -> list[str]:
    if arm["scores"] is not None:
        score = arm["scores"][metric]
        first = f"{figure(score['value'])} [{figure(score['low'])}, {figure(score['high'])}]"
        return [first, *(figure(arm["scores"][other]["value"]) for other in others)]
    if arm["problem"]:
        return ["not scored", *["–"] * len(others)]
    return [figure(arm["reported"][name]) if name in arm["reported"] else "–" for name in (metric, *others)]
