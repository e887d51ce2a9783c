"""How fast is a run, beside a bare loop? `python -m benchmarks.throughput [--case NAME] [--pairs 5]`.

A fake endpoint on loopback, `benchmarks/plain.yaml` (every reply committed before it is read, five
filters, 1,000 locked eval rows), and a bare aiohttp loop that writes its rows to a file: in turns,
`--pairs` times, each in a process of its own. Prints one JSON line a pair and one with the medians.
`--tool COMMAND` measures another tool the same way: it is run with SEEDBED_BENCH_URL, _ROWS and
_CONCURRENCY in its environment. `--peers` measures those of `benchmarks/peers/` that are installed and
says which are not; `--peer NAME=PYTHON` names the Python that has one.

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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import seedbed
from benchmarks.endpoint import Endpoint, serving, text_for
from benchmarks.peers import PEERS, Peer, PeerFailed

EVAL_ROWS = 1000
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """`rows` are enough for some ten seconds at the rate that the endpoint allows."""

    latency_ms: float
    concurrency: int
    rows: int
    auto: bool = False


# Does the work of a case in an empty folder; returns the rows that it made.
Run = Callable[[Endpoint, Case, Path], int]

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
        "requests": len(stats["answers"]),
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


def installed(named: Mapping[str, str]) -> dict[str, Run]:
    """The peers that are there, by name, ready to be measured; prints what is and what is not."""
    found: dict[str, Run] = {}
    versions: dict[str, str] = {}
    for peer in PEERS.values():
        python = peer.python(named)
        if version := peer.version(python):
            versions[peer.name] = version
            found[peer.name] = partial(peer_run, peer, python)
    missing = [name for name in PEERS if name not in found]
    print(json.dumps({"peers": versions, "not_installed": missing}), flush=True)
    return found


def peer_run(peer: Peer, python: str, endpoint: Endpoint, case: Case, folder: Path) -> int:
    return peer.run(python, folder, environment(endpoint, case))


def compare(name: str, case: Case, pairs: int, others: Mapping[str, Run]) -> None:
    """A peer that fails is named with what it said, and not tried again."""
    runs: dict[str, Run] = {"bare": bare, "seedbed": seedbed_run, **others}
    seen: dict[str, list[dict[str, float]]] = {other: [] for other in runs}
    with serving(case.latency_ms) as endpoint:
        for _ in range(pairs):
            line: dict[str, Any] = {"case": name}
            for other, run in list(runs.items()):
                try:
                    line[other] = measured(endpoint, case, partial(run, endpoint, case))
                    seen[other].append(line[other])
                except PeerFailed as failure:
                    print(failure, file=sys.stderr)
                    line[other] = {"failed": str(failure).partition("\n")[0]}
                    del runs[other]
            print(json.dumps(line), flush=True)
    medians = {
        other: {
            "rate": statistics.median(one["rate"] for one in seen[other]),
            "rate_to_bare": round(
                statistics.median(
                    one["rate"] / loop["rate"] for one, loop in zip(seen[other], seen["bare"], strict=True)
                ),
                3,
            ),
            "cpu_ms": round(statistics.median(one["cpu_ms"] for one in seen[other]), 3),
        }
        for other in runs
    }
    print(json.dumps({"case": name, "pairs": pairs, "median": medians}), flush=True)


def named_python(text: str) -> tuple[str, str]:
    name, equals, python = text.partition("=")
    if name not in PEERS or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=PYTHON with a name of {', '.join(PEERS)}")
    return name, python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--tool", action="append", default=[], help="another tool's command, measured alike")
    parser.add_argument("--rows", type=int, help="rows of each case, in place of its own number")
    parser.add_argument("--peers", action="store_true", help="measure the peers that are installed as well")
    parser.add_argument(
        "--peer", type=named_python, action="append", default=[], help="NAME=PYTHON: the Python that has it"
    )
    options = parser.parse_args()
    compileall.compile_dir(Path(seedbed.__file__).parent, quiet=1)
    others: dict[str, Run] = {command: partial(tool, command) for command in options.tool}
    if options.peers:
        others |= installed(dict(options.peer))
    elif options.peer:
        parser.error("--peer names a Python for --peers; give that too")
    for name in options.case or CASES:
        case = CASES[name]
        compare(name, replace(case, rows=options.rows or case.rows), options.pairs, others)


if __name__ == "__main__":
    main()
