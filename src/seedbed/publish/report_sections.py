"""What a run did, as sections of the report's page: outcome, funnel, cost, coverage, rounds, eval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.core.errors import AccountsError
from seedbed.core.fate import Accounts
from seedbed.core.verdict import OVER_TARGET, TARGET_FILTER
from seedbed.publish.page_content import (
    Bar,
    Block,
    Bullets,
    Cell,
    Column,
    Commands,
    Number,
    Outcome,
    Pairs,
    Paragraph,
    Section,
    Table,
    Text,
    Tile,
    Tone,
    percent,
)
from seedbed.publish.report import ASKED_FOR, AT_WORK, REHEARSAL, WAY_ON, pair_words
from seedbed.publish.text_layout import largest_first, share

Summary = Mapping[str, Any]

PRICE_UNKNOWN = "price unknown"
_STOPPED_SHORT: Mapping[str | None, Tone] = {
    "target": "good",
    "budget": "open",
    "interrupted": "open",
    None: "open",
}
_TURNED_AWAY = "Good drafts that the target no longer needed; a higher one takes them first."


def outcome(summary: Summary, accounts: Accounts) -> Outcome:
    """The headline of a run, with its figures in one row."""
    drafts, cells = accounts.drafts, accounts.cells
    headline, way_on = AT_WORK if summary["at_work"] else WAY_ON[accounts.stopped]
    if summary["partial"]:
        way_on = f"{way_on} The last round is still open: its figures are a partial view.".strip()
    tone: Tone = "open" if summary["at_work"] else _STOPPED_SHORT.get(accounts.stopped, "bad")
    return Outcome(
        headline=headline,
        tone=tone,
        accepted=drafts.accepted,
        target=accounts.target,
        way_on=way_on,
        equations=[
            (
                f"{drafts.total:,} drafts",
                (
                    f"{drafts.accepted:,} accepted + {drafts.rejected.total():,} rejected "
                    f"+ {drafts.failed.total():,} failed + {drafts.pending:,} pending"
                ),
            ),
            (
                f"{cells.planned:,} cells",
                f"{cells.done:,} done + {cells.failed:,} failed + {cells.pending:,} pending",
            ),
        ],
        stamp=_stamp() if summary["rehearsal"] else "",
        tiles=_tiles(summary, accounts),
    )


def _stamp() -> str:
    """The stamp in words; its first one is the heading over it."""
    words = REHEARSAL.partition(": ")[2]
    return words[:1].upper() + words[1:]


def _tiles(summary: Summary, accounts: Accounts) -> list[Tile]:
    drafts = accounts.drafts
    judged = drafts.total - drafts.failed.total() - drafts.pending
    good = drafts.accepted + drafts.rejected[OVER_TARGET]
    tiles = [Tile(share(good, judged), "of the answers passed", f"{good:,} of {judged:,}")]
    cost = summary.get("cost")
    if cost:
        tiles.append(Tile(f"{cost['requests']:,}", "requests", _per(cost["requests"], drafts.accepted)))
        tokens = cost["prompt_tokens"] + cost["completion_tokens"]
        tiles.append(Tile(short_number(tokens), "tokens", _per(tokens, drafts.accepted)))
        money = cost.get("money")
        if money:
            per = money.get("per_accepted")
            note = "" if per is None else f"{amount(per, money)} per accepted record"
            tiles.append(Tile(amount(money["spent"], money), "spent", note))
        else:
            tiles.append(Tile("–", "spent", PRICE_UNKNOWN))
    return tiles


def _per(count: int, accepted: int) -> str:
    return f"{count / accepted:,.1f} per accepted record" if accepted else ""


def short_number(number: int) -> str:
    """Three or four digits with k or M: 208,259 is 208k."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= 10 * size:
            return f"{number / size:,.1f}{unit}" if number < 100 * size else f"{number / size:,.0f}{unit}"
    return f"{number:,}"


