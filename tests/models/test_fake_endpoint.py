"""The fake endpoint as a process of its own, the way crash tests use it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.fake_endpoint import FakeEndpoint, Fault, request_key

SCRIPT = Path(__file__).parent.parent / "fake_endpoint.py"


def call(url: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def chat(text: str, **settings: Any) -> dict[str, Any]:
    return {"model": "fake", "messages": [{"role": "user", "content": text}], **settings}


def test_process_counts_what_it_answered_by_key() -> None:
    process = subprocess.Popen([sys.executable, str(SCRIPT)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[1]
        first, again = (call(f"{url}/chat/completions", chat("a", seed=1, n=2)) for _ in range(2))
        call(f"{url}/chat/completions", chat("a", seed=2))
        root = url.removesuffix("/v1")
        stats, keys = call(f"{root}/stats"), call(f"{root}/keys")
    finally:
        process.terminate()
        process.communicate()
    assert first == again
    assert len({choice["message"]["content"] for choice in first["choices"]}) == 2
    assert [stats[name] for name in ("requests", "answered", "distinct_answered")] == [3, 3, 2]
    assert stats["repeats_after_answered"] == 1
    assert keys["answered"][request_key(chat("a", seed=1, n=2))] == 2


def test_shares_of_faults_depend_on_the_request_and_not_on_its_turn() -> None:
    def fates(order: list[int]) -> dict[int, bool]:
        found = {}
        with FakeEndpoint(shares={Fault.http(500): 0.3}) as endpoint:
            for number in order:
                try:
                    call(f"{endpoint.url}/chat/completions", chat(str(number)))
                    found[number] = True
                except urllib.error.HTTPError as error:
                    error.close()
                    found[number] = False
        return found

    forwards = fates(list(range(80)))
    assert fates(list(range(79, -1, -1))) == forwards
    assert sum(forwards.values()) / 80 == pytest.approx(0.7, abs=0.15)
