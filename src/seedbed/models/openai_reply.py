"""The body of a chat completion, read: its choices, their reasoning apart, and what the call used."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from seedbed.core.chat import ChatReply, Choice, FinishReason, Usage
from seedbed.core.errors import AttemptFailed
from seedbed.models.openai_errors import Endpoint

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
_THINK = re.compile(r"\s*<think>(.*?)(?:</think>\s*|\Z)", re.DOTALL)
_END_OF_THINKING = "</think>"
_SURROGATES = re.compile("[\ud800-\udfff]")
_MOST_TOKENS = 2**31 - 1


def parse_body(data: bytes, sender: Endpoint) -> Any:
    """The JSON of a response with status 200. Raises AttemptFailed where there is none.

    Escaped lone surrogates, which models do write and orjson refuses, are taken and later replaced.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    text = data.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        start = sender.quote(text) or "(nothing)"
        if text.lstrip().startswith("{"):
            raise _unusable("cut_short", sender, f"JSON that breaks off: {start}") from None
        raise _unusable("not_json_body", sender, f"what is not JSON: {start}") from None


def read_reply(body: Any, asked_model: str, sender: Endpoint) -> ChatReply:
    """The choices of a chat completion, by their index. Raises AttemptFailed where there are none.

    A reply is kept and published: should the endpoint say the key that it was sent, it is struck out.
    """
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list):
        raise _unusable("malformed_body", sender, "a body without the list `choices`")
    if not choices:
        raise _unusable("empty_choices", sender, "an empty list `choices`")
    if not all(isinstance(choice, dict) and isinstance(choice.get("message"), dict) for choice in choices):
        raise _unusable("malformed_body", sender, "a choice without `message`")
    if len(choices) > 1 and all(isinstance(choice.get("index"), int) for choice in choices):
        choices = sorted(choices, key=lambda choice: choice["index"])
    model = body.get("model")
    return ChatReply(
        tuple([_read_choice(choice, sender) for choice in choices]),
        _clean(model, sender) if isinstance(model, str) and model else asked_model,
        read_usage(body.get("usage")),
    )


def as_chat(body: Any, sender: Endpoint) -> Any:
    """The body of a text completion, whose choices have a `text`, in the form of a chat completion's.

    Raises AttemptFailed for a choice without.
    """
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list):
        return body
    if not all(isinstance(choice, dict) and isinstance(choice.get("text"), str) for choice in choices):
        raise _unusable("malformed_body", sender, "a choice without `text`")
    return {**body, "choices": [{**each, "message": {"content": each["text"]}} for each in choices]}


def _unusable(cause: str, sender: Endpoint, what: str) -> AttemptFailed:
    return AttemptFailed(cause, f"{sender.url} answered HTTP 200 with {what}", status=200)


def _read_choice(choice: Mapping[str, Any], sender: Endpoint) -> Choice:
    message = choice["message"]
    text, thought = split_thinking(_clean(_text_of(message.get("content")), sender))
    field = message.get("reasoning_content") or message.get("reasoning")
    reasoning = _clean(field, sender) if isinstance(field, str) else None
    if thought is not None:
        reasoning = f"{reasoning}\n{thought}" if reasoning else thought
    refusal = message.get("refusal")
    refused = isinstance(refusal, str) and bool(refusal)
    if refused and not text:
        text = _clean(refusal, sender)
    finish = choice.get("finish_reason")
    reason = _FINISH.get(finish, "unknown") if isinstance(finish, str) else "unknown"
    return Choice(text, reason, reasoning, refused)


def split_thinking(text: str) -> tuple[str, str | None]:
    """(answer, thinking) of a text that begins by thinking aloud in <think>…</think>.

    Cut off while thinking, it is all thinking and no answer. An end without a beginning is taken
    too: the chat templates of some reasoning models open <think> themselves.
    """
    match = _THINK.match(text)
    if match:
        return text[match.end() :], match[1].strip()
    if _END_OF_THINKING in text and "<think>" not in text:
        thinking, _, answer = text.partition(_END_OF_THINKING)
        return answer.lstrip(), thinking.strip()
    return text, None


def _text_of(content: Any) -> str:
    """Content is text, null, or a list of parts of which those with a `text` count."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return ""


def _clean(text: str, sender: Endpoint) -> str:
    """Lone surrogates are no text that any file could hold: each becomes U+FFFD. The key becomes ***."""
    return sender.strike(text if text.isascii() else _SURROGATES.sub("\ufffd", text))


def read_usage(usage: Any) -> Usage:
    """The tokens that a body tells; none where it tells nothing that can be one."""
    if not isinstance(usage, dict):
        return Usage()
    prompt = _count(usage.get("prompt_tokens"))
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
    return Usage(prompt, _count(usage.get("completion_tokens")), min(cached, prompt))


def _count(value: Any) -> int:
    """A number of tokens; 0 for what cannot be one (JSON's `true` is an int to Python)."""
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else 0
