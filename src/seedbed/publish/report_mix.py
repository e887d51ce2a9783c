"""How the mix was chosen, and what filters, methods and templates were worth, for the report's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.publish.mix_text import (
    LEGEND,
    decision_words,
    gap_words,
    largest_worth,
    prior_words,
    tried_words,
)
from seedbed.publish.page_content import (
    Block,
    Bullets,
    Cell,
    Column,
    Interval,
    Number,
    Paragraph,
    Scale,
    Section,
    Table,
    Text,
)
from seedbed.publish.proof_text import metric_name, signed
from seedbed.publish.text_layout import figure

Summary = Mapping[str, Any]


def mix_section(summary: Summary) -> Section:
    """The arms of the search and its decision, then each ablation; no blocks where nothing was tried."""
    mix = summary["mix"]
    blocks: list[Block] = []
    if mix["search"]:
        blocks += _search(mix["search"])
    for part, found in sorted(mix["ablations"].items()):
        blocks += _ablation(part, found)
    return Section("mix", "How the mix was chosen", blocks)


def _search(result: Mapping[str, Any]) -> list[Block]:
    metric = metric_name(result["metric"])
    scores = [arm["score"] for arm in result["arms"]]
    scale = Scale.over([score[key] for score in scores for key in ("low", "high")])
    rows: list[list[Cell]] = []
    for arm in result["arms"]:
        score = arm["score"]
        low, value, high = (scale.place(score[key]) for key in ("low", "value", "high"))
        at, least, most = (figure(score[key]) for key in ("value", "low", "high"))
        of_recipe = prior_words(result) if arm["share"] == result["prior"] else ""
        rows.append(
            [
                Text(arm["name"], of_recipe),
                Number(f"{arm['real']:,}"),
                Number(f"{arm['synthetic']:,}"),
                Number(at, f"[{least}, {most}]"),
                Interval(
                    f"{metric} {at}, interval {least} to {most}",
                    value,
                    low,
                    high,
                    tone="good" if arm["share"] == result["chosen"] else "plain",
                ),
                Number(gap_words(arm["against_real"])),
            ]
        )
    columns = [
        Column("arm"), Column("real", "number"), Column("synthetic", "number"), Column(metric, "number"),
        Column("", "figure"), Column("to real only", "number"),
    ]  # fmt: skip
    setting = f"Shares of generated rows. {tried_words(result)}, {result['seeds']} times each. {LEGEND}."
    return [Paragraph(decision_words(result)), Table(setting, columns, rows)]


def _ablation(part: str, result: Mapping[str, Any]) -> list[Block]:
    rows: list[list[Cell]] = []
    for name, found in largest_worth(result["without"]):
        worth = found["worth"]
        gap = worth["difference"]
        rows.append(
            [
                Text(name),
                Number(f"{found['pool']:,}"),
                Number(figure(found["score"]["value"])),
                Number(
                    gap_words(worth),
                    f"[{signed(gap['low'])}, {signed(gap['high'])}]",
                ),
            ]
        )
    columns = [
        Column("without"), Column("drawn from", "number"), Column(metric_name(result["metric"]), "number"),
        Column("worth", "number"),
    ]  # fmt: skip
    base = figure(result["base"]["score"]["value"])
    caption = f"What {part} were worth. {tried_words(result)}: the mix as it is has {base}"
    notes = [f"{name}: {why}" for name, why in result["left_out"].items()]
    return [Table(caption, columns, rows), *([Bullets(notes)] if notes else [])]
