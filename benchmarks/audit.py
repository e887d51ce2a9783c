"""Does the memory of an audit grow with the file? `python -m benchmarks.audit [ROWS …]`: a JSON line a size.

Short rows of made-up words, one in ten of them an earlier one with another word. `peak_mb` is the peak
proportional memory (PSS) of the whole process tree, looked at every 50 ms; MB are 2**20 bytes. Linux only.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.memory import memory_mb

ROWS = (100_000, 1_000_000)
WORDS = 20_000


def write_rows(path: Path, rows: int) -> None:
    rng = random.Random(0)
    words = ["".join(rng.choices("etaoinshrdlucmfwy", k=rng.randint(2, 9))) for _ in range(WORDS)]
    earlier: list[list[str]] = []
    with path.open("w", encoding="utf-8") as file:
        for _ in range(rows):
            text = rng.choices(words, k=rng.randint(8, 14))
            if earlier and rng.random() < 0.1:
                text = [*rng.choice(earlier)[:-1], rng.choice(words)]
            elif len(earlier) < 1_000:
                earlier.append(text)
            file.write(json.dumps({"text": " ".join(text)}) + "\n")


def measure(rows: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="seedbed-audit-") as folder:
        path = Path(folder) / "rows.jsonl"
        write_rows(path, rows)
        began, peak = time.monotonic(), 0.0
        # Into a file: what it prints is more than a pipe holds, and nobody reads while it is measured.
        with tempfile.TemporaryFile() as printed:
            command = [sys.executable, "-m", "seedbed.cli", "audit", str(path), "--filter", "pii", "--json"]
            with subprocess.Popen(command, stdout=printed) as process:
                while process.poll() is None:
                    peak = max(peak, memory_mb(process.pid))
                    time.sleep(0.05)
            printed.seek(0)
            value = json.loads(printed.read())
    return {
        "rows": value["rows"],
        "near_duplicates": len(value["near_duplicates"]),
        "peak_mb": round(peak, 1),
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> None:
    for rows in [int(argument) for argument in sys.argv[1:]] or ROWS:
        print(json.dumps(measure(rows)), flush=True)


if __name__ == "__main__":
    main()
