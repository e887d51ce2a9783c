"""What goes over the OpenAI wire, and what is read from an answer. A real server on the other end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.chat import ChatReply, ChatRequest, Choice, Hints, Message, Sampling, Usage
from seedbed.core.errors import AttemptFailed, EndpointError, ParameterRefused, RequestRefused
from seedbed.models.openai_reply import split_thinking
from seedbed.models.openai_wire import OpenAIChat
from tests.fake_endpoint import Answer, FakeEndpoint, Fault

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}}


def question(**changes: Any) -> ChatRequest:
    return ChatRequest(**{"model": "fake", "messages": (Message("user", "Hello?"),), **changes})


async def complete(model: OpenAIChat, request: ChatRequest) -> ChatReply:
    """One reply, as the executor gets it: asked again as long as only a parameter was refused."""
    while True:
        with contextlib.suppress(ParameterRefused):
            return await model.complete(request)


def ask(endpoint: FakeEndpoint, *requests: ChatRequest) -> list[ChatReply]:
    async def main() -> list[ChatReply]:
        model = OpenAIChat(endpoint.url, endpoint.model, timeout=5.0)
        try:
            return [await complete(model, request) for request in requests]
        finally:
            await model.close()

    return asyncio.run(main())


def only_choice(made: Answer | Fault) -> Choice:
    with FakeEndpoint(lambda body: made) as endpoint:
        return ask(endpoint, question())[0].choices[0]


def raw(value: Any) -> Fault:
    return Fault.raw(json.dumps(value).encode())


def test_text_that_is_no_chat_goes_to_completions_as_it_stands() -> None:
    opening = "<|im_start|>user\n"
    sampling = Sampling(1.0, 1.0, 64, ("<|im_end|>",))
    request = question(messages=(Message("raw", opening),), sampling=sampling, n=2, seed=7)
    with FakeEndpoint(lambda body: f"number {body['choice']}, of {body['prompt']}") as endpoint:
        (reply,) = ask(endpoint, request)
        assert endpoint.requests == [
            {
                "model": "fake",
                "prompt": opening,
                "temperature": 1.0,
                "top_p": 1.0,
                "max_tokens": 64,
                "stop": ["<|im_end|>"],
                "n": 2,
                "seed": 7,
            }
        ]
    assert [choice.text for choice in reply.choices] == [f"number {at}, of {opening}" for at in range(2)]
    assert reply.usage.prompt_tokens == len(opening) // 4


@pytest.mark.parametrize("choice", [{}, {"text": None}, {"message": {"content": "a chat"}}, "text"])
def test_a_completion_without_text_is_no_answer(choice: Any) -> None:
    with FakeEndpoint(lambda body: raw({"choices": [choice]})) as endpoint:
        with pytest.raises(AttemptFailed) as caught:
            ask(endpoint, question(messages=(Message("raw", "Once"),)))
        assert caught.value.cause == "malformed_body"


def test_an_endpoint_without_completions_is_named() -> None:
    with FakeEndpoint(completes=False) as endpoint:
        with pytest.raises(EndpointError, match=r"roles\.teacher\.endpoint .*/completions is added"):
            ask(endpoint, question(messages=(Message("raw", "Once"),)))
        assert ask(endpoint, question())[0].choices[0].text


def test_whole_request_is_sent_and_hints_are_not() -> None:
    request = question(
        messages=(Message("system", "Be brief."), Message("user", "Zoë? ☃")),
        sampling=Sampling(temperature=0.7, top_p=0.9, max_tokens=64),
        schema=SCHEMA,
        n=2,
        seed=2**62,
        hints=Hints(examples=[{"text": "never sent"}]),
    )
    with FakeEndpoint() as endpoint:
        ask(endpoint, request)
        assert endpoint.requests == [
            {
                "model": "fake",
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Zoë? ☃"},
                ],
                "temperature": 0.7,
                "top_p": 0.9,
                "max_tokens": 64,
                "n": 2,
                "seed": 2**62,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True},
                },
            }
        ]


def test_what_is_not_asked_for_is_left_to_the_server() -> None:
    with FakeEndpoint() as endpoint:
        ask(endpoint, question())
        assert set(endpoint.requests[0]) == {"model", "messages", "max_tokens"}


def test_choices_come_by_index_with_model_and_usage() -> None:
    body = {
        "model": "fake-2026-01",
        "choices": [
            {"index": 1, "message": {"content": "second"}, "finish_reason": "length"},
            {"index": 0, "message": {"content": "first"}, "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
    }
    with FakeEndpoint(lambda _: raw(body)) as endpoint:
        reply = ask(endpoint, question(n=2))[0]
    assert reply == ChatReply((Choice("first"), Choice("second", "length")), "fake-2026-01", Usage(11, 7))


@pytest.mark.parametrize("usage", [None, {}, 3, [7]])
def test_usage_that_says_nothing_counts_nothing(usage: Any) -> None:
    body = {"choices": [{"message": {"content": "yes"}}], "usage": usage}
    with FakeEndpoint(lambda _: raw(body)) as endpoint:
        assert ask(endpoint, question())[0] == ChatReply((Choice("yes", "unknown"),), "fake", Usage(0, 0))


@pytest.mark.parametrize("count", ["7", True, 7.0, -1, 2**31, 2**63, 10**400, 1e300, [7], None])
def test_count_of_tokens_that_is_none_is_0(count: Any) -> None:
    usage = {"prompt_tokens": count, "completion_tokens": 2**31 - 1}
    body = {"choices": [{"message": {"content": "yes"}}], "usage": usage}
    with FakeEndpoint(lambda _: raw(body)) as endpoint:
        read = ask(endpoint, question())[0].usage
    assert (read, type(read.prompt_tokens)) == (Usage(0, 2**31 - 1), int)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("function_call", "tool_calls"),
        ("abort", "unknown"),
        (None, "unknown"),
    ],
)
def test_finish_reasons(said: str | None, read: str) -> None:
    assert only_choice(Answer("text", said)).finish_reason == read


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        (Answer("<think>Let me see.</think>\n\nFour."), Choice("Four.", reasoning="Let me see.")),
        (Answer("\n<think>\n</think>Four."), Choice("Four.", reasoning="")),
        (Answer("<think>Let me s", "length"), Choice("", "length", reasoning="Let me s")),
        (Answer("Let me see.</think>\nFour."), Choice("Four.", reasoning="Let me see.")),
        (Answer("Write <think> first."), Choice("Write <think> first.")),
        (Answer("Four.", message={"reasoning_content": "Hm."}), Choice("Four.", reasoning="Hm.")),
        (Answer("Four.", message={"reasoning": "Hm."}), Choice("Four.", reasoning="Hm.")),
        (Answer(None, "length", {"reasoning": "Hm."}), Choice("", "length", reasoning="Hm.")),
        (Answer("<think>b</think>c", message={"reasoning": "a"}), Choice("c", reasoning="a\nb")),
    ],
)
def test_reasoning_is_kept_apart(answer: Answer, choice: Choice) -> None:
    assert only_choice(answer) == choice


@given(st.text(), st.text())
def test_thinking_and_answer_are_told_apart_whatever_they_are(thought: str, answer: str) -> None:
    thought = thought.replace("</think>", "")
    text, thinking = split_thinking(f"<think>{thought}</think>{answer}")
    assert (text, thinking) == (answer.lstrip(), thought.strip())


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        (Answer(None, message={"refusal": "I cannot."}), Choice("I cannot.", refused=True)),
        (Answer("Sorry.", message={"refusal": "I cannot."}), Choice("Sorry.", refused=True)),
        (Answer("Yes.", message={"refusal": None}), Choice("Yes.")),
        (Answer([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, 3]), Choice("ab")),
        (Answer(None, "tool_calls", {"tool_calls": []}), Choice("", "tool_calls")),
        (Answer("a \ud83d b"), Choice("a � b")),
        (Answer("a\x00b"), Choice("a\x00b")),
    ],
)
def test_odd_contents(answer: Answer, choice: Choice) -> None:
    assert only_choice(answer) == choice


@pytest.mark.parametrize(
    ("refused", "field", "value"),
    [
        ("seed", "seed", None),
        ("n", "n", None),
        ("max_tokens", "max_completion_tokens", 1024),
        ("json_schema", "response_format", {"type": "json_object"}),
        ("response_format", "response_format", None),
    ],
)
def test_rejected_parameter_is_given_up_for_good(refused: str, field: str, value: Any) -> None:
    request = question(seed=3, n=2, schema=SCHEMA)
    with FakeEndpoint(refuses=[refused]) as endpoint:
        first, second = ask(endpoint, request, request)
        *rejected, retried, next_one = endpoint.requests
    assert first.choices == second.choices
    assert retried == next_one
    assert next_one.get(field) == value
    assert len(rejected) == (2 if refused == "response_format" else 1)
    untouched = {"seed", "n", "max_tokens", "response_format"} - {refused, field}
    assert {name: next_one[name] for name in untouched} == {name: rejected[0][name] for name in untouched}


def test_each_call_is_one_request() -> None:
    """The budget is the executor's: a call that sent more than it was given leave for would pass it."""

    async def main(endpoint: FakeEndpoint) -> None:
        model = OpenAIChat(endpoint.url, endpoint.model)
        request = question(seed=3, schema=SCHEMA)
        try:
            for refused in ("response_format", "response_format", "seed"):
                with pytest.raises(ParameterRefused, match=f"HTTP 400.*'{refused}'") as refusal:
                    await model.complete(request)
                assert (refusal.value.cause, refusal.value.status) == ("parameter_refused", 400)
            assert (await model.complete(request)).choices
        finally:
            await model.close()

    with FakeEndpoint(refuses=["seed", "response_format"]) as endpoint:
        asyncio.run(main(endpoint))
        assert endpoint.stats().requests == 4