def amount(value: float, money: Mapping[str, Any]) -> str:
    """Money with its currency, small sums to four significant digits."""
    digits = f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.4g}"
    return f"{digits} {money['currency']}"


def funnel_section(summary: Summary, accounts: Accounts) -> Section:
    """From what was planned to what was accepted. Raises AccountsError where it does not end there."""
    funnel = summary.get("funnel")
    drafts = accounts.drafts
    blocks: list[Block] = []
    if funnel and drafts.total:
        if (funnel["steps"][-1]["left"] if funnel["steps"] else funnel["drafts"]) != drafts.accepted:
            raise AccountsError(f"the funnel does not end at {drafts.accepted} accepted: {funnel}")
        rows = [_step("drafts", drafts.total, drafts.total, "")]
        lost = [
            f"{count:,} {what}"
            for count, what in ((drafts.failed.total(), "failed"), (drafts.pending, "pending"))
            if count
        ]
        rows.append(_step("answered", funnel["drafts"], drafts.total, ", ".join(lost)))
        for step in funnel["steps"]:
            name = "accepted" if step["filter"] == TARGET_FILTER else step["filter"]
            reasons = ", ".join(f"{n:,} {reason}" for reason, n in largest_first(step["rejected"]))
            rows.append(_step(name, step["left"], drafts.total, reasons))
        if not funnel["steps"] or funnel["steps"][-1]["filter"] != TARGET_FILTER:
            rows.append(_step("accepted", drafts.accepted, drafts.total, ""))
        columns = [
            Column("after"), Column("drafts", "number"), Column("share", "number"), Column("", "figure"),
            Column("dropped here"),
        ]  # fmt: skip
        blocks.append(Table("Drafts left after each step", columns, rows))
        if drafts.rejected[OVER_TARGET]:
            blocks.append(Paragraph(f"{OVER_TARGET}: {_TURNED_AWAY}", "note"))
    flags: list[list[Cell]] = [
        [
            Text(entry["filter"]),
            Text(entry["reason"]),
            Text(pair_words(entry)),
            Number(f"{entry['drafts']:,}"),
        ]
        for entry in summary.get("flags") or ()
    ]
    if flags:
        columns = [Column("filter"), Column("flag"), Column(ASKED_FOR), Column("drafts", "number")]
        blocks.append(Table("Kept, and flagged for people to look at", columns, flags))
    return Section("funnel", "From drafts to records", blocks)


def _step(name: str, left: int, total: int, lost: str) -> list[Cell]:
    bar = Bar(percent(left, total))
    return [Text(name), Number(f"{left:,}"), Number(share(left, total)), bar, Text(lost)]


def reasons_section(summary: Summary, accounts: Accounts) -> Section:
    """Why drafts were rejected and cells failed, and how often each filter says no on its own."""
    drafts = accounts.drafts
    blocks: list[Block] = []
    if drafts.rejected:
        most = max(drafts.rejected.values())
        rows: list[list[Cell]] = [
            [
                Text(reason),
                Number(f"{n:,}"),
                Number(share(n, drafts.total)),
                Bar(percent(n, most), 0, "plain" if reason == OVER_TARGET else "bad"),
            ]
            for reason, n in largest_first(drafts.rejected)
        ]
        columns = [
            Column("reason"), Column("drafts", "number"), Column("share", "number"), Column("", "figure"),
        ]  # fmt: skip
        blocks.append(Table("Rejected drafts, each under its first reason", columns, rows))
    if drafts.failed:
        most = max(drafts.failed.values())
        failed: list[list[Cell]] = [
            [Text(cause), Number(f"{n:,}"), Bar(percent(n, most), 0, "bad")]
            for cause, n in largest_first(drafts.failed)
        ]
        columns = [Column("cause"), Column("cells", "number"), Column("", "figure")]
        blocks.append(Table("Cells that failed: no answer, whatever was tried", columns, failed))
    order = [step["filter"] for step in (summary.get("funnel") or {}).get("steps", ())]
    checks = [entry for entry in summary["filters"] if entry["filter"] != TARGET_FILTER]
    checks.sort(key=lambda entry: order.index(entry["filter"]) if entry["filter"] in order else len(order))
    if checks:
        checked: list[list[Cell]] = [
            [
                Text(entry["filter"]),
                Number(f"{entry['checked']:,}"),
                Number(f"{sum(entry['rejected'].values()):,}"),
                Text(", ".join(f"{reason} {n:,}" for reason, n in largest_first(entry["rejected"]))),
            ]
            for entry in checks
        ]
        columns = [
            Column("filter"), Column("checked", "number"), Column("rejected", "number"), Column("reasons"),
        ]  # fmt: skip
        caption = "Each filter on its own: a draft that two of them reject counts at both"
        blocks.append(Table(caption, columns, checked))
    return Section("reasons", "Why drafts were dropped", blocks)


