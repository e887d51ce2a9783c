"""The recorded teacher in process and behind its server: which reply, and what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.chat import ChatReply, ChatRequest, Choice, Hints, Message
from seedbed.core.errors import InputError, RequestRefused, SeedbedError, SourceError
from seedbed.core.protocols import ChatModel
from seedbed.models.recorded import By, RecordedReplies, RecordedTeacher
from seedbed.models.recorded_server import HOST, RecordedServer, request_key

LABEL_AND_DRAW = r"Category: (?P<label>\w+)[\s\S]*Variation: (?P<draw>\d+)"


def written(folder: Path, *lines: Mapping[str, Any] | str | bytes) -> Path:
    path = folder / "replies.jsonl"
    rows = [line if isinstance(line, str | bytes) else json.dumps(line) for line in lines]
    path.write_bytes(b"".join((row.encode() if isinstance(row, str) else row) + b"\n" for row in rows))
    return path


@pytest.fixture
def by_label(tmp_path: Path) -> Path:
    return written(
        tmp_path,
        {"reply": {"text": "first billing"}, "label": "billing"},
        {"reply": {"text": "first access"}, "label": "access"},
        {"reply": {"text": "second billing"}, "label": "billing"},
    )


def asked(text: str, *, seed: int | None = None, n: int = 1, hints: Hints | None = None) -> ChatRequest:
    messages = (Message("system", "You write data."), Message("user", text))
    return ChatRequest("any", messages, seed=seed, n=n, hints=hints)


def answer(teacher: RecordedTeacher, request: ChatRequest) -> ChatReply:
    return asyncio.run(teacher.complete(request))


def texts(teacher: RecordedTeacher, request: ChatRequest) -> list[str]:
    return [choice.text for choice in answer(teacher, request).choices]


def refusal(teacher: RecordedTeacher, request: ChatRequest) -> str:
    with pytest.raises(RequestRefused) as caught:
        answer(teacher, request)
    assert caught.value.cause == "no_recorded_reply"
    return str(caught.value)


def test_it_is_a_chat_model(by_label: Path) -> None:
    assert isinstance(RecordedTeacher(RecordedReplies.load(by_label, by="label")), ChatModel)


def test_by_label_takes_label_and_draw_from_the_prompt(by_label: Path) -> None:
    teacher = RecordedTeacher(RecordedReplies.load(by_label, by="label"), LABEL_AND_DRAW)
    assert texts(teacher, asked("Category: billing\nVariation: 1")) == ['{"text":"second billing"}']
    assert texts(teacher, asked("Category: billing\nVariation: 0")) == ['{"text":"first billing"}']


def test_by_label_takes_label_and_draw_from_the_hints(by_label: Path) -> None:
    teacher = RecordedTeacher(RecordedReplies.load(by_label, by="label"))
    hints = Hints(fixed={"channel": "phone", "category": "billing"}, draw=1)
    assert texts(teacher, asked("anything", hints=hints)) == ['{"text":"second billing"}']


def test_a_label_without_unused_replies_is_refused_and_never_answered_by_another(by_label: Path) -> None:
    teacher = RecordedTeacher(RecordedReplies.load(by_label, by="label"), LABEL_AND_DRAW)
    assert "'access'" in refusal(teacher, asked("Category: access\nVariation: 1"))
    assert "access, billing" in refusal(teacher, asked("Category: privacy\nVariation: 0"))


def test_a_request_that_names_nothing_is_told_what_match_must_find(by_label: Path) -> None:
    replies = RecordedReplies.load(by_label, by="label")
    assert "(?P<label>" in refusal(RecordedTeacher(replies), asked("hello"))
    only_label = RecordedTeacher(replies, r"Category: (?P<label>\w+)")
    assert "(?P<draw>" in refusal(only_label, asked("Category: billing"))
    words = RecordedTeacher(replies, r"(?P<label>\w+) number (?P<draw>\w+)")
    assert "'two'" in refusal(words, asked("billing number two"))
    assert "not found in the prompt 'hello'" in refusal(words, asked("hello"))


def test_by_order_counts_through_the_file(by_label: Path) -> None:
    teacher = RecordedTeacher(RecordedReplies.load(by_label, by="order"))
    assert texts(teacher, asked("x", hints=Hints(draw=1))) == ['{"text":"first access"}']
    assert "draw 3" in refusal(teacher, asked("x", hints=Hints(draw=3)))


def test_by_prompt_matches_the_whole_message_or_a_group_of_it(tmp_path: Path) -> None:
    path = written(tmp_path, {"reply": "4", "prompt": "2+2?"}, {"reply": "6", "prompt": "3+3?"})
    replies = RecordedReplies.load(path, by="prompt")
    assert texts(RecordedTeacher(replies), asked("  3+3?\n")) == ["6"]
    inside = RecordedTeacher(replies, r"Question: (?P<prompt>.*)")
    assert texts(inside, asked("Think first.\nQuestion: 2+2?")) == ["4"]
    assert "'5+5?'" in refusal(inside, asked("Question: 5+5?"))


@given(seed=st.integers(0, 2**63 - 1), count=st.integers(1, 5), n=st.integers(1, 8))
def test_by_prompt_the_seed_chooses_and_the_choice_index_is_added(seed: int, count: int, n: int) -> None:
    group = [Choice(str(number)) for number in range(count)]
    teacher = RecordedTeacher(RecordedReplies("prompt", {"q": group}))
    found = texts(teacher, asked("q", seed=seed, n=n))
    assert found == [str((seed + index) % count) for index in range(n)]
    assert texts(teacher, asked("q", seed=seed, n=n)) == found


def test_without_a_seed_the_question_itself_chooses(tmp_path: Path) -> None:
    questions = "abcde"
    rows = ({"reply": str(number), "prompt": q} for q in questions for number in range(50))
    teacher = RecordedTeacher(RecordedReplies.load(written(tmp_path, *rows), by="prompt"))
    first = [texts(teacher, asked(q)) for q in questions]
    assert [texts(teacher, asked(q)) for q in questions] == first
    assert len({text for [text] in first}) > 1


def test_finish_reason_and_usage_come_along(tmp_path: Path) -> None:
    path = written(tmp_path, {"reply": "half a sent", "finish_reason": "length"})
    reply = answer(RecordedTeacher(RecordedReplies.load(path, by="order")), asked("x", hints=Hints()))
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 3
    assert reply.usage.prompt_tokens == 4


def test_every_bad_line_is_named_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"reply": "fine", "label": "a"},
        "{broken",
        {"label": "a"},
        "",
        {"reply": 3, "label": "a"},
        {"reply": "no label"},
        '["a list"]',
        {"reply": "x", "label": "a", "finish_reason": "done"},
        b'{"reply": "caf\xe9", "label": "a"}',
    )
    with pytest.raises(SourceError) as caught:
        RecordedReplies.load(path, by="label")
    problems = caught.value.problems
    assert [problem.line for problem in problems] == [2, 3, 5, 6, 7, 8, 9]
    assert {problem.file for problem in problems} == {str(path)}
    said = str(caught.value)
    for expected in ("not a line of JSON", '"reply" must be', "chosen by label", "a list", "'done'"):
        assert expected in said


def test_at_most_twenty_problems_are_listed(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        RecordedReplies.load(written(tmp_path, *["nonsense"] * 30), by="order")
    assert len(caught.value.problems) == 20


def test_a_missing_or_empty_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.jsonl: cannot read the recorded replies: No such file"):
        RecordedReplies.load(tmp_path / "nowhere.jsonl", by="order")
    with pytest.raises(SourceError, match=r"holds no reply; write one"):
        RecordedReplies.load(written(tmp_path, "", "  "), by="order")


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = written(tmp_path, b'\xef\xbb\xbf{"reply": "one"}\r')
    replies = RecordedReplies.load(path, by="order")
    assert [choice.text for choice in replies.groups[""]] == ["one"]


@pytest.mark.parametrize(
    ("by", "match", "said"),
    [
        ("label", "(unclosed", "not a regular expression"),
        ("label", "Category: (.*)", r"\(\?P<draw>...\) or \(\?P<label>...\)"),
        ("prompt", "(?P<label>x)", r"\(\?P<prompt>...\)"),
    ],
)
def test_an_expression_that_cannot_work_is_refused_at_once(by: By, match: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        RecordedTeacher(RecordedReplies(by, {"": [Choice("x")]}), match)


# The server, in a process of its own.


def post(url: str, body: Mapping[str, Any] | bytes) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/chat/completions", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def body(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def test_the_server_answers_refuses_counts_and_logs(by_label: Path, tmp_path: Path) -> None:
    log = tmp_path / "requests.log"
    question = body("Category: billing\nVariation: 1", seed=7)
    with RecordedServer(by_label, "label", LABEL_AND_DRAW, log=log) as server:
        status, reply = post(server.url, question)
        assert status == 200
        assert reply["choices"][0]["message"]["content"] == '{"text":"second billing"}'
        assert reply["choices"][0]["finish_reason"] == "stop"
        assert reply["usage"]["total_tokens"] > 0

        status, reply = post(server.url, body("Category: access\nVariation: 9"))
        assert status == 400
        assert reply["error"]["code"] == "no_recorded_reply"
        assert "'access'" in reply["error"]["message"]

        assert server.stats()["repeats_after_answered"] == 0
        post(server.url, question)
        post(server.url, {**question, "seed": 8})
        assert server.stats() == {
            "requests": 4,
            "answered": 3,
            "refused": 1,
            "dropped": 0,
            "in_flight": 0,
            "repeats_after_answered": 1,
        }
        with urllib.request.urlopen(f"{server.url}/models", timeout=10) as response:
            assert [model["id"] for model in json.load(response)["data"]] == ["recorded"]
    key = request_key(question["messages"], 7, 1)
    events = Counter(log.read_text().splitlines())
    assert events[f"received {key}"] == events[f"answered {key}"] == 2
    assert events.total() == 7


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"<html>", "not JSON"),
        ({"model": "m"}, '"messages"'),
        ({"messages": [{"role": "tool", "content": "x"}]}, '"role"'),
        ({"messages": [{"role": "user", "content": 3}]}, '"content"'),
        (body("x", n=0.5), '"n"'),
        (body("x", seed="a"), '"seed"'),
    ],
)
def test_what_is_no_chat_request_is_a_named_error(
    order_server: RecordedServer, sent: Mapping[str, Any] | bytes, said: str
) -> None:
    status, reply = post(order_server.url, sent)
    assert status == 400
    assert reply["error"]["code"] == "bad_request"
    assert said in reply["error"]["message"]


@pytest.fixture(scope="module")
def order_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = written(tmp_path_factory.mktemp("order"), {"reply": "only"})
    with RecordedServer(path, "order", r"(?P<draw>\d+)") as server:
        yield server


def test_the_server_listens_on_loopback_alone(order_server: RecordedServer) -> None:
    assert order_server.url.startswith(f"http://{HOST}:")
    port = int(order_server.root.rpartition(":")[2])
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", port))


def test_what_is_in_flight_shows_and_a_client_that_left_is_not_answered(tmp_path: Path) -> None:
    path, log = written(tmp_path, {"reply": "late"}), tmp_path / "requests.log"
    with RecordedServer(path, "order", r"(?P<draw>\d+)", latency_ms=400, log=log) as server:
        started = time.monotonic()
        waiting = threading.Thread(target=post, args=(server.url, body("0")))
        waiting.start()
        eventually(server, in_flight=1)
        waiting.join()
        assert time.monotonic() - started >= 0.4
        assert server.stats()["answered"] == 1

        leave_early(server, body("0", seed=1))
        counts = eventually(server, requests=2, in_flight=0)
        assert (counts["answered"], counts["dropped"]) == (1, 1)
    left = request_key(body("0")["messages"], 1, 1)
    assert f"received {left}" in log.read_text()
    assert f"answered {left}" not in log.read_text()


def leave_early(server: RecordedServer, sent: Mapping[str, Any]) -> None:
    """Send a request and be gone before its answer, as a killed client is."""
    data = json.dumps(sent).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
    with socket.create_connection((HOST, int(server.root.rpartition(":")[2]))) as connection:
        connection.sendall(head.encode() + data)
        eventually(server, requests=2)


def eventually(server: RecordedServer, **expected: int) -> dict[str, int]:
    deadline = time.monotonic() + 10
    while True:
        counts = server.stats()
        if expected.items() <= counts.items():
            return counts
        assert time.monotonic() < deadline, f"{counts} never came to {expected}"
        time.sleep(0.02)


def test_answers_do_not_depend_on_arrival(tmp_path: Path) -> None:
    path = written(tmp_path, *({"reply": f"{q}-{k}", "prompt": q} for q in "abc" for k in range(4)))
    questions = [body(q, seed=seed) for q in "abc" for seed in range(10)]

    def answers(server: RecordedServer, order: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        return {json.dumps(q): post(server.url, q)[1]["choices"][0]["message"]["content"] for q in order}

    with RecordedServer(path, "prompt") as server:
        assert answers(server, questions) == answers(server, questions[::-1])


@pytest.mark.parametrize(
    ("by", "match", "said"),
    [
        ("prompt", None, "chosen by prompt"),
        ("label", "(?P<label>x)", "by label it needs (?P<draw>...)"),
        ("order", None, "by order it needs (?P<draw>...)"),
    ],
)
def test_a_server_that_cannot_start_says_why(by_label: Path, by: By, match: str | None, said: str) -> None:
    with pytest.raises(SeedbedError) as caught, RecordedServer(by_label, by, match):
        pytest.fail("it started")
    assert said in str(caught.value)


def test_a_port_in_use_is_an_error_without_a_traceback(by_label: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(SeedbedError, match=f"cannot serve on {HOST}:{port}") as caught,
            RecordedServer(by_label, "label", LABEL_AND_DRAW, port=port),
        ):
            pytest.fail("it started")
    assert "Traceback" not in str(caught.value)


def test_the_command_line_prints_its_address_and_ends_on_a_signal(by_label: Path) -> None:
    command = [sys.executable, "-m", "seedbed.models.recorded_server", str(by_label)]
    command += ["--by", "label", "--match", LABEL_AND_DRAW]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"listening http://{HOST}:")
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