REJECTIONS = [
    b'{"object": "error", "message": "seed is not supported by this model", "code": 400}',
    b'{"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}',
    b'{"error": "unknown field `seed`"}',
]


@pytest.mark.parametrize("body", REJECTIONS)
def test_rejection_in_other_servers_words(body: bytes) -> None:
    with FakeEndpoint(script=[Fault.raw(body, 422)]) as endpoint:
        ask(endpoint, question(seed=3))
        assert ["seed" in sent for sent in endpoint.requests] == [True, False]


def test_json_mode_that_wants_the_word_json_is_left() -> None:
    message = "'messages' must contain the word 'json' to use 'response_format' of type 'json_object'."
    script = [
        Fault.http(400, "Invalid schema for response_format 'reply'", param="response_format"),
        Fault.http(400, message, param="messages"),
    ]
    with FakeEndpoint(script=script) as endpoint:
        ask(endpoint, question(schema=SCHEMA))
        forms = [(sent.get("response_format") or {}).get("type") for sent in endpoint.requests]
    assert forms == ["json_schema", "json_object", None]


def test_many_calls_at_once_agree_on_what_is_rejected() -> None:
    async def main(endpoint: FakeEndpoint) -> None:
        model = OpenAIChat(endpoint.url, endpoint.model)
        requests = [question(seed=number, schema=SCHEMA) for number in range(20)]
        try:
            await asyncio.gather(*(complete(model, request) for request in requests))
        finally:
            await model.close()

    with FakeEndpoint(refuses=["seed", "json_schema"], latency=0.02) as endpoint:
        asyncio.run(main(endpoint))
        last = endpoint.requests[-1]
        assert last["response_format"] == {"type": "json_object"}  # given up once, not once a call
        assert endpoint.stats().requests == 60


def test_prompt_that_is_no_text_is_refused_unsent() -> None:
    with FakeEndpoint() as endpoint:
        with pytest.raises(RequestRefused, match="cannot be sent") as refusal:
            ask(endpoint, question(messages=(Message("user", "\ud800"),)))
        assert refusal.value.cause == "not_unicode"
        assert endpoint.requests == []


def test_request_for_another_model_is_a_defect() -> None:
    with FakeEndpoint() as endpoint, pytest.raises(ValueError, match="'other' came to the wire of 'fake'"):
        ask(endpoint, question(model="other"))


def test_deeply_nested_body_is_an_attempt() -> None:
    deep = Fault.raw(b'{"choices": ' + b"[" * 200_000)
    with FakeEndpoint(lambda _: deep) as endpoint, pytest.raises(AttemptFailed) as failure:
        ask(endpoint, question())
    assert failure.value.cause == "cut_short"
