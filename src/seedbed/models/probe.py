"""What an OpenAI-compatible address is and does, found out by asking it a few things of no use otherwise.

`list_models` costs nothing. `ask_all` sends six small chat requests and three about the longest prompt,
outside any reply log and budget.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from yarl import URL

from seedbed.core.chat import Message
from seedbed.core.errors import AttemptFailed, EndpointError, RequestRefused
from seedbed.models.http import HttpClient, HttpFailure
from seedbed.models.openai_errors import Endpoint
from seedbed.models.openai_http import OpenAIHttp, parse_key
from seedbed.models.openai_reply import parse_body, read_reply

# What servers call the context length in GET /models: vLLM, OpenRouter, Groq, Mistral.
_CONTEXT_NAMES = ("max_model_len", "context_length", "context_window", "max_context_length")

PART_CHARACTERS = 2_000
"""Of the longest prompt, at most, from which the tokens of all of it are estimated."""

LEAST_COUNTED = 0.75
"""Of that estimate; an endpoint that counts less has cut the prompt."""

_CODE = "KORMORAN-4471"
_SCHEMA = {
    "type": "object",
    "properties": {"bird": {"type": "string", "enum": [_CODE]}},
    "required": ["bird"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Found:
    """One thing found out. `ok` None: it could not be told. `means` says what a run does about it."""

    what: str
    ok: bool | None
    detail: str
    means: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What GET /models tells: the models' ids, as they are to be shown (the key struck out), and the context
    length of those of which it is said."""

    names: list[str]
    shown: list[str]
    context: Mapping[str, int] = field(default_factory=dict)


async def list_models(url: str, key: str | None = None, *, seconds: float = 2.0) -> tuple[Offer | None, str]:
    """(what GET /models tells, "") or (None, why not). The key is in no text."""
    sender = Endpoint(url, key, None)
    try:
        key = parse_key(key, None, "teacher")
        listed = str(URL(url.rstrip("/") + "/models"))
    except EndpointError:
        return None, "the key holds characters that no HTTP header takes"
    except ValueError:
        return None, "it is no address"
    client = HttpClient({"Authorization": f"Bearer {key}"} if key else {}, seconds)
    try:
        response = await client.get(listed)
    except HttpFailure as failure:
        if failure.kind in ("unreachable", "untrusted", "no_address"):
            return None, sender.quote(str(failure))
        if failure.kind == "timeout":
            return None, f"no answer within {seconds:g} s"
        what = "it does not end" if failure.kind == "too_large" else sender.quote(str(failure))
        return None, f"answered what is no list of models ({what})"
    finally:
        await client.close()
    if response.status != 200:
        return None, str(sender.read_error(response.status, response.headers, response.body))
    try:
        entries = [each for each in orjson.loads(response.body)["data"] if isinstance(each["id"], str)]
    except (ValueError, LookupError, TypeError):
        return None, "answered what is no list of models"
    context = {
        each["id"]: length
        for each in entries
        for name in _CONTEXT_NAMES
        if isinstance(length := each.get(name), int) and length > 0
    }
    names = [each["id"] for each in entries]
    return Offer(names, [sender.quote(name) for name in names], context), ""


async def ask_all(
    url: str,
    model: str,
    key: str | None,
    key_name: str | None,
    *,
    role: str,
    seconds: float,
    longest: Sequence[Message],
    max_tokens: int,
) -> list[Found]:
    """Whether the endpoint answers; what it makes of `n`, `seed`, `temperature`, a schema; whether the
    messages of the `longest` prompt come through whole.

    Stops after the first where that shows that it cannot be used.
    """
    http = OpenAIHttp(url, "chat/completions", model, key, api_key_name=key_name, timeout=seconds, role=role)
    probe = _Probe(http, model)
    try:
        found = [await probe.answers()]
        if found[0].ok:
            checks: tuple[Callable[[], Awaitable[Found]], ...] = (
                probe.choices,
                probe.seed,
                probe.temperature,
                probe.schema,
            )
            found += [await check() for check in checks]
            if longest:
                found.append(await probe.longest_prompt(longest, max_tokens))
        return found
    finally:
        await http.close()


class _Refused(Exception):
    """The endpoint does not answer this request; the text says what it answered instead."""


