"""Everything but an answer: each a named outcome, in words a user can act on, without the key."""

from __future__ import annotations

import asyncio
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from seedbed.core.chat import ChatReply, ChatRequest, Message
from seedbed.core.errors import AttemptFailed, EndpointError, RequestRefused, SeedbedError
from seedbed.models.openai_errors import read_retry_after
from seedbed.models.openai_wire import OpenAIChat
from tests.fake_endpoint import FakeEndpoint, Fault

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


def test_endpoint_that_lists_no_models_has_its_error_told_all_the_same() -> None:
    async def main() -> str:
        async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = await reader.readuntil(b"\r\n\r\n")
            status, body = ("404 No", b"model fake not found") if b"POST" in asked else ("200 OK", b"<html>")
            head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(respond, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(EndpointError) as caught:
                await ask(f"http://127.0.0.1:{port}/v1")
        return str(caught.value)

    assert "no model 'fake'" in asyncio.run(main())
    assert "does not say which models it has" in asyncio.run(main())
