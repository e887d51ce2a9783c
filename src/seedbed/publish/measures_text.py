"""The measures in words: each beside the real rows, and which axis values there are records of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.publish.text_layout import bullet, heading, paragraph, table

SHORT: Mapping[str, str] = {"as varied as the real data": "as varied", "not compared": ""}
MOST_MISSING = 5
_LEXICAL = "lexical (it sees words and spelling, not meaning)"


def measures_section(measures: Mapping[str, Any], *, rehearsal: bool = False) -> str:
    """`measures` is what `run.measuring.measure_sides` gives."""
    parts = [heading("How varied the data is")]
    metrics = measures["metrics"]
    if metrics:
        parts.append(paragraph(_setting(measures, rehearsal)))
        parts.append(_table(metrics))
    parts += [bullet(note) for note in measures["notes"]]
    parts += [bullet(_axis(name, axis)) for name, axis in measures["axes"].items()]
    return "\n".join(parts)


def _setting(measures: Mapping[str, Any], rehearsal: bool) -> str:
    rows, embedder = measures["rows"], measures["embedder"]
    compared = any(entry["real"] is not None for entry in measures["metrics"])
    beside = f" beside as many real ones (of {rows['real']:,}) of the same lengths" if compared else ""
    text = (
        f"{rows['sample']:,} of {rows['generated']:,} rows{beside}; in brackets the 95 % interval. "
        f"Embedder: {_LEXICAL if embedder == 'lexical' else embedder}. ↓: lower is more varied, ↑: higher."
    )
    return text + (" Of a rehearsal they say nothing about any teacher." if rehearsal else "")


def _table(metrics: Any) -> str:
    compared = any(entry["real"] is not None for entry in metrics)
    rows = []
    for entry in metrics:
        arrow = "↓" if entry["better"] == "lower" else "↑"
        row = [f"{entry['label']} {arrow}", _interval(entry, "value", "low", "high")]
        if compared:
            row.append(_interval(entry, "real", "real_low", "real_high"))
            row.append(SHORT.get(entry["verdict"], entry["verdict"]))
        rows.append(row)
    return table(["measure", "value", *(["real", ""] if compared else [])], rows)


def _interval(entry: Mapping[str, Any], value: str, low: str, high: str) -> str:
    return f"{figure(entry[value])} {between(entry[low], entry[high])}".rstrip()


def figure(value: float | None) -> str:
    """A measure as text, page and card show it: two decimals, which all of an interval have."""
    return "–" if value is None else f"{value:,.2f}"


def between(low: float | None, high: float | None) -> str:
    """An interval in brackets; "" where there is none."""
    return "" if low is None or high is None else f"[{figure(low)}, {figure(high)}]"


def _axis(name: str, axis: Mapping[str, Any]) -> str:
    text = f"{name}: records of {axis['covered']:,} of {axis['values']:,} values"
    missing = [value for value, count in axis["counts"].items() if not count]
    if not missing:
        return text
    more = f" and {len(missing) - MOST_MISSING:,} more" if len(missing) > MOST_MISSING else ""
    return f"{text}; none of {', '.join(missing[:MOST_MISSING])}{more}"
