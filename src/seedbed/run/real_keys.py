"""Corpus keys of the real rows: what drafts are held against from the first round on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.core.hashing import short_id
from seedbed.run.filtering import FilterPool
from seedbed.store.shards import write_keys

if TYPE_CHECKING:
    from seedbed.run.session import Opened


async def real_keys(session: Opened, pool: FilterPool) -> list[Path]:
    """Corpus keys of the real rows, computed once for these rows and filters."""
    bound, filters = session.bound, pool.filters
    rows = [*bound.train, *bound.dev]
    if not rows or not filters.corpus:
        return []
    versions = [[f.name, f.version] for f in filters.corpus]
    signature = bound.signature()
    name = short_id("real keys", [versions, signature["real data"], signature["filters"]])
    path = session.folder.real / f"keys-{name}.parquet"
    if not path.is_file():
        for stale in session.folder.real.glob("keys-*.parquet"):
            stale.unlink()
        keys = [
            (filter_name, row.id, numbers)
            for row, found in zip(rows, await pool.keys(rows), strict=True)
            for filter_name, numbers in found.items()
        ]
        temporary = path.with_suffix(".tmp")
        await asyncio.to_thread(write_keys, temporary, keys)
        temporary.replace(path)
    return [path]
