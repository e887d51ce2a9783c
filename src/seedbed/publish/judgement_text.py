"""A judge beside people, in words: for the report, the card and `seedbed calibrate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# What a judge may do, by its regime.
_MAY = {
    "gates": "it gates: a score below min rejects",
    "people": "it sends to people: a score below min flags, and rejects nothing",
    "off": "it is off: it is not asked, and neither ranks nor rejects",
    "uncalibrated": "it is uncalibrated: it ranks, and rejects only with trust: uncalibrated",
}


def comparison_lines(compared: Mapping[str, Any]) -> list[str]:
    """Sentences from `review.calibration.Comparison.to_json`, and `bad_rate` where there is one."""
    kappa = compared["kappa"]
    told = f"compared with {compared['labels']:,} human labels, good from a score of {compared['min']}"
    lines = [f"{told}: kappa {_number(kappa)}" if kappa is not None else told, _regime_line(compared)]
    found, passed = compared["sensitivity"], compared["specificity"]
    if found is not None and passed is not None:
        lines.append(
            f"it finds {_percent(found)} of what people call bad, and passes {_percent(passed)} of what they "
            "call good"
        )
    if compared["unjudged"]:
        lines.append(
            f"{compared['unjudged']:,} of the labelled records stayed unjudged, and count against it"
        )
    if compared.get("bad_rate") is not None:
        lines.append(
            f"corrected for its errors, {_percent(compared['bad_rate'])} of the drafts that it judged are bad"
        )
    return lines


def compared_words(judged: Sequence[Mapping[str, Any]]) -> str:
    """The same of every judge of a report's `judged` that has a calibration, in one paragraph."""
    told = [
        f"{entry['filter']}: {'; '.join(comparison_lines(entry['compared']))}."
        for entry in judged
        if entry["compared"] is not None
    ]
    return " ".join(told)


def _regime_line(compared: Mapping[str, Any]) -> str:
    may, needed = _MAY[compared["regime"]], compared["labels_needed"]
    if compared["regime"] != "uncalibrated":
        return may
    if compared["labels"] < needed:
        return f"{may}; {needed} labels are needed"
    return f"{may}; people said the same of all records"


def _number(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:.2f} (95 %: {figure['low']:.2f} to {figure['high']:.2f})"


def _percent(figure: Mapping[str, float]) -> str:
    value, low, high = (f"{100 * figure[name]:.1f} %" for name in ("value", "low", "high"))
    return f"{value} (95 %: {low} to {high})"
