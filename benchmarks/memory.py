"""Does memory grow with a run? `python -m benchmarks.memory [--plain] [CELLS …]` prints one JSON line a size.

The starter recipe with the rehearsal teacher and all default filters, stopped by `--max-requests`
after so many cells; with `--plain` the recipe and the endpoint of `benchmarks.throughput`, which are faster.
`peak_mb` is the peak proportional memory (PSS) of the whole process tree, looked at every 50 ms; MB are
2**20 bytes. Linux only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.endpoint import serving
from benchmarks.throughput import CASES, plain_run

CELLS = (2_000, 20_000)


def tree(root: int) -> list[int]:
    """The process and all below it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue  # it ended while we looked
            children.setdefault(parent, []).append(int(folder.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def memory_mb(root: int) -> float:
    """Proportional memory of the tree: pages that processes share count once."""
    kilobytes = 0
    for process in tree(root):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it ended while we looked
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


def measure(cells: int) -> dict[str, float]:
    """Run so many cells; returns what it took."""
    with tempfile.TemporaryDirectory(prefix="seedbed-memory-") as folder:
        seedbed = [sys.executable, "-m", "seedbed.cli"]
        subprocess.run([*seedbed, "init", folder], check=True, stderr=subprocess.DEVNULL)
        arguments = ["--target", str(cells), "--max-requests", str(cells), "--json"]
        return watched([*seedbed, "run", folder, "--set", "student=null", "--set", "mix=null", *arguments])


def measure_plain(cells: int) -> dict[str, float]:
    """The same by the recipe of `benchmarks.throughput`, at whose endpoint nothing fails."""
    with serving(0) as endpoint, tempfile.TemporaryDirectory(prefix="seedbed-memory-") as folder:
        return watched(plain_run(endpoint, replace(CASES["cpu"], rows=cells), Path(folder)))


def watched(command: list[str]) -> dict[str, float]:
    """Run the command, which prints a run's summary as JSON."""
    began, peak = time.monotonic(), 0.0
    # Into a file: what it prints is more than a pipe holds, and nobody reads while it is measured.
    with tempfile.TemporaryFile() as printed:
        with subprocess.Popen(command, stdout=printed, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                peak = max(peak, memory_mb(process.pid))
                time.sleep(0.05)
        printed.seek(0)
        accounts = json.loads(printed.read())["accounts"]
    done = accounts["cells"]["done"]
    return {"cells": done, "peak_mb": round(peak, 1), "seconds": round(time.monotonic() - began, 1)}


def main() -> None:
    plain = "--plain" in sys.argv
    sizes = [int(argument) for argument in sys.argv[1:] if argument != "--plain"] or CELLS
    for cells in sizes:
        print(json.dumps(measure_plain(cells) if plain else measure(cells)), flush=True)


if __name__ == "__main__":
    main()
