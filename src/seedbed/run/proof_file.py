"""The proof as it lies on disk, for whoever only reads it: a report starts no student."""

from __future__ import annotations

from typing import Any

from seedbed.store.atomic import read_json
from seedbed.store.folder import RunFolder

VERSION = 2
"""Of what a proof on disk looks like."""


def read_proof(folder: RunFolder) -> dict[str, Any] | None:
    """What is there, of whichever version; None where nothing is."""
    if not folder.proof.is_file():
        return None
    value: dict[str, Any] = read_json(folder.proof)
    return value
