"""The self-test of a rehearsal as a section of the report: what each filter caught and wrongly dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.publish.text_layout import bullet, heading, paragraph, printable, table


def self_test_section(result: Mapping[str, Any]) -> str:
    """The table of filters, then the grades of faults that got through."""
    rows = [_row(entry) for entry in result["filters"]]
    dropped = sum(result["dropped_clean"].values())
    flagged = sum(result["flagged_clean"].values())
    clean = f"Of {result['clean']:,} clean drafts the filters dropped {dropped:,}"
    clean += f" ({_counted(result['dropped_clean'])})" if dropped else ""
    clean += f" and flagged {flagged:,}" if flagged else ""
    lines = [
        heading("Self-test of the filters on planted faults"),
        table(["filter", "planted", "caught", "share", "95 % interval", "clean dropped"], rows),
        paragraph(
            "planted: faults that are there for the filter and came before it. caught: rejected by the "
            "filter itself, or flagged."
        ),
        paragraph(f"{clean}."),
        *(bullet(line) for line in _got_through(result["filters"])),
    ]
    return "\n".join(lines)


def _row(entry: Mapping[str, Any]) -> list[str]:
    clean = f"{entry['dropped_clean']:,} of {entry['clean']:,}" if entry["clean"] else "–"
    if not entry["planted"]:
        return [entry["filter"], "0", "–", "–", "–", clean]
    return [
        entry["filter"],
        f"{entry['planted']:,}",
        f"{entry['caught']:,}",
        f"{100 * entry['catch_rate']:.0f} %",
        f"{100 * entry['low']:.0f} – {100 * entry['high']:.0f} %",
        clean,
    ]


def _got_through(filters: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each filter with a miss, the grades of its faults that were missed, and its flags."""
    lines = []
    for entry in filters:
        missed = [
            f"{grade} {counts['planted'] - counts['caught']:,} of {counts['planted']:,}"
            for grade, counts in entry["grades"].items()
            if counts["caught"] < counts["planted"]
        ]
        said = [f"missed {'; '.join(missed)}"] if missed else []
        if entry["flagged"]:
            said.append(f"of what it caught, {entry['flagged']:,} flagged and kept")
        if entry["dropped_before"]:
            said.append(f"{entry['dropped_before']:,} more fell to another filter before")
        if said:
            lines.append(printable(f"{entry['filter']}: {'. '.join(said)}."))
    return lines


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{name} {n:,}" for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
