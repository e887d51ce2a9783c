"""The locked eval set in memory: what the eval lock's process knows and what it will say of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from seedbed.core.errors import EvalLockError, Problem
from seedbed.core.protocols import EvalHit
from seedbed.sources.ignore_after import Suggestion, suggest_marker
from seedbed.sources.marks import CANARY_COLUMN, find_canary, own_mark, text_hash
from seedbed.sources.readers import Row, longest_text_column, read_rows
from seedbed.sources.source_hash import source_hash
from seedbed.sources.spec import SourceSpec, compared_text, cut
from seedbed.text.overlap import EvalIndex


class LockedSet:
    """An eval set, opened once. Every answer is a count, a row number or a rule: never text."""

    def __init__(
        self,
        spec: SourceSpec,
        needs: Sequence[str] = (),
        may_be_empty: Collection[str] = (),
        decoys: Sequence[str] = (),
    ) -> None:
        """Read the set. `needs` are further columns that must hold text in every row (the label), and
        more than white space unless they are in `may_be_empty`.

        `decoys` are found like rows, and are none. Without `spec.compare` the column with the longest
        text is compared. Raises SourceError where the file cannot be read, EvalLockError where it is
        the program's own output.
        """
        self.sha256 = source_hash(spec)
        self.ignore_after = spec.ignore_after
        self.canary: str | None = None
        self._draft_rows: set[int] = set()
        columns = spec.compared_columns
        rows = self._real_rows(spec, list(dict.fromkeys([*columns, *needs])), may_be_empty)
        if columns:
            self._texts = [compared_text(row.meant, columns) for row in rows]
        else:
            columns, self._texts = _longest_texts(spec, [row.values for row in rows])
        self.compare = columns
        if spec.ignore_after is not None and not any(spec.ignore_after in text for text in self._texts):
            raise EvalLockError(
                f"{spec.path}: `ignore_after` names a marker that stands in none of the rows; "
                "write it as it stands in the text, or leave it out"
            )
        self._index = EvalIndex([cut(text, spec.ignore_after) for text in (*self._texts, *decoys)])
        self._by_hash: dict[bytes, list[int]] | None = None

    @property
    def rows(self) -> int:
        return len(self._texts)

    def _real_rows(
        self, spec: SourceSpec, text_columns: Sequence[str], may_be_empty: Collection[str]
    ) -> Iterator[Row]:
        """The rows, while looking for the canary that a split wrote and for marks of our own output."""
        for row in read_rows(spec, text_columns=text_columns, may_be_empty=may_be_empty):
            if mark := own_mark(row.values):
                raise EvalLockError(
                    [
                        Problem(
                            f"the program's own output cannot be an eval set: {mark}; "
                            "lock a file of real rows",
                            file=str(row.file or spec.path),
                            line=row.line,
                        )
                    ]
                )
            stated = row.values.get(CANARY_COLUMN)
            if self.canary is None and isinstance(stated, str) and (found := find_canary(stated)):
                self.canary = found[0]
            yield row

    def check(self, texts: Sequence[str]) -> list[list[EvalHit]]:
        """For each text its hits, strongest first, each text cut as the eval rows are."""
        found = self._index.check([cut(text, self.ignore_after) for text in texts])
        return [[*self._canary_hits(text), *hits] for text, hits in zip(texts, found, strict=True)]

    def _canary_hits(self, text: str) -> list[EvalHit]:
        if self.canary is None or self.canary not in text:
            return []
        found = find_canary(text[text.index(self.canary) :])
        row = found[1] if found else None
        return [EvalHit("canary", 1.0, row if row is not None and row < self.rows else 0)]

    def ignore_common(self, texts: Sequence[str]) -> None:
        """Phrases that are common in these train texts no longer count as near."""
        self._index.ignore_common(texts)

    def suggest_ignore_after(self, seeds: Sequence[str]) -> Suggestion | None:
        return suggest_marker(seeds, self._texts, self.ignore_after)

    def count_drafts(self, hashes: Sequence[bytes]) -> int:
        """How many rows equal a draft among these (`text_hash`) or among those of earlier calls."""
        if self._by_hash is None:
            self._by_hash = self._row_hashes()
        for known in hashes:
            self._draft_rows.update(self._by_hash.get(known, ()))
        return len(self._draft_rows)

    def _row_hashes(self) -> dict[bytes, list[int]]:
        """Rows by the hash of their compared text, whole and cut; empty texts are equal to none."""
        empty = text_hash("")
        found: dict[bytes, list[int]] = {}
        for row, text in enumerate(self._texts):
            for one in {text_hash(text), text_hash(cut(text, self.ignore_after))} - {empty}:
                found.setdefault(one, []).append(row)
        return found


def _longest_texts(spec: SourceSpec, rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[str]]:
    try:
        column = longest_text_column(rows)
    except ValueError as error:
        raise EvalLockError(f"{spec.path}: {error}; name the text to compare with `compare`") from None
    return (column,), [compared_text(row, (column,)) for row in rows]
