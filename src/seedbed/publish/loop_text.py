"""What a loop came to, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.publish.mix_text import OF_A_REHEARSAL
from seedbed.publish.proof_text import metric_name, proof_section, signed
from seedbed.publish.text_layout import bullet, heading, paragraph, printable, table
from seedbed.publish.weaknesses_text import weaknesses_text

MIX = "mix"

ENDS: Mapping[str, str] = {
    "rounds": "all rounds are done",
    "no_gain": "the last round brought no gain",
    "variety": "variety or replies ran out before the target of the last round",
    "cells": "the last round missed its target, because cells failed",
    "budget": "the budget was reached; raise it, and the same command goes on",
    "endpoint": "an endpoint could not be used; the same command goes on",
    "interrupted": "it was stopped; the same command goes on",
}
GAINS: Mapping[str, str] = {
    "better": "better",
    "worse": "worse",
    "no_material_difference": "no material gain",
    "undecided": "undecided",
}


def loop_text(value: Mapping[str, Any]) -> str:
    """`value` is that of `run.looping.LoopResult.to_json`."""
    scored = [each for each in value["rounds"] if each["scored"] is not None]
    rounds = f"{len(scored)} round{'' if len(scored) == 1 else 's'}"
    parts = [heading(f"{printable(value['recipe'])}: {rounds}")]
    if value["rehearsal"]:
        parts.append(paragraph(OF_A_REHEARSAL))
    if scored:
        dev, metric = scored[-1]["scored"]["dev_rows"], scored[-1]["scored"]["metric"]
        parts.append(
            paragraph(
                f"The student's {metric_name(metric)} on {dev:,} dev rows, in brackets the 95 % interval."
            )
        )
        parts.append(_rounds(value))
        parts.append(weaknesses_text(scored[-1]["weaknesses"]))
        parts.append(_asked(scored[-1]))
    parts.append(paragraph(f"Stopped: {ends_words(value)}."))
    if value["proof"] is not None:
        parts.append(proof_section(value["proof"], rehearsal=value["rehearsal"]))
    elif value["kept"] is not None:
        parts.append(paragraph("The eval stayed closed: there is none, or no student to prove on it."))
    return "\n\n".join(part for part in parts if part)


def ends_words(value: Mapping[str, Any]) -> str:
    """Why it stopped, and which round the run holds where that is not the last one."""
    words = ENDS[value["ended"]]
    last = len(value["rounds"])
    if value["kept"] is not None and value["kept"] != last:
        words += f"; the run holds round {value['kept']} again"
    return words


def arm_of(this: Mapping[str, Any], name: str = MIX) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(arm for arm in this["scored"]["arms"] if arm["name"] == name)
    return found


def gain_words(this: Mapping[str, Any]) -> str:
    """`+0.031 better`, or a dash for the first round."""
    gain = this["gain"]
    return "–" if gain is None else f"{signed(gain['difference']['value'])} {GAINS[gain['verdict']]}"


def score_words(arm: Mapping[str, Any], metric: str) -> str:
    if arm["scores"] is None:
        return "not scored"
    score = arm["scores"][metric]
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


def _rounds(value: Mapping[str, Any]) -> str:
    rows = []
    for each in value["rounds"]:
        if each["scored"] is None:
            rows.append(
                [str(each["round"]), f"{each['targets']['target']:,}", "–", "–", "not scored yet", "–"]
            )
            continue
        mix, metric = arm_of(each), each["scored"]["metric"]
        rows.append(
            [
                str(each["round"]),
                f"{each['targets']['target']:,}",
                f"{each['scored']['accepted']:,}",
                f"{mix['real']:,} + {mix['synthetic']:,}",
                score_words(mix, metric),
                gain_words(each),
            ]
        )
    return table(["round", "target", "accepted", "real + generated", "dev score", "gain"], rows)


def _asked(this: Mapping[str, Any]) -> str:
    asked = this["next"]
    lines = [bullet(line) for line in asked_words(asked)]
    more = asked["target"] - this["targets"]["target"]
    title = heading(f"What a further round asks for: {more:,} more, {asked['target']:,} in all")
    return title + "\n" + "\n".join(lines) if lines else title


def asked_words(asked: Mapping[str, Any]) -> list[str]:
    """What is asked for beyond the last round, a line each."""
    increases = sorted(asked["increases"].items(), key=lambda item: (-item[1], item[0]))
    lines = [f"{label}: {count:,} more" for label, count in increases]
    asks = {case["name"]: case["ask"] for case in asked["edge_cases"]}
    lines += [f"{count:,} of which each {asks[name]}" for name, count in asked["asked"].items()]
    return [*lines, *asked["notes"]]
