"""Weak slices in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.publish.text_layout import bullet, cut, heading, paragraph, table

_MOST = 10
_EXAMPLES = 3
_WIDEST_EXAMPLE = 200


def weaknesses_text(weaknesses: Sequence[Mapping[str, Any]], *, of: str = "") -> str:
    """`weaknesses` as `Weakness.to_json` has them, the surest first; `of` the arm that was learnt from."""
    title = heading("Where the student is weak" + (f" ({of})" if of else ""))
    if not weaknesses:
        return (
            title
            + "\n"
            + paragraph(
                "No slice of the dev rows has an error above the rest that chance would not give too."
            )
        )
    setting = paragraph(
        "Slices of the dev rows in which it errs more than in all others (a confusion: more than rows of "
        "third labels are told so), by Fisher's exact test corrected for all slices; in brackets the 95 % "
        "interval."
    )
    rows = [
        [
            each["name"],
            f"{each['errors']:,} of {each['rows']:,}",
            error_words(each),
            f"{100 * each['rest']:.0f} %",
            p_words(each),
        ]
        for each in weaknesses[:_MOST]
    ]
    parts = [setting, table(["slice", "errors", "error rate", "the rest", "p"], rows)]
    if len(weaknesses) > _MOST:
        parts.append(paragraph(f"and {len(weaknesses) - _MOST:,} more; --json has them all"))
    if any(each["examples"] for each in weaknesses):
        lines = [
            bullet(
                f"{each['name']}: “{cut(shown['text'], _WIDEST_EXAMPLE)}” is {cut(shown['answer'], 40)}, "
                f"told as {cut(shown['told'], 40)}"
            )
            for each in weaknesses[:_EXAMPLES]
            for shown in each["examples"][:1]
        ]
        parts.append("\n".join(lines))
    return title + "\n" + "\n\n".join(part for part in parts if part)


def error_words(each: Mapping[str, Any]) -> str:
    """`60 % [39 %, 78 %]`."""
    error = each["error"]
    return f"{100 * error['value']:.0f} % [{100 * error['low']:.0f} %, {100 * error['high']:.0f} %]"


def p_words(each: Mapping[str, Any]) -> str:
    return "<.001" if each["p"] < 0.001 else f"{each['p']:.3f}".lstrip("0")
