"""What a notebook shows of a run, a preview or an audit: small tables, escaped, no style sheet, no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

MOST_ROWS = 20
_CELL = "text-align:left;vertical-align:top;white-space:pre-wrap;max-width:40em;overflow-wrap:anywhere"
_REHEARSAL = "Rehearsal: these replies are made up. They are not training data."


def run_html(summary: Mapping[str, Any]) -> str:
    """A run in a few rows, from its summary."""
    accounts = summary["accounts"]
    drafts, calls = accounts["drafts"], summary["calls"]
    rows = [
        ("accepted", f"{drafts['accepted']:,} of {accounts['target']:,}"),
        ("stopped", accounts["stopped"] or ("at work" if summary["at_work"] else "not finished")),
        ("rejected", _counts(drafts["rejected"])),
        ("failed", _counts(drafts["failed"])),
    ]
    if calls is not None:
        tokens = f"{calls['prompt_tokens']:,} prompt and {calls['completion_tokens']:,} completion tokens"
        rows.append(("requests", f"{calls['requests']:,}; {tokens}"))
    rows.append(("folder", summary["run"]))
    stamp = _REHEARSAL if summary["rehearsal"] else ""
    return _block(f"Run {summary['recipe']}", stamp, _table((), rows))


def preview_html(value: Mapping[str, Any]) -> str:
    """Prompt, reply and verdicts of each cell, then what they come to."""
    rows = []
    for cell in value["cells"][:MOST_ROWS]:
        asked = [question for question in cell["questions"] if question["role"] == "teacher"]
        prompt = "\n".join(message["content"] for question in asked for message in question["prompt"])
        reply = "\n".join(reply["text"] for question in asked for reply in question["replies"])
        said = [
            f"{verdict['filter']}: {'keep' if verdict['keep'] else verdict['reason']}"
            for draft in cell["drafts"]
            for verdict in draft["verdicts"]
        ]
        rows.append((prompt, reply or f"no answer: {cell['failed']}", "\n".join(said)))
    share = value["yield"]
    told = (
        f"{value['good']} of {value['drafts']} drafts good (95 %: {share['low']:.0%} to {share['high']:.0%})"
    )
    more = len(value["cells"]) - len(rows)
    if more > 0:
        told += f"; {more} further cells not shown"
    stamp = _REHEARSAL if value["rehearsal"] else ""
    table = _table(("prompt", "reply", "verdicts"), rows)
    return _block(f"Preview of {value['recipe']}", stamp, f"<p>{escape(told)}</p>{table}")


def audit_html(value: Mapping[str, Any]) -> str:
    """An audit's counts, and its first leaks."""
    rows = [
        ("rows", f"{value['rows']:,}, text column {value['text_column']}"),
        ("leaks", f"{len(value['leaks']):,} (of {value['eval_rows_leaked']:,} eval rows)"),
        ("near matches", f"{len(value['near']):,}"),
        ("duplicates", f"{len(value['duplicates']):,}"),
        ("near duplicates", f"{len(value['near_duplicates']):,}"),
        *((name, _counts(counts)) for name, counts in value["filters"].items()),
    ]
    leaks = [(leak["row"], leak["eval_row"], leak["text"]) for leak in value["leaks"][:MOST_ROWS]]
    listed = _table(("row", "eval row", "text"), leaks) if leaks else ""
    return _block("Audit", "", _table((), rows) + listed)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def _block(title: str, stamp: str, body: str) -> str:
    stamped = f"<p><b>{escape(stamp)}</b></p>" if stamp else ""
    return f"<div><p><b>{escape(title)}</b></p>{stamped}{body}</div>"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(str(cell))}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"