def cost_section(summary: Summary, accounts: Accounts) -> Section:
    """Requests, tokens and money, in all and for each accepted record."""
    cost, calls = summary.get("cost"), summary["calls"]
    blocks: list[Block] = []
    if cost:
        accepted = accounts.drafts.accepted

        def row(name: str, total: str, each: str) -> list[Cell]:
            return [Text(name), Number(total), Number(each)]

        def each(count: float) -> str:
            return f"{count / accepted:,.1f}" if accepted else "–"

        rows = [row(name, f"{cost[key]:,}", each(cost[key])) for name, key in _USED]
        if (embedder := cost["embedder"])["requests"]:
            rows.append(row("of these, the embedder's requests", f"{embedder['requests']:,}", ""))
            rows.append(row("and the tokens that it read", f"{embedder['tokens']:,}", ""))
        money = cost.get("money")
        if money:
            per = money.get("per_accepted")
            rows.append(
                row("spent", amount(money["spent"], money), "–" if per is None else amount(per, money))
            )
            for key, name in _OTHER_MONEY:
                if money.get(key) is not None:
                    rows.append(row(name, amount(money[key], money), ""))
        else:
            rows.append(row("spent", PRICE_UNKNOWN, PRICE_UNKNOWN))
        columns = [Column(""), Column("in all", "number"), Column("per accepted record", "number")]
        blocks.append(Table("What the run used", columns, rows))
    if calls and calls["attempts"]:
        tried: list[list[Cell]] = [
            [Text(cause), Number(f"{n:,}")] for cause, n in largest_first(calls["attempts"])
        ]
        columns = [Column("cause"), Column("attempts", "number")]
        blocks.append(
            Table("Attempts that brought no answer; retries are among the requests", columns, tried)
        )
    return Section("cost", "Cost", blocks)


_USED = (
    ("requests", "requests"),
    ("prompt tokens", "prompt_tokens"),
    ("completion tokens", "completion_tokens"),
)
_OTHER_MONEY = (
    ("cached", "saved by what the reply log or a prefix cache already had"),
    ("replacement", "what it would cost to have every reply anew"),
)


def coverage_section(summary: Summary) -> Section:
    """Target, accepted and drafts for every value of every cover field."""
    blocks: list[Block] = []
    for name, values in summary["by_cover"].items():
        most = max((max(counts["target"], counts["accepted"]) for counts in values.values()), default=0)
        rows: list[list[Cell]] = [
            [
                Text(value),
                Number(f"{counts['accepted']:,}"),
                Number(f"{counts['target']:,}"),
                Bar(
                    percent(counts["accepted"], most),
                    percent(counts["target"], most),
                    "bad" if counts["accepted"] < counts["target"] else "good",
                ),
                Number(f"{counts['drafts']:,}"),
                Number(share(counts["accepted"], counts["drafts"])),
            ]
            for value, counts in values.items()
        ]
        short = sum(counts["accepted"] < counts["target"] for counts in values.values())
        met = f"{len(values) - short:,} of {len(values):,} values have all that was asked for"
        columns = [
            Column(name), Column("accepted", "number"), Column("target", "number"), Column("", "figure"),
            Column("drafts", "number"), Column("kept", "number"),
        ]  # fmt: skip
        blocks.append(Table(f"By {name}: {met}", columns, rows))
    return Section("coverage", "Coverage", blocks)


