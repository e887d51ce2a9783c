"""Each demonstration fails when the part under proof is off: one that cannot fail proves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.evidence.__main__ import DEMONSTRATIONS
from benchmarks.evidence.datasets import ROOT
from benchmarks.evidence.demonstration import Setting
from benchmarks.evidence.expected import misses, read_expected

pytestmark = pytest.mark.real_data

RUN_PROGRAMS = ("D6",)

RealData = Callable[[str], Path]
# In the plain suite the quick demonstrations, one part of each: it fails when broken as the whole does.
PARTS = {
    "D1": "banking77",
    "D2": "myopic-reward",
    "D3": "curve",
    "D5": "answers",
    "sft": "verified",
    "D6": "cheats",
    "D7": "consistent",
}


def evidence(name: str, **switches: str) -> tuple[int, dict[str, Any]]:
    """Exit code and the one line of `python -m benchmarks.evidence NAME`."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.evidence", name],
        cwd=ROOT,
        env=os.environ | switches,
        capture_output=True,
        text=True,
        check=False,
    )
    (line,) = done.stdout.splitlines() or [done.stderr]
    value: dict[str, Any] = json.loads(line)
    return done.returncode, value


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *PARTS.items(),
        *(pytest.param(name, "", marks=pytest.mark.campaign, id=name) for name in DEMONSTRATIONS),
    ],
)
@pytest.mark.timeout(900)
def test_it_fails_when_broken(
    name: str, part: str, real_data: RealData, request: pytest.FixtureRequest
) -> None:
    if name in RUN_PROGRAMS:
        request.getfixturevalue("sandbox")
    for needed in DEMONSTRATIONS[name].sets:
        real_data(needed)
    exit_code, line = evidence(name, BREAK="1", PART=part)
    assert (line["id"], line["holds"], exit_code) == (name, False, 1)
    assert line["figures"].keys() == ({part} if part else line["figures"].keys())
    assert line["figures"]


@pytest.mark.campaign
@pytest.mark.parametrize("name", DEMONSTRATIONS)
@pytest.mark.timeout(900)
def test_it_holds(name: str, real_data: RealData, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if name in RUN_PROGRAMS:
        request.getfixturevalue("sandbox")
    for needed in DEMONSTRATIONS[name].sets:
        real_data(needed)
    figures = DEMONSTRATIONS[name].measure(Setting(tmp_path))
    assert misses(figures, read_expected(name)) == []
