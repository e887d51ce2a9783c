"""The process that splits a source: `python -m seedbed.sources.split_process`.

It alone opens a file that holds eval rows beside train rows. It answers with paths and counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from seedbed.core.errors import SourceError
from seedbed.core.hashing import digest
from seedbed.sources.grouping import HeldOut, Shares, Side, group_rows, split_groups
from seedbed.sources.marks import CANARY_COLUMN, canary_of, row_canary
from seedbed.sources.readers import Row, read_rows
from seedbed.sources.sealed import answer_with, read_request
from seedbed.sources.source_hash import source_hash
from seedbed.sources.spec import SourceSpec, compared_text, cut
from seedbed.store.atomic import file_hash, read_json, write_bytes, write_json

MANIFEST = "split.json"
_LAYOUT = 2
_HELD_OUT: tuple[HeldOut, ...] = ("dev", "eval")


def split(
    spec: SourceSpec, shares: Shares, seed: int, out_dir: Path, may_be_empty: Collection[str]
) -> dict[str, Any]:
    """Write the sides with a share and the manifest, or find those of the same request again."""
    sides: list[Side] = ["train", *(side for side in _HELD_OUT if shares.get(side, 0.0) > 0)]
    request = {"source": spec.to_json(), "shares": dict(shares), "seed": seed, "layout": _LAYOUT}
    redaction = spec.redaction.fingerprint() if spec.redaction else None
    key = digest("split", {**request, "content": source_hash(spec), "redaction": redaction}).hex()
    out_dir.mkdir(parents=True, exist_ok=True)
    manifest = out_dir / MANIFEST
    written = read_json(manifest) if manifest.exists() else {}
    if written.get("key") != key or not _is_whole(out_dir, written):
        redacted: Counter[str] = Counter()
        rows = list(
            read_rows(spec, text_columns=spec.compared_columns, may_be_empty=may_be_empty, redacted=redacted)
        )
        groups, side_of = _sides(spec, rows, shares, seed)
        by_side = {side: [row for row in rows if side_of[row.key] == side] for side in sides}
        _refuse_empty(spec, by_side, groups)
        written = {"key": key, "groups": groups, "redacted": redacted, **_write(by_side, out_dir)}
        write_json(manifest, written)
    files = {side: str(out_dir / f"{side}.jsonl") for side in sides}
    return {"files": files, "counts": written["counts"], "redacted": written["redacted"]}


def _is_whole(out_dir: Path, written: Mapping[str, Any]) -> bool:
    """Whether every file is there. Raises SourceError where one was changed: an edit must not be lost."""
    whole = True
    for name, known in written["files"].items():
        path = out_dir / name
        if not path.exists():
            whole = False
        elif file_hash(path) != known:
            raise SourceError(
                f"{path}: changed since the split wrote it; change the source itself and delete this file"
            )
    return whole


def _sides(
    spec: SourceSpec, rows: Sequence[Row], shares: Shares, seed: int
) -> tuple[int, Mapping[str, Side]]:
    """How many groups the rows fall into, and the side of each row key."""
    texts = [cut(compared_text(row.meant, spec.compared_columns), spec.ignore_after) for row in rows]
    labels = [_group_label(row.values[spec.group]) if spec.group else None for row in rows]
    groups = group_rows(texts, labels)
    return len(groups), split_groups([[rows[at].key for at in group] for group in groups], shares, seed)


def _refuse_empty(spec: SourceSpec, by_side: Mapping[Side, Sequence[Row]], groups: int) -> None:
    for side, its_rows in by_side.items():
        if not its_rows:
            raise SourceError(
                f"{spec.path}: the split leaves no row for {side}: {sum(map(len, by_side.values()))} rows "
                f"fall into {groups} groups of near-duplicates; "
                "add rows, change the shares or try another seed"
            )


def _write(by_side: Mapping[Side, Sequence[Row]], out_dir: Path) -> dict[str, Any]:
    """Write a file for each side. Returns what the manifest says of them."""
    hashes = {}
    for side, rows in by_side.items():
        path = out_dir / f"{side}.jsonl"
        write_bytes(path, _eval_lines(rows) if side == "eval" else _lines(rows))
        hashes[path.name] = file_hash(path)
    return {"files": hashes, "counts": {side: len(rows) for side, rows in by_side.items()}}


def _group_label(value: object) -> str | None:
    """Equal values of a `group` column mean one group; an empty or missing one means none."""
    return None if value is None or value == "" else f"{type(value).__name__}:{value}"


def _lines(rows: Sequence[Row]) -> bytes:
    return b"".join(orjson.dumps(row.values) + b"\n" for row in rows)


def _eval_lines(rows: Sequence[Row]) -> bytes:
    canary = canary_of(row.key for row in rows)
    return b"".join(
        orjson.dumps({**row.values, CANARY_COLUMN: row_canary(canary, at)}) + b"\n"
        for at, row in enumerate(rows)
    )


def main() -> None:
    wanted = read_request()
    spec, out_dir = SourceSpec.from_json(wanted["spec"]), Path(wanted["out_dir"])
    answer_with(lambda: split(spec, wanted["shares"], wanted["seed"], out_dir, wanted["may_be_empty"]))


if __name__ == "__main__":
    main()
