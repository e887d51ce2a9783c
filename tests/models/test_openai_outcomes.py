"""Everything but an answer: each a named outcome, in words a user can act on, without the key."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.chat import ChatReply, ChatRequest, Choice, Message
from seedbed.core.errors import AttemptFailed, EndpointError, RequestRefused, SeedbedError
from seedbed.models.openai_errors import Endpoint, read_retry_after
from seedbed.models.openai_wire import OpenAIChat
from seedbed.models.probe import list_models
from tests.fake_endpoint import Answer, FakeEndpoint, Fault

KEY = "sk-secret-0123456789"
REQUEST = ChatRequest("fake", (Message("user", "Hello?"),), seed=1)


async def ask(url: str, *, key: str | None = KEY, timeout: float = 5.0) -> ChatReply:
    model = OpenAIChat(url, "fake", key, api_key_name="ACME_API_KEY", timeout=timeout)
    try:
        return await model.complete(REQUEST)
    finally:
        await model.close()


def failing(fault: Fault, *, timeout: float = 5.0) -> SeedbedError:
    """What one call to an endpoint with this fault raises."""
    with FakeEndpoint(lambda body: fault) as endpoint:
        with pytest.raises(SeedbedError) as caught:
            asyncio.run(ask(endpoint.url, timeout=timeout))
        assert endpoint.url in str(caught.value)
        return caught.value


@pytest.mark.parametrize(
    ("fault", "cause", "status"),
    [
        (Fault("reset"), "reset", None),
        (Fault("close"), "reset", None),
        (Fault("half_close"), "cut_short", None),
        (Fault("cut_body"), "cut_short", None),
        (Fault("truncated_json"), "cut_short", 200),
        (Fault("html"), "not_json_body", 200),
        (Fault.raw(b""), "not_json_body", 200),
        (Fault("empty_choices"), "empty_choices", 200),
        (Fault("no_message"), "malformed_body", 200),
        (Fault.raw(b'{"answer": 42}'), "malformed_body", 200),
        (Fault.raw(b'["not", "a", "completion"]'), "malformed_body", 200),
        (Fault.raw(b'{"error": {"message": "upstream is down", "code": 502}}'), "http_502", 502),
        *((Fault.http(status), f"http_{status}", status) for status in (408, 409, 425, 429, 500, 503, 529)),
    ],
)
def test_what_may_heal_is_an_attempt(fault: Fault, cause: str, status: int | None) -> None:
    error = failing(fault)
    assert isinstance(error, AttemptFailed)
    assert (error.cause, error.status) == (cause, status)


def test_hang_is_a_timeout() -> None:
    error = failing(Fault("hang"), timeout=0.2)
    assert isinstance(error, AttemptFailed)
    assert (error.cause, "0.2 s" in str(error)) == ("timeout", True)


def test_what_is_not_http_is_an_attempt() -> None:
    async def main() -> str:
        def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(garbage, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(AttemptFailed, match="not HTTP") as caught:
                await ask(f"http://127.0.0.1:{port}/v1")
            return caught.value.cause

    assert asyncio.run(main()) == "malformed_http"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://nobody.invalid/v1"])
def test_no_connection_is_unreachable(url: str) -> None:
    with pytest.raises(AttemptFailed) as caught:
        asyncio.run(ask(url))
    assert caught.value.cause == "unreachable"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault.http(400, "too long", code="context_length_exceeded"), "context_length"),
        (Fault.http(400, "This model's maximum context length is 4096 tokens."), "context_length"),
        (Fault.http(400, "exceeds it", type="exceed_context_size_error"), "context_length"),
        (Fault.http(413, ""), "context_length"),
        (Fault.http(400, "no", code="content_filter"), "content_policy"),
        (Fault.http(400, "It triggered our content management policy."), "content_policy"),
        (Fault.http(403, "no", code="content_policy_violation"), "content_policy"),
        (Fault.http(400, "nothing recorded for it", code="no_recorded_reply"), "no_recorded_reply"),
        (Fault.http(400, "temperature must be at most 2"), "bad_request"),
        (Fault.http(422, "messages: expected a list"), "bad_request"),
        (Fault.raw(b"Bad Request", 400), "bad_request"),
    ],
)
def test_what_never_heals_is_a_refusal(fault: Fault, cause: str) -> None:
    error = failing(fault)
    assert isinstance(error, RequestRefused)
    assert (error.cause, error.status) == (cause, fault.status)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_names_the_variable_and_hides_the_key(status: int) -> None:
    error = failing(Fault.http(status, f"Incorrect API key provided: {KEY}"))
    assert isinstance(error, EndpointError)
    assert "refused the key in ACME_API_KEY" in str(error)
    assert "Incorrect API key provided: ***" in str(error)


def test_missing_key_is_told() -> None:
    with (
        FakeEndpoint(key=KEY) as endpoint,
        pytest.raises(EndpointError, match=r"wants a key and was sent none.*set ACME_API_KEY"),
    ):
        asyncio.run(ask(endpoint.url, key=None))


def test_right_key_is_sent() -> None:
    with FakeEndpoint(key=KEY) as endpoint:
        assert asyncio.run(ask(endpoint.url, key=f"{KEY}\n")).choices


def test_unknown_model_names_what_there_is() -> None:
    with (
        FakeEndpoint(model="llama-4-maverick") as endpoint,
        pytest.raises(EndpointError, match=r"no model 'fake'.*it offers llama-4-maverick: correct roles"),
    ):
        asyncio.run(ask(endpoint.url))


def test_unknown_model_in_other_servers_words() -> None:
    error = failing(Fault.http(400, 'model "fake" not found, try pulling it first'))
    assert isinstance(error, EndpointError)
    assert "it offers fake" in str(error)


def test_wrong_path_is_told_from_a_wrong_model() -> None:
    with (
        FakeEndpoint() as endpoint,
        pytest.raises(EndpointError, match=r"no chat at that address.*/v1") as caught,
    ):
        asyncio.run(ask(endpoint.url.removesuffix("/v1")))
    assert "no such path: /chat/completions" in str(caught.value)


@pytest.mark.parametrize("fault", [Fault.http(402), Fault.http(429, "pay first", code="insufficient_quota")])
def test_no_credit_is_no_matter_of_waiting(fault: Fault) -> None:
    error = failing(fault)
    assert isinstance(error, EndpointError)
    assert "no credit" in str(error)


def test_redirect_is_not_followed() -> None:
    with FakeEndpoint() as other:
        error = failing(Fault.raw(b"", 307, Location=f"{other.url}/chat/completions?token={KEY}"))
        assert other.requests == []
    assert isinstance(error, EndpointError)
    assert f"redirects to {other.url}/chat/completions (HTTP 307)" in str(error)


@pytest.mark.parametrize("url", ["", "localhost:8000/v1", "ftp://host/v1", "http://", "http://[::1"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(EndpointError, match=r"roles\.teacher\.endpoint is not an address"):
        OpenAIChat(url, "fake")


def test_key_that_no_header_takes_is_refused_unseen() -> None:
    with pytest.raises(EndpointError, match="the key in ACME_API_KEY holds characters") as caught:
        OpenAIChat("http://127.0.0.1/v1", "fake", f"{KEY}\r\nX-Evil: 1", api_key_name="ACME_API_KEY")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", [f"{KEY}\r\nX-Evil: 1", "sk-geheim-\u00e4"])
def test_models_are_listed_for_no_such_key(key: str) -> None:
    with FakeEndpoint() as endpoint:
        assert asyncio.run(list_models(endpoint.url, key)) == (
            None,
            "the key holds characters that no HTTP header takes",
        )


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset"),
        Fault("cut_body"),
        Fault.http(401, f"Bearer {KEY} is wrong"),
        Fault.http(400, f"{KEY} may not do this"),
        Fault.http(500, f"could not log in with {KEY}"),
        Fault.raw(f"<p>{KEY}</p>".encode()),
        Fault.raw(f"<p>{KEY}</p>".encode(), 403),
    ],
)
def test_no_secret_in_any_trace(fault: Fault) -> None:
    async def main(model: OpenAIChat) -> str:
        try:
            with pytest.raises(SeedbedError) as caught:
                await model.complete(REQUEST)
        finally:
            await model.close()
        return "".join([*traceback.format_exception(caught.value), repr(caught.value), repr(model)])

    with FakeEndpoint(lambda body: fault) as endpoint:
        told = asyncio.run(main(OpenAIChat(endpoint.url, "fake", KEY)))
        private = endpoint.url.replace("http://", "http://user:hunter2@") + "?token=abc123"
        told += asyncio.run(main(OpenAIChat(private, "fake"))).replace(KEY, "what the server said itself")
        assert f"OpenAIChat({endpoint.url!r}, 'fake')" in told
    assert not [secret for secret in (KEY, "hunter2", "abc123") if secret in told]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("2", 2.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 21 Oct 2015 07:28:00 +99999999999999999", None),
    ],
)
def test_retry_after_in_seconds(header: str | None, seconds: float | None) -> None:
    assert read_retry_after(header) == seconds


def test_retry_after_as_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)
    wait = read_retry_after(format_datetime(moment, usegmt=True))
    assert wait == pytest.approx(90, abs=3)
    assert read_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


def test_retry_after_reaches_the_attempt() -> None:
    error = failing(Fault.http(503, retry_after="7"))
    assert isinstance(error, AttemptFailed)
    assert error.retry_after == 7.0


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("header", ["1e300", "9" * 300, "1000001", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_absurd_retry_after_is_told_in_few_digits(status: int, header: str) -> None:
    error = failing(Fault.http(status, "full", retry_after=header))
    assert isinstance(error, EndpointError)
    assert "it asks to wait more than 1000000 s (Retry-After): see to the server" in str(error)
    assert len(str(error)) < 300


async def told_of_models(body: bytes) -> str:
    """The error for an unknown model, from an endpoint that answers GET /models with this body."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        status, said = ("404 No", b"model fake not found") if b"POST" in asked else ("200 OK", body)
        coding = "Content-Encoding: gzip\r\n" if said.startswith(b"\x1f\x8b") else ""
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\n{coding}Content-Length: {len(said)}\r\n\r\n"
        writer.write(head.encode() + said)
        writer.close()

    async with await asyncio.start_server(respond, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(EndpointError, match="no model 'fake'") as caught:
            await ask(f"http://127.0.0.1:{port}/v1")
    return str(caught.value)


def listing(*names: Any) -> bytes:
    return json.dumps({"data": [{"id": name} for name in names]}).encode()


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"data": [{}]}', gzip.compress(listing("real", "x" * (1 << 20)))]
)
def test_endpoint_that_lists_no_models_has_its_error_told_all_the_same(body: bytes) -> None:
    assert "does not say which models it has" in asyncio.run(told_of_models(body))


