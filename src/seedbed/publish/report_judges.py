"""What model filters said, as a section of the report's page: an opinion, apart from what rules found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.publish.judgement_text import judged_lines
from seedbed.publish.page_content import (
    Bar,
    Block,
    Bullets,
    Cell,
    Column,
    Number,
    Section,
    Table,
    Text,
    percent,
)
from seedbed.publish.text_layout import share

Summary = Mapping[str, Any]

_COLUMNS = [Column("score"), Column("drafts", "number"), Column("share", "number"), Column("", "figure")]


def judged_section(summary: Summary) -> Section:
    """The scores of each model filter, and what they are worth beside people's."""
    blocks: list[Block] = []
    for entry in summary.get("judged") or ():
        scores: Mapping[str, int] = entry["scores"]
        most = max(scores.values(), default=0)
        rows: list[list[Cell]] = [
            [
                Text(score),
                Number(f"{n:,}"),
                Number(share(n, entry["judged"])),
                Bar(percent(n, most), tone="plain"),
            ]
            for score, n in scores.items()
        ]
        if rows:
            blocks.append(Table(f"Scores by {entry['filter']}", _COLUMNS, rows))
        blocks.append(Bullets(judged_lines(entry)))
    return Section("judged", "Judged by a model", blocks)
