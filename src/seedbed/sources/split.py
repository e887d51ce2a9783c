"""Ask a process of its own to split a source, so that this one never opens a file with eval rows in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seedbed.core.child_process import end_child
from seedbed.core.errors import SourceError
from seedbed.sources.grouping import Shares, Side
from seedbed.sources.sealed import answer_of, start_sealed
from seedbed.sources.spec import SourceSpec


@dataclass(frozen=True, slots=True)
class SplitFiles:
    """Where the sides of a split lie; None for a side without a share.

    `counts` are rows by side, `redacted` what was replaced in all of them by kind. `eval_path` is a name to
    hand on: only the eval lock and the evaluator open it.
    """

    train: Path
    dev: Path | None
    eval_path: Path | None
    counts: Mapping[Side, int]
    redacted: Mapping[str, int]

    def source(self, spec: SourceSpec, side: Side) -> SourceSpec:
        """The source that was split, as that side's file. Row keys are those of the whole source.

        Its rows are redacted already.
        """
        path = {"train": self.train, "dev": self.dev, "eval": self.eval_path}[side]
        if path is None:
            raise ValueError(f"the split has no {side} side")
        return replace(spec, path=path, format="jsonl", redaction=None)


def split_source(
    spec: SourceSpec, shares: Shares, seed: int, out_dir: Path, *, may_be_empty: Sequence[str] = ()
) -> SplitFiles:
    """Split a source by groups of near-duplicates into JSONL files under `out_dir`.

    `spec.compare` names the text by which rows are near, `may_be_empty` the columns or task fields
    where it may be no more than white space. Where the source and the request are those
    of an earlier call, its files are used again. Raises SourceError for unreadable rows, a side
    without a row, and a file of the split that was changed since it was written.
    """
    if min(shares.values(), default=0.0) < 0 or sum(shares.values()) >= 1:
        stated = ", ".join(f"{side} {share}" for side, share in shares.items())
        raise SourceError(
            f"source {spec.name!r}: the shares of its split, {stated}, leave nothing to train on; "
            "each must be 0 or more and their sum below 1"
        )
    if not spec.compare:
        raise SourceError(f"source {spec.name!r}: a split needs `compare`, the text by which rows are near")
    request = {
        "spec": spec.to_json(),
        "shares": dict(shares),
        "seed": seed,
        "out_dir": str(out_dir),
        "may_be_empty": [spec.column(name) for name in may_be_empty],
    }
    process = start_sealed("seedbed.sources.split_process", request)
    try:
        answer = answer_of(process, spec.path)
    finally:
        end_child(process)
    files = {side: Path(path) for side, path in answer["files"].items()}
    return SplitFiles(
        files["train"], files.get("dev"), files.get("eval"), answer["counts"], answer["redacted"]
    )
