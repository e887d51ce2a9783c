"""A Python process of its own for files that the main process must never open.

The parent writes one line of JSON to the child's standard input and reads one line back: a result,
one of our own errors (which quote no data), or that the child failed. Eval text may stand in the
message of any other exception, so that of those only kind and place cross the border or reach stderr.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from seedbed.core.child_process import Child, ended_early, start_child
from seedbed.core.errors import (
    BudgetReached,
    EndpointError,
    EvalLockError,
    InputError,
    Problem,
    SeedbedError,
    SourceError,
    StoreError,
)

_INPUT_ERRORS = {kind.__name__: kind for kind in (SourceError, EvalLockError)}
_OTHER_ERRORS = {kind.__name__: kind for kind in (StoreError, EndpointError, BudgetReached)}


def start_sealed(module: str, request: Mapping[str, Any], *, numpy_alone: bool = False) -> Child:
    """Start `python -m module` and hand it its request. Its stdin stays open: its end ends the child.

    The request tells the child its parent, which may be gone before the child can look.
    """
    process = start_child(module, numpy_alone=numpy_alone)
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # It ended already: the answer that is missing will say so.
        process.stdin.write(orjson.dumps({**request, "parent": os.getpid()}) + b"\n")
        process.stdin.flush()
    return process


def answer_of(process: Child, file: Path) -> Any:
    """Wait for the child's answer. Raises what the child raised; `file` is what it was to read."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise ended_early(process, f"{file}: the process that reads it")
    answer = orjson.loads(line)
    if "failed" in answer:
        raise SeedbedError(f"{file}: the process that reads it failed: {answer['failed']}")
    if "problems" in answer:
        problems = [Problem(**problem) for problem in answer["problems"]]
        raise _INPUT_ERRORS.get(answer["kind"], InputError)(problems)
    if "message" in answer:
        raise _OTHER_ERRORS.get(answer["kind"], SeedbedError)(answer["message"])
    return answer["result"]


def read_request() -> Any:
    """In the child: what the parent wants. Nothing at all means that the parent is gone."""
    sys.excepthook = _say_kind_and_place
    line = sys.stdin.buffer.readline()
    if not line:
        raise SystemExit(0)
    return orjson.loads(line)


def answer_with(work: Callable[[], Mapping[str, Any]]) -> bool:
    """In the child: do the work and write the one line. True where it went well."""
    try:
        answer: Mapping[str, Any] = {"result": work()}
    except InputError as error:
        answer = {"problems": [asdict(p) for p in error.problems], "kind": type(error).__name__}
    except SeedbedError as error:
        answer = {"message": str(error), "kind": type(error).__name__}
    except Exception as error:  # noqa: BLE001 - reported to the parent, which raises
        answer = {"failed": kind_and_place(error)}
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()
    return "result" in answer


def kind_and_place(error: BaseException) -> str:
    """`KeyError at overlap.py:120`: enough for a report of a defect, without the message's text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def _say_kind_and_place(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(f"seedbed: {kind_and_place(error.with_traceback(trace))}\n")
