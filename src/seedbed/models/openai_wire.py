"""Chat over the OpenAI wire: one request a call, three outcomes told apart."""

from __future__ import annotations

from collections.abc import Callable

from seedbed.core.chat import ChatReply, ChatRequest
from seedbed.core.errors import ParameterRefused
from seedbed.models.openai_dialect import Dialect
from seedbed.models.openai_http import OpenAIHttp
from seedbed.models.openai_reply import as_chat, parse_body, read_reply


class OpenAIChat:
    """A ChatModel behind an OpenAI-compatible address.

    `base_url` is taken as given (most end in /v1); `/chat/completions` is added, or `/completions` for a
    request whose text a model goes on writing as it stands. `model` is the one
    that requests name, `called` the name that this endpoint has for it. `api_key_name` is the environment
    variable that errors about the key name, `role` the role of the recipe that errors name. `timeout`
    bounds a whole call, in seconds. How many calls run at once is the caller's to limit.

    Where the endpoint rejects a parameter that it can do without, the call fails with ParameterRefused,
    and every later one goes without it, or with what the endpoint does take; `note` is told once. Neither
    key nor credentials in the URL show in any error or repr.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        api_key_name: str | None = None,
        timeout: float = 120.0,
        called: str | None = None,
        role: str = "teacher",
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._model = model
        self._called = called or model
        self._chat, self._raw = (
            OpenAIHttp(
                base_url,
                path,
                self._called,
                api_key,
                api_key_name=api_key_name,
                timeout=timeout,
                role=role,
            )
            for path in ("chat/completions", "completions")
        )
        self._dialect = Dialect()
        self._note = note

    def __repr__(self) -> str:
        return f"OpenAIChat({self.endpoint!r}, {self._called!r})"

    @property
    def endpoint(self) -> str:
        return self._chat.sender.url

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Send one request (see ChatModel). Raises ParameterRefused where the same call is worth repeating
        at once, as it will be put in other terms."""
        if request.model != self._model:
            raise ValueError(f"a request for {request.model!r} came to the wire of {self._model!r}")
        http = self._chat if request.raw is None else self._raw
        sent = self._dialect.body(request, self._called)
        status, headers, data = await http.post(sent)
        error = http.error_of(status, headers, data)
        if error is None:
            body = parse_body(data, http.sender)
            return read_reply(
                body if request.raw is None else as_chat(body, http.sender), request.model, http.sender
            )
        if error.status in (400, 422) and (given_up := self._dialect.narrow(sent, error)) is not None:
            if given_up:
                self._note(f"{self.endpoint} ({self._called}) {given_up} ({error})")
            raise ParameterRefused(f"{self.endpoint} answered {error}", status=error.status)
        raise await http.failure(error)

    async def close(self) -> None:
        await self._chat.close()
        await self._raw.close()