def test_names_of_models_are_quoted_without_key_and_controls() -> None:
    told = asyncio.run(told_of_models(listing(f"m-{KEY}", "\x1b[31mred\x07", "long " * 999, 3, "good")))
    assert r"it offers m-***, \x1b[31mred\x07, long long" in told
    assert "…, good: correct" in told
    assert told.isprintable()
    assert len(told) < 500


# Runs alone, so that the peak of its memory is its own: (cause, detail, MiB more than before).
MEETS_A_BOMB = """
import asyncio, gzip, io, json, resource, sys
from seedbed.core.chat import ChatRequest, Message
from seedbed.core.errors import AttemptFailed
from seedbed.models.openai_wire import OpenAIChat
from tests.fake_endpoint import FakeEndpoint, Fault

packed = io.BytesIO()
with gzip.GzipFile(fileobj=packed, mode="wb") as file:
    for _ in range(256):
        file.write(bytes(1 << 20))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

async def main(url):
    model = OpenAIChat(url, "fake", timeout=60)
    before = peak()
    try:
        await model.complete(ChatRequest("fake", (Message("user", "Hello?"),)))
    except AttemptFailed as failure:
        print(json.dumps([failure.cause, failure.status, str(failure), peak() - before]))
    finally:
        await model.close()

fault = Fault.raw(packed.getvalue(), int(sys.argv[1]), Content_Encoding="gzip")
with FakeEndpoint(lambda body: fault) as endpoint:
    asyncio.run(main(endpoint.url))
"""


