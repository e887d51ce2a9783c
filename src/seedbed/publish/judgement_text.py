"""What model filters said, and how they do beside people, in words: for report, card and `calibrate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.core.verdict import JUDGE_OFF
from seedbed.publish.text_layout import largest_first

# What a judge may do, by its regime.
_MAY = {
    "gates": "it gates: a score below min rejects",
    "people": "it sends to people: a score below min flags, and rejects nothing",
    "off": "it is off: it is not asked, and neither ranks nor rejects",
    "uncalibrated": "it is uncalibrated: it ranks, and rejects only with trust: uncalibrated",
}


def judged_lines(entry: Mapping[str, Any]) -> list[str]:
    """Sentences from one entry of a report's `judged`: what a model filter said, and what that is worth."""
    scores = ", ".join(f"{score}: {n:,}" for score, n in entry["scores"].items()) or "none"
    mean = "" if entry["mean"] is None else f", mean {entry['mean']:.2f}"
    lines = [f"{entry['filter']}: {entry['judged']:,} drafts judged{mean} ({scores})"]
    unanswered = {cause: n for cause, n in entry["unjudged"].items() if cause != JUDGE_OFF}
    if unanswered:
        causes = ", ".join(f"{cause} {n:,}" for cause, n in largest_first(unanswered))
        lines.append(
            f"{sum(unanswered.values()):,} unjudged: kept without a score, because no usable answer came "
            f"({causes})"
        )
    if entry["compared"] is not None:
        lines += comparison_lines(entry["compared"])
    if entry["calls"] is not None:
        lines.append(f"{entry['calls']:,} of the requests below were its own")
    if entry["promoted"]:
        lines.append(
            f"{entry['promoted']:,} drafts that had fallen as twins of one that it rejects came back"
        )
    if entry["unreadable"] is not None:
        lines.append(
            f"of this rehearsal's judge {entry['unreadable']:,} replies were unreadable on purpose; its "
            "scores are made up"
        )
    return lines


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