class _Probe:
    def __init__(self, http: OpenAIHttp, model: str) -> None:
        self._http = http
        self._model = model

    async def _ask(
        self, prompt: str | Sequence[Message], tokens: int = 256, **more: Any
    ) -> tuple[list[str], int]:
        """Texts of the choices, and the prompt tokens that the endpoint counted. Raises _Refused."""
        messages = [Message("user", prompt)] if isinstance(prompt, str) else prompt
        told = [{"role": message.role, "content": message.content} for message in messages]
        body = {"model": self._model, "messages": told}
        for limit in ("max_tokens", "max_completion_tokens"):
            try:
                status, headers, data = await self._http.post({**body, limit: tokens, **more})
                if status == 200:
                    reply = read_reply(parse_body(data, self._http.sender), self._model, self._http.sender)
                    return [choice.text for choice in reply.choices], reply.usage.prompt_tokens
            except (AttemptFailed, RequestRefused, EndpointError) as error:
                raise _Refused(str(error)) from None
            error_said = str(self._http.sender.read_error(status, headers, data))
            if "max_completion_tokens" not in error_said:
                break
        raise _Refused(error_said)

    async def answers(self) -> Found:
        try:
            texts, _ = await self._ask("Answer with the one word: yes")
        except _Refused as error:
            return Found("answers", False, str(error), "a run would stop with this")
        return Found("answers", True, f"{texts[0][:40]!r}" if texts[0] else "an empty text")

    async def choices(self) -> Found:
        means = "each further choice is a request of its own, and pays for its prompt again"
        try:
            texts, _ = await self._ask("Answer with the one word: yes", n=2)
        except _Refused as error:
            return Found("n", False, str(error), means)
        return Found("n", len(texts) == 2, f"asked for 2 choices, got {len(texts)}", means)

    async def seed(self) -> Found:
        prompt = "Write one sentence about any animal, as odd as you can."
        means = "replies cannot be made again; those in the reply log stay"
        try:
            (first, *_), _ = await self._ask(prompt, 64, seed=11, temperature=1.0)
            (second, *_), _ = await self._ask(prompt, 64, seed=11, temperature=1.0)
        except _Refused as error:
            return Found("seed", False, str(error), means)
        same = first == second
        return Found("seed", same, f"equal seeds gave {'equal' if same else 'different'} replies", means)

    async def temperature(self) -> Found:
        means = "leave generate.temperature out of the recipe"
        try:
            await self._ask("Answer with the one word: yes", temperature=0.2)
        except _Refused as error:
            return Found("temperature", False, str(error), means)
        return Found("temperature", True, "0.2 was taken; that it changes anything is not measured")

    async def schema(self) -> Found:
        """The prompt says nothing of the key and value that the schema asks for."""
        form = {"name": "reply", "schema": _SCHEMA, "strict": True}
        means = "replies are read as they come, and more of them are rejected as not_json or invalid_schema"
        try:
            texts, _ = await self._ask(
                "Say hello.", response_format={"type": "json_schema", "json_schema": form}
            )
        except _Refused as error:
            return Found("JSON schema", False, str(error), means)
        read: Any = None
        with suppress(ValueError):
            read = json.loads(texts[0])
        kept = read == {"bird": _CODE}
        return Found("JSON schema", kept, "the reply keeps to it" if kept else "the reply ignores it", means)

    async def longest_prompt(self, messages: Sequence[Message], max_tokens: int) -> Found:
        """A code word is laid before the prompt, where servers cut, and asked for behind it.

        A server that cuts counts fewer tokens than a part of the prompt lets expect, and its answer lacks the
        code word.
        """
        means = "raise the server's context length (Ollama: num_ctx), or shorten the prompts"
        start, question = f"The code word is {_CODE}.\n", "\nWhat is the code word? Answer with it alone."
        first, *others = messages
        opened = [Message(first.role, start + first.content), *others]
        whole = [*opened[:-1], Message(opened[-1].role, opened[-1].content + question)]
        text = "\n".join(message.content for message in messages)
        part = text[: min(PART_CHARACTERS, len(text) // 2)]
        try:
            _, bare = await self._ask(start + question)
            _, some = await self._ask(start + part + question)
            texts, counted = await self._ask(whole, max_tokens)
        except _Refused as error:
            return Found("longest prompt", False, f"refused: {error}", f"{means}, or lower max_tokens")
        expected = round(bare + (some - bare) * len(text) / max(1, len(part)))
        told = f"{counted:,} prompt tokens counted, about {expected:,} expected for {len(text):,} characters"
        few = bool(counted) and counted < LEAST_COUNTED * expected
        if _CODE in texts[0]:
            said = f"its beginning was read; {told if counted else 'no count'}"
            # Such a count may leave out what the server had in its cache, or the text be unlike its start.
            return Found("longest prompt", None if few else True, said, f"look whether it is cut: {means}")
        if few:
            return Found("longest prompt", False, f"cut in silence: {told}", means)
        why = f"the answer lacks its beginning; {told if counted else 'it counts no tokens'}"
        return Found("longest prompt", None, why, f"look whether it is cut: {means}")
