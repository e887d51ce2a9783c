"""Interactive charts of the report: Vega-Lite by Altair, drawn by the bundle that vl-convert carries.

Both are the extra `report` and are imported here at first use. Colours are the variables of the
page's style sheet, so that a chart follows it from light to dark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

from seedbed.publish.page_content import Chart, visible
from seedbed.publish.proof_text import arm_name

NEEDS = ("altair", "vl_convert")
MANY_VALUES = 12
"""Beyond so many values of a cover field a chart shows their spread; fewer are read in the table."""

_INK, _QUIET, _LINE, _GOOD, _BAD, _OPEN, _PLAIN, _BAND = (
    f"var(--{name})" for name in ("ink", "quiet", "line", "good", "bad", "open", "plain", "band")
)
_ROW = 34
# As the style sheet has it: Vega measures labels on a canvas, which inherits nothing.
_FONT = 'system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif'


def available() -> bool:
    """Whether the extra is installed."""
    return all(find_spec(name) is not None for name in NEEDS)


@cache
def bundle(script: str) -> str:
    """One script without imports: Vega, Vega-Lite and Vega-Embed, then `script`, which uses `vegaEmbed`.

    It takes more than a second, and is the same for every page.
    """
    import vl_convert

    bundled: str = vl_convert.javascript_bundle(script)
    # The end tag of a script ends it wherever it stands, in a string too.
    return bundled.replace("</script", "<\\/script").replace("<!--", "\\x3c!--")


def as_json(charts: Sequence[Chart]) -> str:
    """The specifications as JSON in which no character ends or begins a tag, whatever the data."""
    value = [{"name": chart.name, "specification": chart.specification} for chart in charts]
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def charts_of(summary: Mapping[str, Any]) -> dict[str, list[Chart]]:
    """Charts by the section that they stand in; a section whose key is missing or empty has none."""
    proof, measures = summary["proof"], summary.get("measures")
    return {
        "coverage": [
            _spread(name, values) for name, values in summary["by_cover"].items() if len(values) > MANY_VALUES
        ],
        "measures": _relative(measures["metrics"]) if measures else [],
        "proof": _arms(proof) if proof else [],
        "rounds": _rounds(summary["rounds"]),
    }


def _chart(name: str, said: str, layers: Sequence[Any], height: int) -> Chart:
    import altair

    specification = (
        altair.layer(*layers)
        .properties(width="container", height=height, background="transparent")
        .configure(font=_FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_QUIET, titleColor=_QUIET, gridColor=_LINE, domainColor=_QUIET, tickColor=_QUIET,
            labelFontSize=12, titleFontSize=12, titleFontWeight="normal", labelLimit=150, labelOverlap=True,
            labelSeparation=8,
        )
        .configure_legend(labelColor=_INK, titleColor=_QUIET, labelFontSize=12, orient="top", title=None)
    )  # fmt: skip
    return Chart(name, said, specification.to_dict())


def _rows(values: Sequence[Mapping[str, Any]]) -> Any:
    import altair

    return altair.Data(values=list(values))  # type: ignore[no-untyped-call]


def _spread(name: str, values: Mapping[str, Mapping[str, int]]) -> Chart:
    """How much of each value's drafts was kept, the least first."""
    import altair as alt

    rows = [
        {
            "value": visible(value),
            "kept": counts["accepted"] / counts["drafts"],
            **{what: counts[what] for what in ("accepted", "target", "drafts")},
            "state": "short of the target" if counts["accepted"] < counts["target"] else "target met",
        }
        for value, counts in values.items()
        if counts["drafts"]
    ]
    rows.sort(key=lambda row: row["kept"])
    rows = [row | {"place": place} for place, row in enumerate(rows, start=1)]
    states = alt.Scale(domain=["target met", "short of the target"], range=[_GOOD, _BAD])
    bars = (
        alt.Chart(_rows(rows))
        .mark_bar()
        .encode(
            x=alt.X("place:O", title=None, axis=None, scale=alt.Scale(paddingInner=0.3)),
            y=alt.Y(
                "kept:Q",
                title="share of drafts accepted",
                axis=alt.Axis(format=".0%", tickCount=4),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=alt.Color("state:N", scale=states),
            tooltip=[
                alt.Tooltip("value:N", title=visible(name)),
                alt.Tooltip("accepted:Q"),
                alt.Tooltip("target:Q"),
                alt.Tooltip("drafts:Q"),
                alt.Tooltip("kept:Q", format=".1%"),
            ],
        )
    )
    said = f"The {len(rows)} values of {visible(name)} by the share of their drafts that was accepted"
    return _chart(f"coverage-{name}", said, [bars], 160)


def _relative(metrics: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """Every measure as a multiple of that of the real rows, on one scale."""
    import altair as alt

    rows = [
        {
            "measure": visible(entry["label"]),
            "generated": entry["value"] / entry["real"],
            **{
                short: None if entry[key] is None else entry[key] / entry["real"]
                for short, key in (
                    ("low", "low"), ("high", "high"), ("from", "real_low"), ("to", "real_high"),
                )
            },
        }
        for entry in metrics
        if entry["value"] is not None and entry["real"]
    ]  # fmt: skip
    if not rows:
        return []
    base = alt.Chart(_rows(rows)).encode(
        y=alt.Y("measure:N", sort=None, title=None, axis=alt.Axis(grid=False, ticks=False, domain=False)),
        tooltip=[
            alt.Tooltip("measure:N"),
            *(alt.Tooltip(f"{name}:Q", format=".3~f") for name in ("generated", "low", "high", "from", "to")),
        ],
    )
    title = "times the real rows"
    x = alt.X("low:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=6))
    band = base.mark_bar(color=_BAND, height=16).encode(x=alt.X("from:Q", title=title), x2="to:Q")
    line = base.mark_rule(color=_GOOD, strokeWidth=2).encode(x=x, x2="high:Q")
    dot = base.mark_circle(color=_GOOD, size=70, opacity=1).encode(x=alt.X("generated:Q", title=title))
    said = "Each measure as a multiple of the real rows': 1 is as varied as they are; the band is theirs"
    return [_chart("measures", said, [band, line, dot], _ROW * len(rows))]


def _arms(proof: Mapping[str, Any]) -> list[Chart]:
    """Recall by label in every scored arm, where the arms and labels are more than a table shows at once."""
    import altair as alt

    scored = [entry for entry in proof["arms"] if entry["per_class"]]
    if not scored:
        return []
    colours = dict(zip((arm_name(entry) for entry in scored), (_PLAIN, _OPEN, _GOOD), strict=False))
    rows = [
        {
            "arm": arm_name(entry),
            "label": visible(label),
            "recall": figures["recall"],
            "rows": figures["support"],
        }
        for entry in scored
        for label, figures in entry["per_class"].items()
    ]
    labels = {row["label"] for row in rows}
    bare = alt.Axis(grid=False, ticks=False, domain=False)
    points = (
        alt.Chart(_rows(rows))
        .mark_tick(thickness=2, height=18, opacity=0.8)
        .encode(
            x=alt.X("recall:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5)),
            y=alt.Y("arm:N", sort=list(colours), title=None, axis=bare),
            color=alt.Color(
                "arm:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())), legend=None
            ),
            tooltip=[
                alt.Tooltip("label:N"), alt.Tooltip("arm:N"), alt.Tooltip("recall:Q", format=".2f"),
                alt.Tooltip("rows:Q", title="eval rows"),
            ],
        )
    )  # fmt: skip
    said = f"Recall of each of the {len(labels)} labels, one stroke a label"
    return [_chart("arms", said, [points], _ROW * len(scored))]


def _rounds(rounds: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """Accepted records over cells: a flat end says that more of the same is wasted."""
    import altair as alt

    if len(rounds) < 2:
        return []
    rows, cells, accepted = [{"round": "start", "cells": 0, "accepted": 0}], 0, 0
    for entry in rounds:
        cells += entry["cells"]
        accepted += entry["accepted"]
        rows.append({"round": f"{entry['round']}", "cells": cells, "accepted": accepted})
    base = alt.Chart(_rows(rows)).encode(
        x=alt.X("cells:Q", title="cells asked, in all", axis=alt.Axis(tickCount=5, format="~s")),
        y=alt.Y("accepted:Q", title="accepted", axis=alt.Axis(tickCount=4)),
        order=alt.Order("cells:Q"),
        tooltip=[alt.Tooltip("round:N"), alt.Tooltip("cells:Q"), alt.Tooltip("accepted:Q")],
    )
    line = base.mark_line(color=_GOOD, strokeWidth=2)
    dots = base.mark_circle(color=_GOOD, size=60, opacity=1)
    said = "Accepted records over the cells asked, a dot at each round's close"
    return [_chart("rounds", said, [line, dots], 180)]
