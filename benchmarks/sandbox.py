"""What running a program takes: `python -m benchmarks.sandbox [--runs 200] [--packages numpy]`.

For each backend that this machine has, in milliseconds of wall time: a sandbox from nothing, a program
loaded and ended in a warm one, a call of it, and an attempt: a program and its tests, both in warm ones.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

from seedbed.verify.code import CodeVerifier
from seedbed.verify.sandbox.backends import BACKENDS, Backend
from seedbed.verify.sandbox.broker import Limits, Sandbox, SandboxError
from seedbed.verify.sandbox.inside.frames import packed
from seedbed.verify.sandbox.probes import escapes

PROGRAM = "def add(a, b):\n    return a + b\n"
TESTS = "assert add(1, 2) == 3\nassert add(-1, 1) == 0\n"
CALL = packed({"do": "call", "target": 0, "with": [{"t": [1, 2]}, {"d": []}]})


def median_ms(work: Callable[[], object], runs: int) -> float:
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return round(1000 * statistics.median(taken), 2)


def measured(backend: Backend, runs: int, packages: tuple[str, ...]) -> dict[str, object]:
    with (
        Sandbox(backend, Limits(), packages=packages) as sandbox,
        CodeVerifier(backend=backend, packages=packages) as verifier,
    ):

        def from_nothing() -> None:
            sandbox.close()
            sandbox.warm()

        def load() -> None:
            sandbox.start("solution", PROGRAM, time.monotonic() + 10)
            sandbox.receive()

        def load_and_end() -> None:
            load()
            sandbox.stop()

        def call() -> None:
            sandbox.send(CALL)
            sandbox.receive()

        figures: dict[str, object] = {"backend": backend.name}
        figures["sandbox_ms"] = median_ms(from_nothing, max(5, runs // 20))
        figures["program_ms"] = median_ms(load_and_end, runs)
        load()
        figures["call_ms"] = median_ms(call, 5 * runs)
        verifier.attempt(PROGRAM, TESTS)
        figures["attempt_ms"] = median_ms(lambda: verifier.attempt(PROGRAM, TESTS), runs)
        return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--packages", nargs="*", default=(), help="that programs may import")
    given = parser.parse_args()
    for backend in BACKENDS:
        try:
            escaped = escapes(backend)
        except SandboxError as error:
            print(json.dumps({"backend": backend.name, "not_here": str(error)}), flush=True)
            continue
        print(
            json.dumps(
                measured(backend, given.runs, tuple(given.packages)) | {"probes_that_escape": escaped}
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
