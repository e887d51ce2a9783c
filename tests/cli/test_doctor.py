"""`doctor` against real servers that do and do not do what is asked of them; `plugins`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson

from seedbed.run.doctor import examine, exit_code
from tests.cli.workspace import Workspace
from tests.fake_endpoint import Answer, FakeEndpoint, Fault


def obedient(body: dict[str, Any]) -> str | Answer:
    text = "".join(message["content"] for message in body["messages"])
    form = body.get("response_format")
    if form is not None:
        (name, field), *_ = form["json_schema"]["schema"]["properties"].items()
        return json.dumps({name: field["enum"][0]})
    code = re.search(r"code word is (\S+)\.\n", text)
    return code[1] if code else f"yes {body.get('seed')}"


def careless(body: dict[str, Any]) -> str | Answer:
    """Ignores the schema, and answers beside the point."""
    return f"Hello! {id(body)}"


def cutting(body: dict[str, Any]) -> str | Fault:
    """Keeps 200 tokens of a prompt, counts those, and says nothing of it."""
    counted = min(200, sum(len(message["content"]) for message in body["messages"]) // 4)
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello!"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": counted, "completion_tokens": 2}
    return Fault.raw(orjson.dumps({"model": "fake", "choices": [choice], "usage": usage}))


def too_short(body: dict[str, Any]) -> str | Answer | Fault:
    if sum(len(message["content"]) for message in body["messages"]) > 1_500:
        return Fault.http(400, "too many tokens", code="context_length_exceeded")
    return obedient(body)


def by_name(checks: list[Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    return {check["name"].rpartition(": ")[2]: check for check in checks}


def examined(workspace: Workspace, *, ask: bool = False) -> tuple[int, list[Mapping[str, str]]]:
    """The exit code and the findings, in this process: the command adds but their printing."""
    env = {**os.environ, "OPENAI_API_KEY": "", **workspace.env}
    checks = asyncio.run(examine(workspace.folder, ask=ask, env=env))
    return exit_code(checks), [check.to_json() for check in checks]


def test_a_machine_alone(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, {"OPENAI_API_KEY": "sk-canary-51c0ffee"})
    found = by_name(workspace.run("doctor", "--json").json)
    assert found["reply log"]["detail"].startswith("20 commits")
    assert {"Python", "disk", "sandbox", "extra classifier"} <= found.keys()
    assert "OPENAI_API_KEY set" in found["environment"]["detail"]
    assert "canary" not in json.dumps(found)
    assert list(tmp_path.iterdir()) == []
    assert {check["state"] for check in found.values()} <= {"ok", "warning"}
    bare = Workspace(tmp_path, {"PATH": str(tmp_path)}).run("doctor")
    assert "apt-get install bubblewrap" in bare.out
    assert "RECIPE" in Workspace(tmp_path).run("doctor", "--ask", expect=2).err


def test_an_endpoint_that_does_all_of_it(tmp_path: Path) -> None:
    with FakeEndpoint(obedient) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        code, plain = examined(workspace)
        assert code == 0
        assert endpoint.stats().requests == 0
        assert any("offers 'fake'" in check["detail"] for check in plain)
        found = by_name(workspace.run("doctor", ".", "--ask", "--json").json)
        assert endpoint.stats().requests == 9
        for what in ("answers", "n", "seed", "temperature", "JSON schema", "longest prompt"):
            assert found[what]["state"] == "ok", found[what]
        # The prompt is one of the recipe's own, whole.
        longest = endpoint.requests[-1]["messages"][-1]["content"]
        assert "short" in longest or "long" in longest
        assert endpoint.requests[-1]["max_tokens"] == 1024
    assert not (tmp_path / ".seedbed").exists()


def test_an_endpoint_that_does_little_of_it(tmp_path: Path) -> None:
    with FakeEndpoint(careless, ignores_n=True, refuses=["temperature"]) as endpoint:
        code, checks = examined(Workspace.make(tmp_path, endpoint.url), ask=True)
    found = by_name(checks)
    assert code == 0
    for what in ("n", "seed", "temperature", "JSON schema", "longest prompt"):
        assert found[what]["state"] == "warning", found[what]
        assert found[what]["remedy"]


def test_the_endpoint_that_cuts_prompts_is_named(tmp_path: Path) -> None:
    with FakeEndpoint(cutting) as cuts, FakeEndpoint(obedient) as whole:
        teacher = {"model": "fake", "endpoint": [whole.url, cuts.url], "licence": "mit"}
        workspace = Workspace.make(tmp_path, roles={"teacher": teacher})
        code, checks = examined(workspace, ask=True)
    assert code == 5
    states = {c["name"]: c for c in checks if c["name"].endswith("longest prompt")}
    assert states[f"teacher at {whole.url}: longest prompt"]["state"] == "ok"
    cut = states[f"teacher at {cuts.url}: longest prompt"]
    assert cut["state"] == "failure"
    assert "200 prompt tokens counted" in cut["detail"]
    assert "context length" in cut["remedy"]


def test_a_prompt_that_is_refused_or_does_not_fit_is_a_failure(tmp_path: Path) -> None:
    with FakeEndpoint(too_short) as endpoint:
        code, checks = examined(Workspace.make(tmp_path / "refused", endpoint.url), ask=True)
        assert "too many tokens" in by_name(checks)["longest prompt"]["detail"]
        assert code == 5
    with serving_models({"id": "fake", "max_model_len": 40}) as url:
        code, checks = examined(Workspace.make(tmp_path / "small", url))
        assert by_name(checks)["context length"]["detail"].startswith("40 tokens")
        assert code == 5
    with serving_models({"id": "fake", "max_model_len": 1_100}) as url:
        code, checks = examined(Workspace.make(tmp_path / "tight", url))
        assert by_name(checks)["context length"]["state"] == "warning"
        assert code == 0


@contextmanager
def serving_models(*entries: Mapping[str, Any]) -> Iterator[str]:
    """A server that lists these models, and says yes to whatever it is asked."""

    class Models(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({"data": list(entries)})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]})

        def _send(self, value: Mapping[str, Any]) -> None:
            body = orjson.dumps(value)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            time.sleep(0.05)  # a long list comes in several pieces
            self.wfile.write(body[len(body) // 2 :])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Models) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()


def test_names_that_a_server_lists_otherwise(tmp_path: Path) -> None:
    with serving_models({"id": "fake:latest"}) as url:
        code, _ = examined(Workspace.make(tmp_path / "tag", url))
        assert code == 0
    with serving_models({"id": "fake"}) as url:
        workspace = Workspace.make(tmp_path / "key", url)
        workspace.env["OPENAI_API_KEY"] = "a"  # as people set where no key is wanted
        code, checks = examined(workspace)
        assert code == 0, checks
    with serving_models({"id": "another"}, {"id": "a-third"}) as url:
        code, checks = examined(Workspace.make(tmp_path / "gone", url), ask=True)
        assert code == 0
        (listing,) = [check for check in checks if check["name"] == f"teacher at {url}"]
        assert listing["state"] == "warning"
        assert "offers no 'fake', but another, a-third; it answers" in listing["detail"]


def test_each_kind_of_failure_has_its_exit_code(tmp_path: Path) -> None:
    with FakeEndpoint(model="another") as endpoint:
        code, checks = examined(Workspace.make(tmp_path / "model", endpoint.url))
        assert code == 5
        assert any("offers no 'fake', but another" in check["detail"] for check in checks)
    with FakeEndpoint(key="right") as endpoint:
        workspace = Workspace.make(tmp_path / "key", endpoint.url)
        workspace.env = {"OPENAI_API_KEY": "wrong-canary-0815"}
        done = workspace.run("doctor", ".", expect=5)
        assert "set OPENAI_API_KEY" in done.out
        assert "canary" not in done.out + done.err
    workspace = Workspace.make(tmp_path / "down", "http://127.0.0.1:9/v1")
    code, checks = examined(workspace)
    assert code == 5
    assert any("cannot be reached" in check["detail"] for check in checks)
    workspace.write(None, task={"kind": "classification", "input": "text", "lable": "category"})
    code, checks = examined(workspace)
    assert code == 2
    assert any("did you mean 'label'" in check["detail"] for check in checks)
    (workspace.folder / ".seedbed").write_text("a file where the log's folder should be")
    code, checks = examined(workspace)
    assert code == 1
    assert by_name(checks)["reply log"]["state"] == "failure"


def test_plugins_lists_a_package_that_is_broken(tmp_path: Path) -> None:
    package = tmp_path / "site" / "outsider-1.5.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: outsider\nVersion: 1.5\n")
    (package / "entry_points.txt").write_text(
        "[seedbed.filters]\n"
        "broken = outsider:Broken\nfine = outsider_fine:Fine\nlength = outsider_fine:Fine\n"
    )
    (tmp_path / "site" / "outsider.py").write_text("raise OSError('no such library')\n")
    (tmp_path / "site" / "outsider_fine.py").write_text(
        textwrap.dedent('''
        class Fine:
            """Finds what is fine. And more."""

            name, version = "fine", 3
        ''')
    )
    path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    workspace = Workspace(tmp_path, {"PYTHONPATH": path})
    found = workspace.run("plugins", "--json").json
    assert set(found) == {"methods", "filters", "tasks", "students", "exporters", "models"}
    filters = {(entry["name"], entry["package"]): entry for entry in found["filters"]}
    assert filters["fine", "outsider 1.5"] == {
        "name": "fine",
        "version": 3,
        "package": "outsider 1.5",
        "about": "Finds what is fine",
        "error": None,
    }
    assert "no such library" in filters["broken", "outsider 1.5"]["error"]
    assert "taken already" in filters["length", "outsider 1.5"]["error"]
    assert filters["length", "seedbed"]["about"]
    shown = workspace.run("plugins").out
    assert "[outsider 1.5] cannot be loaded: OSError" in shown
    assert "Traceback" not in shown
