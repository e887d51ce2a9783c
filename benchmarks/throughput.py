"""How fast is a run, beside a bare loop? `python -m benchmarks.throughput [--case NAME] [--pairs 5]`.

A fake endpoint on loopback, `benchmarks/plain.yaml` (every reply committed before it is read, five
filters, 1,000 locked eval rows), and a bare aiohttp loop that writes its rows to a file: in turns,
`--pairs` times, each in a process of its own. Prints one JSON line a pair and one with the medians.
`--tool COMMAND` measures another tool the same way: it is run with SEEDBED_BENCH_URL, _ROWS and
_CONCURRENCY in its environment.

The rate counts answers from the first moment at the full concurrency (at 0 ms: from the first
request) to the last.
CPU is user and system time of the whole process tree, for each accepted row. Byte code is compiled
before the first pair, as on a machine where it ran before.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import seedbed
from benchmarks.endpoint import Endpoint, serving, text_for

EVAL_ROWS = 1000
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """`rows` are enough for some ten seconds at the rate that the endpoint allows."""

    latency_ms: float
    concurrency: int
    rows: int
    auto: bool = False


CASES = {
    "0ms-64": Case(0, 64, 10_000),
    "50ms-64": Case(50, 64, 12_000),
    "200ms-256": Case(200, 256, 12_000),
    "200ms-256-auto": Case(200, 256, 20_000, auto=True),
    "cpu": Case(0, 64, 20_000),
}

# The loop that everything is measured against: the least that sends prompts and keeps replies.
BARE = """
import aiohttp, asyncio, json, os
url = os.environ["SEEDBED_BENCH_URL"] + "/chat/completions"
rows, width = int(os.environ["SEEDBED_BENCH_ROWS"]), int(os.environ["SEEDBED_BENCH_CONCURRENCY"])
async def main():
    todo = iter(range(rows))
    with open("rows.jsonl", "w") as out:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            async def work():
                for at in todo:
                    prompt = f"Write one short text for a support team. Variation {at}. " + "x" * 600
                    body = {"model": "fake", "messages": [{"role": "user", "content": prompt}]}
                    async with session.post(url, json=body) as response:
                        reply = json.loads(await response.read())["choices"][0]["message"]["content"]
                    out.write(json.dumps({"prompt": prompt, "text": reply}) + "\\n")
            await asyncio.gather(*(work() for _ in range(width)))
asyncio.run(main())
"""


def rate(stats: dict[str, Any], latency_ms: float) -> float:
    begin: float = stats["full_at"] if latency_ms else stats["first"]
    counted: list[float] = [at for at in stats["answers"] if at > begin]
    return len(counted) / (counted[-1] - begin)


def measured(endpoint: Endpoint, case: Case, run: Callable[[Path], int]) -> dict[str, float]:
    """What one process tree did, in an empty folder: answers a second, CPU milliseconds a row."""
    endpoint.reset()
    with tempfile.TemporaryDirectory(prefix="seedbed-bench-") as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        rows = run(Path(folder))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    stats = endpoint.stats()
    return {
        "rate": round(rate(stats, case.latency_ms), 1),
        "cpu_ms": round(1000 * cpu / rows, 3),
        "rows": rows,
        "peak_in_flight": stats["peak"],
    }


def environment(endpoint: Endpoint, case: Case) -> dict[str, str]:
    """Byte code may be written: a process that compiles all it imports says little of its work."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "SEEDBED_BENCH_URL": endpoint.url,
        "SEEDBED_BENCH_ROWS": str(case.rows),
        "SEEDBED_BENCH_CONCURRENCY": str(case.concurrency),
    }


def bare(endpoint: Endpoint, case: Case, folder: Path) -> int:
    subprocess.run([sys.executable, "-c", BARE], cwd=folder, check=True, env=environment(endpoint, case))
    return case.rows


def tool(command: str, endpoint: Endpoint, case: Case, folder: Path) -> int:
    subprocess.run(command, shell=True, cwd=folder, check=True, env=environment(endpoint, case))
    return case.rows


def plain_run(endpoint: Endpoint, case: Case, folder: Path) -> list[str]:
    """Lay the recipe and its eval rows into the folder; the command that runs them."""
    (folder / "recipe.yaml").write_text((HERE / "plain.yaml").read_text())
    with (folder / "eval.jsonl").open("w") as file:
        for at in range(EVAL_ROWS):
            file.write(json.dumps({"text": text_for(b"eval %d" % at), "kind": "report"}) + "\n")
    concurrency = "auto" if case.auto else case.concurrency
    settings = [
        f"roles.teacher.endpoint={endpoint.url}",
        f"roles.teacher.concurrency={concurrency}",
        f"generate.target={case.rows}",
    ]
    command = [sys.executable, "-m", "seedbed.cli", "run", str(folder), "--json"]
    return command + [part for setting in settings for part in ("--set", setting)]


def seedbed_run(endpoint: Endpoint, case: Case, folder: Path) -> int:
    command = plain_run(endpoint, case, folder)
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment(endpoint, case)
    )
    return int(json.loads(done.stdout)["accounts"]["drafts"]["accepted"])


def compare(name: str, case: Case, pairs: int, commands: list[str]) -> None:
    others: dict[str, Callable[[Endpoint, Case, Path], int]] = {"seedbed": seedbed_run}
    for command in commands:
        others[command] = lambda e, c, f, command=command: tool(command, e, c, f)  # type: ignore[misc]
    ratios: dict[str, list[float]] = {other: [] for other in others}
    cpu: dict[str, list[float]] = {other: [] for other in others}
    with serving(case.latency_ms) as endpoint:
        for _ in range(pairs):
            loop = measured(endpoint, case, lambda folder: bare(endpoint, case, folder))
            line: dict[str, Any] = {"case": name, "bare": loop}
            for other, run in others.items():
                line[other] = measured(endpoint, case, lambda folder, run=run: run(endpoint, case, folder))  # type: ignore[misc]
                ratios[other].append(line[other]["rate"] / loop["rate"])
                cpu[other].append(line[other]["cpu_ms"])
            print(json.dumps(line), flush=True)
    medians = {
        other: {
            "rate_to_bare": round(statistics.median(ratios[other]), 3),
            "cpu_ms": round(statistics.median(cpu[other]), 3),
        }
        for other in others
    }
    print(json.dumps({"case": name, "pairs": pairs, "median": medians}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--tool", action="append", default=[], help="another tool's command, measured alike")
    options = parser.parse_args()
    compileall.compile_dir(Path(seedbed.__file__).parent, quiet=1)
    for name in options.case or CASES:
        compare(name, CASES[name], options.pairs, options.tool)


if __name__ == "__main__":
    main()