def rounds_section(summary: Summary) -> Section:
    """Yield by round, where there is more than one."""
    rounds = summary["rounds"]
    blocks: list[Block] = []
    if len(rounds) > 1:
        rows: list[list[Cell]] = [
            [
                Text(f"{entry['round']}", "open" if entry["partial"] else ""),
                Number(f"{entry['cells']:,}"),
                Number(f"{entry['accepted']:,}"),
                Number(f"{entry['over_target']:,}"),
                Number("–" if entry["yield"] is None else f"{100 * entry['yield']:.1f} %"),
                Bar(percent(entry["yield"] or 0, 1), 100 if entry["cells"] else 0),
            ]
            for entry in rounds
        ]
        columns = [
            Column("round"), Column("cells", "number"), Column("accepted", "number"),
            Column("over target", "number"), Column("yield", "number"), Column("", "figure"),
        ]  # fmt: skip
        legend = "Yield: accepted or over target, of the cells. A round without cells follows a new target."
        blocks += [Table("Rounds in the order they closed", columns, rows), Paragraph(legend, "note")]
    return Section("rounds", "Rounds", blocks)


def eval_section(summary: Summary) -> Section:
    """Which eval the run is bound to, and every opening of it."""
    lock = summary["eval"]
    if lock is None:
        return Section("eval", "Locked eval", ())
    until = f", up to {lock['ignore_after']!r}" if lock["ignore_after"] else ""
    pairs = [
        ("file", str(lock["path"])),
        ("rows", f"{lock['rows']:,}"),
        ("SHA-256", str(lock["sha256"])),
        ("compared with every draft", (", ".join(lock["compare"]) or "the text") + until),
    ]
    openings = lock["openings"]
    rows: list[list[Cell]] = [[Text(o["at"]), Text(o["purpose"]), Text(o["by"])] for o in openings]
    caption = "Opened once" if len(openings) == 1 else f"Opened {len(openings):,} times"
    table = Table(caption, [Column("at"), Column("purpose"), Column("by")], rows)
    purposes = (
        "“check” holds the eval's text in a process of its own that answers only with hits; “evaluate” "
        "scores all arms at once."
    )
    shown: list[Block] = [table, Paragraph(purposes, "note")] if rows else [Paragraph("Never opened.")]
    return Section("eval", "Locked eval", [Pairs(pairs), *shown])


def versions_section(summary: Summary) -> Section:
    """The versions of the recipe that the run folder grew through, where there were several."""
    versions = summary.get("versions") or ()
    if len(versions) < 2:
        return Section("versions", "Versions of the recipe", ())
    rows: list[list[Cell]] = [
        [
            Text(str(number)),
            Text(version["at"]),
            Text("; ".join(version.get("differences") or version["changed"]) or "the first"),
        ]
        for number, version in enumerate(versions, start=1)
    ]
    columns = [Column("version"), Column("since"), Column("what changed")]
    note = "The figures of this page are those of the last one; what is the same replays from the reply log."
    table = Table("Versions in the order they ran", columns, rows)
    return Section("versions", "Versions of the recipe", [table, Paragraph(note, "note")])


def notes_section(summary: Summary) -> Section:
    """What the run cannot show, so that silence is not taken for a good result."""
    notes = summary["notes"]
    return Section("notes", "Not shown by this run", [Bullets(notes)] if notes else ())


def next_section(summary: Summary, accounts: Accounts) -> Section:
    """Commands that go on from here."""
    run = summary["run"]
    commands = [f"seedbed show {run}", f"seedbed card {run}"]
    if accounts.drafts.accepted:
        stamp = " --allow-rehearsal" if summary["rehearsal"] else ""
        commands.append(f"seedbed export {run} --format jsonl{stamp}")
    return Section("next", "Next", [Commands(commands)])
