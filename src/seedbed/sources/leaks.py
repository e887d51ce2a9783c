"""Before the first request: does anything that a teacher will see hold eval text?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from seedbed.core.errors import ContaminationError
from seedbed.core.protocols import EvalHit, EvalLock
from seedbed.sources.ignore_after import Suggestion
from seedbed.text.normalise import normalise, units

Kind = Literal["seed", "example", "slot", "template", "passage"]

FEWEST_WORDS = 3
_MOST_ROWS_NAMED = 10


@dataclass(frozen=True, slots=True)
class Leak:
    """Text number `row` (from 0) of the `of` texts of this kind and name meets an eval row."""

    kind: Kind
    name: str
    row: int
    rule: str
    eval_row: int
    score: float
    of: int


def check_before_run(lock: EvalLock, items: Iterable[tuple[Kind, str, str]]) -> list[Leak]:
    """Check seeds, few-shot examples, slot values, templates and passages, given as (kind, name, text).

    Any equality of a seed or example is a leak. A slot value or template of fewer than 3 words (or
    characters of a script without spaces) never is: "refund" may well be an eval row as a whole. A
    template also leaks an eval row that it contains or shares a long run with, a passage of a document one
    that it contains: what people ask may quote a document. A canary is a leak anywhere.
    """
    known = list(items)
    of = Counter((kind, name) for kind, name, _ in known)
    place: Counter[tuple[Kind, str]] = Counter()
    leaks: list[Leak] = []
    for (kind, name, text), hits in zip(known, lock.check([text for *_, text in known]), strict=True):
        row = place[kind, name]
        place[kind, name] += 1
        for hit in hits:
            if _counts(kind, text, hit):
                leaks.append(Leak(kind, name, row, hit.rule, hit.row, hit.score, of[kind, name]))
                break
    return leaks


def _counts(kind: Kind, text: str, hit: EvalHit) -> bool:
    if kind in ("seed", "example") or hit.rule == "canary":
        return hit.is_leak
    if len(units(normalise(text))) < FEWEST_WORDS:
        return False
    # A `contained` below 1 is the other way round: the template's few words stand in a longer eval row.
    holds_row = hit.rule == "contained" and hit.score >= 1.0
    match kind:
        case "template":
            return hit.rule in ("equal", "run") or holds_row
        case "passage":
            return hit.rule == "equal" or holds_row
        case _:
            return hit.rule == "equal"


def leak_error(
    leaks: Sequence[Leak],
    *,
    eval_path: str,
    files: Mapping[str, str] | None = None,
    suggestion: Suggestion | None = None,
) -> ContaminationError:
    """The refusal: every source, axis, template and document that leaks, and how to mend it.

    `files` gives the data file of a source by its name. Rows are counted from 0, as an audit counts
    them. A `suggestion` that finds more is told too.
    """
    by_name: defaultdict[tuple[Kind, str], list[Leak]] = defaultdict(list)
    for leak in leaks:
        by_name[leak.kind, leak.name].append(leak)
    lines = [_sentence(found, eval_path, files or {}) for found in by_name.values()]
    if suggestion is not None:
        lines.append(suggestion_text(suggestion))
    return ContaminationError("\n".join(lines))


def suggestion_text(suggestion: Suggestion) -> str:
    """Tells of a marker that shows more leaks, with the line to paste."""
    return (
        f"with `ignore_after: {_quoted(suggestion.marker)}` on the eval source, {suggestion.leaks} seeds "
        f"instead of {suggestion.leaks_now} equal an eval row up to that marker; add the key if what "
        "follows it is not the question"
    )


def _sentence(leaks: Sequence[Leak], eval_path: str, files: Mapping[str, str]) -> str:
    name, count = leaks[0].name, f"{len(leaks)} of {leaks[0].of}"
    match leaks[0].kind:
        case "seed" | "example" as kind:
            what = "rows" if kind == "seed" else "few-shot examples"
            audit = f"seedbed audit {files.get(name, 'FILE')} --against {eval_path} --drop OUT"
            return (
                f"{count} {what} of source {name!r} equal a locked eval row: "
                f"{name} {_places(leaks, 'row')}; remove them with `{audit}`"
            )
        case "slot":
            places = _places(leaks, "value")
            return f"{count} values of axis {name!r} equal a locked eval row: {places}; take them out"
        case "template" | "passage" as kind:
            eval_rows = ", ".join(str(row) for row in dict.fromkeys(leak.eval_row for leak in leaks))
            what = kind if kind == "template" else "document"
            return f"{what} {name!r} holds the text of eval row {eval_rows}; take it out of the {what}"


def _places(leaks: Sequence[Leak], noun: str) -> str:
    named = [f"{noun} {leak.row} (eval row {leak.eval_row})" for leak in leaks[:_MOST_ROWS_NAMED]]
    rest = len(leaks) - len(named)
    return ", ".join(named) + (f" and {rest} more" if rest else "")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
