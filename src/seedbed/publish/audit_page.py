"""What an audit found as one HTML file that opens offline, of the same make as a run's report.

The texts of leaks stand in it; of what a filter found there is what its verdict says, which quotes no
personal data and no secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from seedbed import __version__
from seedbed.publish.page_content import (
    Bar,
    Block,
    Bullets,
    Cell,
    Column,
    Number,
    Paragraph,
    Section,
    Table,
    Text,
    Tile,
    Tone,
    percent,
)
from seedbed.publish.report_evidence import measures_section
from seedbed.publish.report_html import as_is, page_file, policy, template
from seedbed.publish.whole_file import whole_file

Audited = Mapping[str, Any]

MOST_ROWS = 50
_KIN = ("duplicates", "near_duplicates")
_MOST_CHARACTERS = 300


def write_audit(value: Audited, file: str, against: str | None, path: Path) -> None:
    """The page of `Audit.to_json()` at `path`, whole or not at all. Raises StoreError."""
    page = render_audit(value, file, against)
    with whole_file(path) as out:
        out.write(page)


def render_audit(value: Audited, file: str, against: str | None) -> str:
    css = page_file("report.css")
    tone, headline = _outcome(value, against)
    page: str = template("audit.html.j2").render(
        policy=policy(css, ""),
        css=as_is(css),
        version=__version__,
        name=Path(file).name,
        file=file,
        against=against,
        tone=tone,
        headline=headline,
        tiles=_tiles(value, against),
        sections=[section for section in _sections(value, against) if section.blocks],
    )
    return page


def _outcome(value: Audited, against: str | None) -> tuple[Tone, str]:
    if against is None:
        return "plain", "Not compared with an eval set"
    if leaks := value["leaks"]:
        rows = len({leak["row"] for leak in leaks})
        return "bad", f"{_count(rows, 'row')} of the eval set in the file"
    return "good", "No row of the eval set in the file"


def _tiles(value: Audited, against: str | None) -> list[Tile]:
    found = sum(n for name, counts in value["filters"].items() if name not in _KIN for n in counts.values())
    tiles = [Tile(f"{value['rows']:,}", "rows", f"text column {value['text_column']}")]
    if against is not None:
        leaked = f"of {_count(value['eval_rows_leaked'], 'eval row')}"
        tiles.append(Tile(f"{len(value['leaks']):,}", "leaks", leaked))
        tiles.append(Tile(f"{len(value['near']):,}", "near matches", "listed apart, for you to judge"))
    return [
        *tiles,
        Tile(f"{len(value['duplicates']):,}", "duplicates"),
        Tile(f"{len(value['near_duplicates']):,}", "near duplicates"),
        Tile(f"{found:,}", "found by other filters", "a row counts for each that turns it down"),
    ]


def _sections(value: Audited, against: str | None) -> Iterator[Section]:
    if against is not None:
        yield _matches(
            "leaks", "Leaks", "Rows that equal an eval row once case and punctuation are put aside", value
        )
        yield _matches("near", "Near matches", "Rows that come close to an eval row", value)
    yield _kin(value)
    yield _filters(value)
    measured = measures_section(value, rows="rows")
    yield replace(measured, title="How varied the data is")


def _matches(key: str, title: str, caption: str, value: Audited) -> Section:
    found = value[key]
    if not found:
        return Section(key, title, [Paragraph("None.")])
    by_rule = [Column("rule"), Column("score", "number")] if key == "near" else []
    columns = [Column("row", "number"), Column("eval row", "number"), *by_rule, Column("text")]
    rows: list[Sequence[Cell]] = []
    for each in found[:MOST_ROWS]:
        rule: list[Cell] = [Text(each["rule"]), Number(f"{each['score']:.2f}")] if by_rule else []
        text = Text(_cut(each["text"]))
        rows.append([Number(str(each["row"])), Number(str(each["eval_row"])), *rule, text])
    return Section(key, title, [Table(caption, columns, rows), *_rest(len(found))])


def _kin(value: Audited) -> Section:
    blocks: list[Block] = []
    for key, caption in zip(_KIN, ("Equal to an earlier row", "Nearly an earlier row"), strict=True):
        if found := value[key]:
            columns = [
                Column("row", "number"),
                Column("earlier row", "number"),
                Column("similarity", "number"),
            ]
            rows = [
                [Number(str(each["row"])), Number(str(each["twin"])), Number(f"{each['score']:.2f}")]
                for each in found[:MOST_ROWS]
            ]
            blocks += [Table(caption, columns, rows), *_rest(len(found))]
    return Section("duplicates", "Duplicates", blocks or [Paragraph("None.")])


def _filters(value: Audited) -> Section:
    rows: list[Sequence[Cell]] = []
    for name, counts in value["filters"].items():
        for reason, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            rows.append(
                [Text(name), Text(reason), Number(f"{n:,}"), Bar(percent(n, value["rows"]), 100, "bad")]
            )
        if not counts:
            rows.append([Text(name), Text("nothing"), Number("0"), Bar(0)])
    columns = [Column("filter"), Column("reason"), Column("rows", "number"), Column("", "figure")]
    blocks: list[Block] = [Table("What each filter found, of all rows", columns, rows)]
    examples: list[Sequence[Cell]] = [
        [
            Text(name),
            Number(str(each["row"])),
            Text(each["reason"] if not each["keep"] else f"{each['reason']} (flag)"),
            Text(_evidence(each)),
        ]
        for name, found in value["examples"].items()
        if name not in _KIN
        for each in found
        if "reason" in each
    ]
    if examples:
        columns = [Column("filter"), Column("row", "number"), Column("reason"), Column("evidence")]
        blocks.append(Table("The first rows of each reason", columns, examples))
    if value["not_run"]:
        blocks.append(Bullets([f"{name} did not look: {why}" for name, why in value["not_run"].items()]))
    return Section("filters", "Filters", blocks)


def _evidence(found: Mapping[str, Any]) -> str:
    return (
        _cut(orjson.dumps(found["evidence"], default=str).decode("utf-8", "replace"))
        if found["evidence"]
        else ""
    )


def _rest(found: int) -> list[Block]:
    if found <= MOST_ROWS:
        return []
    return [Paragraph(f"And {found - MOST_ROWS:,} more; seedbed audit --json lists all.", "note")]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"