@pytest.mark.parametrize(("status", "mib"), [(200, 64), (500, 1)])
def test_bomb_is_not_unpacked(status: int, mib: int) -> None:
    command = [sys.executable, "-c", MEETS_A_BOMB, str(status)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cause, seen, detail, more = json.loads(done.stdout)
    assert (cause, seen) == ("too_large", status)
    assert detail.startswith("http://127.0.0.1:")
    assert f"/v1 answered HTTP {status} with more than {mib} MiB" in detail
    assert more < 2 * mib + 32


def test_connection_is_good_for_another_call_after_too_large_a_body() -> None:
    async def main(url: str) -> ChatReply:
        model = OpenAIChat(url, "fake")
        try:
            with pytest.raises(AttemptFailed, match="more than 1 MiB"):
                await model.complete(REQUEST)
            return await model.complete(REQUEST)
        finally:
            await model.close()

    with FakeEndpoint(script=[Fault.raw(b"x" * (2 << 20), 500)]) as endpoint:
        assert asyncio.run(main(endpoint.url)).choices


def test_key_that_the_endpoint_says_is_in_no_reply() -> None:
    said = Answer(f"I know {KEY}!", message={"reasoning": f"They sent {KEY}."})
    body = {
        "model": f"m-{KEY}",
        "choices": [
            {"index": 0, "message": {"content": said.content, **said.message}, "finish_reason": "stop"},
            {"index": 1, "message": {"content": f"<think>{KEY}</think>a"}, "finish_reason": "stop"},
            {"index": 2, "message": {"refusal": f"Not with {KEY}"}, "finish_reason": "stop"},
            {"index": 3, "message": {"content": [{"text": KEY[:9]}, {"text": KEY[9:]}]}},
        ],
    }
    with FakeEndpoint(lambda _: Fault.raw(json.dumps(body).encode())) as endpoint:
        reply = asyncio.run(ask(endpoint.url))
    assert reply.model == "m-***"
    assert reply.choices == (
        Choice("I know ***!", reasoning="They sent ***."),
        Choice("a", reasoning="***"),
        Choice("Not with ***", refused=True),
        Choice("***", "unknown"),
    )


def test_key_that_is_a_word_leaves_replies_whole() -> None:
    with FakeEndpoint(lambda body: "An EMPTY box.") as endpoint:
        assert asyncio.run(ask(endpoint.url, key="EMPTY")).choices[0].text == "An EMPTY box."


@pytest.mark.parametrize(
    "spelling", [r"sk-a/b\"c0123", r"sk-a/b\\\"c0123", r"sk-a\/b\\\"c0123", "sk-a%2Fb%5C%22c0123"]
)
def test_key_is_struck_out_however_it_is_spelt(spelling: str) -> None:
    quoted = Endpoint("http://e/v1", r"sk-a/b\"c0123").quote(f"wrong: {spelling}.")
    assert quoted == "wrong: ***."


@given(st.text(), st.integers(0, 5000), st.text())
def test_quotes_hold_neither_key_nor_controls(before: str, gap: int, after: str) -> None:
    quoted = Endpoint("http://e/v1", KEY).quote(before + " " * gap + "x" * (gap % 700) + KEY + after)
    assert "sk-s" not in quoted or "sk-s" in before + after
    assert quoted.isprintable()
    assert len(quoted) <= 500


@pytest.mark.parametrize(
    "fault",
    [
        Fault.http(400, "\x1b]0;owned\x07\u202etxt\x9b31m"),
        Fault.raw(b"\x1b[2Jgone\x00", 500),
        Fault.raw(b"\x1b[2Jgone\x00"),
        Fault.raw(b"", 302, Location="http://e/\x1b[2J\xff"),
        Fault.raw(b'{"error": ' + b"[" * 1000 + b"]" * 1000 + b"}", 400),
    ],
)
def test_no_control_character_reaches_the_terminal(fault: Fault) -> None:
    assert str(failing(fault)).isprintable()
