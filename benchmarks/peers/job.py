"""What every tool here is told: where to ask, how many rows, how many requests at once, and the prompts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

URL = os.environ["SEEDBED_BENCH_URL"]
ROWS = int(os.environ["SEEDBED_BENCH_ROWS"])
CONCURRENCY = int(os.environ["SEEDBED_BENCH_CONCURRENCY"])
MODEL = "fake"
KEY = "none"

OUT = Path("rows.jsonl")


def prompts() -> list[str]:
    """All distinct, and as long as those of the bare loop."""
    return [f"Write one short text for a support team. Variation {at}. " + "x" * 600 for at in range(ROWS)]


def write(texts: Iterable[object]) -> None:
    """For tools that have no exporter of their own."""
    with OUT.open("w") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")
