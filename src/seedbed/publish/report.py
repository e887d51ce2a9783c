"""The report of a run, as text for a terminal and as JSON, from a plain summary.

The summary is what the run room gathers: `run` (the folder), `recipe`, `task`, `rehearsal`,
`accounts` (as `core.fate.Accounts` writes them), `partial`, `calls`, `by_cover`, `filters`, `flags`,
`judged`, `rounds`, `versions`, `selftest`, `eval`, `measures` (None where the run was not measured),
`proof` (the result of `student.evaluate.score_arms`) and `notes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.core.fate import Accounts
from seedbed.core.verdict import OVER_TARGET
from seedbed.publish.cost_text import cost_section, licence_lines
from seedbed.publish.judgement_text import judged_lines
from seedbed.publish.measures_text import measures_section
from seedbed.publish.mix_text import mix_sections
from seedbed.publish.proof_text import proof_section
from seedbed.publish.self_test_text import self_test_section
from seedbed.publish.text_layout import (
    WIDTH,
    bullet,
    heading,
    largest_first,
    paragraph,
    printable,
    share,
    table,
)

Summary = Mapping[str, Any]

REHEARSAL = (
    "REHEARSAL: the rehearsal teacher made up these replies from the recipe's own examples. "
    "They test the pipeline. They are not training data."
)

WAY_ON: Mapping[str | None, tuple[str, str]] = {
    "target": ("Target met", ""),
    "budget": (
        "Stopped at the budget",
        "Run the same command with a larger budget to go on; nothing answered is asked again.",
    ),
    "variety": (
        "Stopped because variety or replies ran out",
        "Add axes, values, templates or real examples, or lower the target.",
    ),
    "interrupted": ("Interrupted", "Run the same command to go on; nothing answered is asked again."),
    "endpoint": (
        "Stopped because the endpoint could not be used",
        "Mend it and run the same command to go on; nothing answered is asked again.",
    ),
    "cells": (
        "Stopped short because cells failed",
        "The causes are listed below; mend them and run the same command.",
    ),
    None: ("Not finished", "Run the same command to go on; nothing answered is asked again."),
}
"""For each way that a run ends: the headline, and how to go on."""


MOST_FLAGS = 10

ASKED_FOR = "asked for → looks like"
"""What `pair_words` says of a flag."""

AT_WORK = ("At work", "A process works on this run now; these are its closed rounds.")


def render_text(summary: Summary) -> str:
    """The summary for people, 80 columns wide, without colour.

    Raises AccountsError where the accounts do not add up: a report never prints a wrong sum.
    """
    accounts = Accounts.from_json(summary["accounts"])
    accounts.check()
    sections = [
        _outcome(summary, accounts),
        _reasons(accounts),
        _filters(summary),
        _flags(summary),
        _judged(summary),
        _coverage(summary),
        measures_section(summary["measures"], rehearsal=summary["rehearsal"]) if summary["measures"] else "",
        _rounds(summary),
        _calls(summary),
        cost_section(summary),
        _licences(summary),
        _versions(summary),
        self_test_section(summary["selftest"]) if summary["selftest"] else "",
        *mix_sections(summary["mix"], rehearsal=summary["rehearsal"]),
        proof_section(summary["proof"], rehearsal=summary["rehearsal"]) if summary["proof"] else "",
        _eval(summary["eval"]),
        _notes(summary),
        _next(summary, accounts),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _outcome(summary: Summary, accounts: Accounts) -> str:
    title = printable(f"{summary['recipe']} · {summary['task']}")
    headline, way_on = AT_WORK if summary["at_work"] else WAY_ON[accounts.stopped]
    drafts, cells = accounts.drafts, accounts.cells
    lines = [
        title,
        "=" * min(len(title), WIDTH),
        paragraph(f"{headline}: {drafts.accepted:,} of {accounts.target:,} records accepted. {way_on}"),
    ]
    if summary["partial"]:
        lines.append(paragraph("The last round is still open: its figures are a partial view."))
    if summary["rehearsal"]:
        lines.insert(2, paragraph(REHEARSAL))
    of_drafts = (
        f"{drafts.total:,} = {drafts.accepted:,} accepted + {drafts.rejected.total():,} rejected "
        f"+ {drafts.failed.total():,} failed + {drafts.pending:,} pending"
    )
    of_cells = (
        f"{cells.planned:,} = {cells.done:,} done + {cells.failed:,} failed + {cells.pending:,} pending"
    )
    hanging = " " * len("drafts  ")
    lines += [
        "",
        paragraph(of_drafts, indent=hanging, first="drafts  "),
        paragraph(of_cells, indent=hanging, first="cells   "),
    ]
    return "\n".join(lines)


def _reasons(accounts: Accounts) -> str:
    drafts = accounts.drafts
    parts = []
    if drafts.rejected:
        rows = [[reason, f"{n:,}", share(n, drafts.total)] for reason, n in largest_first(drafts.rejected)]
        parts.append(heading("Why drafts were rejected") + "\n" + table(["reason", "drafts", "share"], rows))
        if drafts.rejected[OVER_TARGET]:
            parts[-1] += "\n" + paragraph(f"{OVER_TARGET}: good drafts that a higher target would take.")
    if drafts.failed:
        rows = [[cause, f"{n:,}"] for cause, n in largest_first(drafts.failed)]
        parts.append(heading("Why cells failed") + "\n" + table(["cause", "cells"], rows))
    return "\n\n".join(parts)


def _filters(summary: Summary) -> str:
    if not summary["filters"]:
        return ""
    rows = []
    for entry in summary["filters"]:
        rejected = entry["rejected"]
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in largest_first(rejected))
        rows.append([entry["filter"], f"{entry['checked']:,}", f"{sum(rejected.values()):,}", reasons])
    return heading("Filters") + "\n" + table(["filter", "checked", "rejected", ""], rows)


def _flags(summary: Summary) -> str:
    """What filters found worth a look and kept; of the pairs of labels the most frequent."""
    flags = summary["flags"]
    if not flags:
        return ""
    rows = [
        [
            pair_words(entry) or entry["reason"],
            f"{entry['drafts']:,}",
            entry["filter"],
        ]
        for entry in flags[:MOST_FLAGS]
    ]
    reasons = ", ".join(dict.fromkeys(entry["reason"] for entry in flags))
    rest = sum(entry["drafts"] for entry in flags[MOST_FLAGS:])
    lines = [
        heading("Flagged and kept"),
        table([ASKED_FOR, "drafts", ""], rows),
        paragraph(
            (f"And {rest:,} more. " if rest else "") + f"List them with `seedbed show --reason`: {reasons}."
        ),
    ]
    return "\n".join(lines)


def pair_words(flag: Mapping[str, Any]) -> str:
    """Which label was asked for and which the draft looks like; "" of a flag that is not about labels."""
    return f"{flag['given']} → {flag['predicted']}" if flag.get("predicted") else ""


def _judged(summary: Summary) -> str:
    """What model filters said: an opinion, so it stands apart from what rules found."""
    parts = [
        "\n".join(paragraph(line, indent="  ", first="") for line in judged_lines(entry))
        for entry in summary["judged"]
    ]
    return "\n".join([heading("Judged by a model"), *parts]) if parts else ""


def _coverage(summary: Summary) -> str:
    parts = []
    for name, values in summary["by_cover"].items():
        rows = [
            [
                value,
                f"{counts['target']:,}",
                f"{counts['accepted']:,}",
                f"{counts['drafts']:,}",
                share(counts["accepted"], counts["drafts"]),
                "short" if counts["accepted"] < counts["target"] else "",
            ]
            for value, counts in values.items()
        ]
        header = ["value", "target", "accepted", "drafts", "kept", ""]
        parts.append(heading(f"Coverage of {printable(name)}") + "\n" + table(header, rows))
    return "\n\n".join(parts)


def _rounds(summary: Summary) -> str:
    """Only where there is more than one: a single round is the run itself."""
    if len(summary["rounds"]) < 2:
        return ""
    rows = [
        [
            entry["round"],
            f"{entry['cells']:,}",
            f"{entry['accepted']:,}",
            f"{entry['over_target']:,}",
            "–" if entry["yield"] is None else f"{100 * entry['yield']:.1f} %",
        ]
        for entry in summary["rounds"]
    ]
    columns = ["round", "cells", "accepted", "over target", "yield"]
    legend = "yield: accepted or over target, of the cells. A round without cells follows a new target."
    return "\n".join([heading("Rounds"), table(columns, rows, left=0), paragraph(legend)])


def _calls(summary: Summary) -> str:
    calls = summary["calls"]
    if calls is None:
        return ""
    lines = [
        f"{calls['requests']:,} requests brought {calls['answers']:,} answers",
        f"{calls['prompt_tokens']:,} prompt tokens, {calls['completion_tokens']:,} completion tokens",
    ]
    if calls.get("forgotten"):
        lines.append(f"of what was answered, {calls['forgotten']:,} forgotten, to be asked for again")
    if calls["attempts"]:
        causes = ", ".join(f"{cause} {n:,}" for cause, n in largest_first(calls["attempts"]))
        lines.append(f"attempts without an answer: {causes}")
    return "\n".join([heading("Calls"), *(paragraph(line, indent="  ", first="") for line in lines)])


def _licences(summary: Summary) -> str:
    lines = licence_lines(summary.get("licences", ()))
    return (
        "\n".join([heading("Licences"), *(paragraph(line, indent="  ", first="") for line in lines)])
        if lines
        else ""
    )


def _versions(summary: Summary) -> str:
    """Only where there is more than one: a single version is the recipe itself."""
    versions = summary.get("versions", ())
    if len(versions) < 2:
        return ""
    lines = [heading("Versions of the recipe")]
    for entry in versions:
        changed = ", ".join(entry["changed"])
        what = f"{changed} changed" if changed else "begun"
        lines.append(printable(f"{entry['version']}  {entry['at']}  {what}"))
        lines += [bullet(printable(line)) for line in entry.get("differences", ())]
    return "\n".join(lines)


def _eval(lock: Mapping[str, Any] | None) -> str:
    if lock is None:
        return ""
    compared = ", ".join(lock["compare"]) or "the text"
    until = f", up to {lock['ignore_after']!r}" if lock["ignore_after"] else ""
    lines = [
        heading("Locked eval"),
        printable(lock["path"]),
        f"{lock['rows']:,} rows, sha256 {lock['sha256'][:16]}…",
        paragraph(f"compared with every draft: {compared}{until}", indent="  ", first=""),
        _openings(len(lock["openings"])),
    ]
    lines += [
        bullet(f"{opening['at']}  {opening['purpose']}  by {opening['by']}") for opening in lock["openings"]
    ]
    return "\n".join(lines)


def _openings(count: int) -> str:
    if not count:
        return "never opened"
    return "opened once:" if count == 1 else f"opened {count:,} times:"


def _notes(summary: Summary) -> str:
    if not summary["notes"]:
        return ""
    return "\n".join([heading("Not shown by this run"), *(bullet(note) for note in summary["notes"])])


def _next(summary: Summary, accounts: Accounts) -> str:
    run = printable(summary["run"])
    commands = [f"seedbed show {run}"]
    if accounts.drafts.accepted:
        stamp = " --allow-rehearsal" if summary["rehearsal"] else ""
        commands.append(f"seedbed export {run} --format jsonl{stamp}")
    # Commands are never wrapped, however long the path: they are there to be copied.
    return "\n".join([heading("Next"), f"folder  {run}", *(f"  {command}" for command in commands)])
