"""One POST below an OpenAI-compatible address: what chat and embeddings share of the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
from yarl import URL

from seedbed.core.errors import AttemptFailed, EndpointError, RequestRefused
from seedbed.models.http import HttpClient, HttpFailure
from seedbed.models.openai_errors import Endpoint, ServerError
from seedbed.models.openai_reply import parse_body

LIST_SECONDS = 5.0
MODELS_NAMED = 20
MODEL_NAME_CHARACTERS = 100


class OpenAIHttp:
    """Requests to one address, and its responses told apart.

    `base_url` is taken as given (most end in /v1); `path` is added. `model` is the one that errors
    about it name. `api_key_name` is the environment variable that errors about the key name, `role` the
    role of the recipe. `timeout` bounds a whole call, in seconds. Neither key nor credentials in the URL
    show in any error or repr.
    """

    def __init__(
        self,
        base_url: str,
        path: str,
        model: str,
        api_key: str | None,
        *,
        api_key_name: str | None,
        timeout: float,
        role: str,
    ) -> None:
        base = _parse_base(base_url, role)
        shown = str(base.with_user(None).with_query(None)).rstrip("/")
        key = parse_key(api_key, api_key_name, role)
        self.sender = Endpoint(shown, key, api_key_name, role, path)
        self._model = model
        self._url = str(_below(base, *path.split("/")))
        self._models_url = str(_below(base, "models"))
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._client = HttpClient(headers, timeout)
        self._offer: asyncio.Task[str] | None = None

    async def close(self) -> None:
        if self._offer is not None:
            self._offer.cancel()
            await asyncio.wait([self._offer])
        await self._client.close()

    async def post(self, body: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and whole body. Raises for everything that goes wrong below HTTP."""
        try:
            data = orjson.dumps(body)
        except orjson.JSONEncodeError as error:
            raise RequestRefused("not_unicode", f"the prompt cannot be sent: {error}") from None
        try:
            return await self._client.post(self._url, data)
        except HttpFailure as failure:
            raise self._outcome(failure) from None

    def _outcome(self, failure: HttpFailure) -> AttemptFailed | EndpointError:
        said, url, role = self.sender.quote(str(failure)), self.sender.url, self.sender.role
        match failure.kind:
            case "no_address":
                return EndpointError(f"{url} is no address ({said}); correct roles.{role}.endpoint")
            case "unreachable":
                return AttemptFailed("unreachable", said)
            case "untrusted":
                return EndpointError(
                    f"{url}: no trusted TLS connection ({said}); correct roles.{role}.endpoint or install "
                    "the certificate that it needs"
                )
            case "timeout":
                return AttemptFailed("timeout", f"{url} gave {said}")
            case "reset":
                return AttemptFailed("reset", f"{url} closed the connection without an answer")
            case "cut_short":
                return AttemptFailed("cut_short", f"{url} closed in the middle of its answer")
            case "not_http":
                return AttemptFailed("malformed_http", f"{url} answered what is not HTTP: {said}")
            case "too_large":
                return AttemptFailed(
                    "too_large",
                    f"{url} answered HTTP {failure.status} with {said}, which is no reply: see to the server "
                    f"or correct roles.{role}.endpoint",
                    status=failure.status,
                )

    def error_of(
        self, status: int, headers: Mapping[str, str], data: bytes, marker: bytes = b'"choices"'
    ) -> ServerError | None:
        """The error that a response is; some gateways send one in a body with status 200.

        A body that holds `marker` is an answer whatever else it holds.
        """
        if 300 <= status < 400:
            raise self.sender.moved(status, headers.get("Location", ""))
        if status >= 400:
            return self.sender.read_error(status, headers, data)
        if b'"error"' not in data or marker in data:
            return None
        body = parse_body(data, self.sender)
        inner = body.get("error") if isinstance(body, dict) else None
        code = inner.get("code") if isinstance(inner, dict) else None
        if not isinstance(code, int) or not 400 <= code < 600:
            return None
        return self.sender.read_error(code, headers, data)

    async def failure(self, error: ServerError) -> Exception:
        if not error.means_model_unknown:
            return self.sender.outcome(error)
        return EndpointError(
            f"{self.sender.url} has no model {self._model!r} ({error}); {await self._offered()}: correct "
            f"roles.{self.sender.role}.model"
        )

    async def _offered(self) -> str:
        """What GET /models says there is, asked once however many calls want to know."""
        if self._offer is None:
            self._offer = asyncio.create_task(self._list_models())
        return await asyncio.shield(self._offer)

    async def _list_models(self) -> str:
        try:
            body = orjson.loads((await self._client.get(self._models_url, LIST_SECONDS)).body)
            names = [entry["id"] for entry in body["data"] if isinstance(entry["id"], str)]
        except (HttpFailure, ValueError, LookupError, TypeError):
            return "it does not say which models it has"
        quoted = (self.sender.quote(name, MODEL_NAME_CHARACTERS) for name in names[:MODELS_NAMED])
        shown = ", ".join(quoted) or "none"
        more = f" and {len(names) - MODELS_NAMED} more" if len(names) > MODELS_NAMED else ""
        return f"it offers {shown}{more}"


def _parse_base(text: str, role: str) -> URL:
    try:
        base = URL(text.strip())
        usable = base.scheme in ("http", "https") and bool(base.host)
    except ValueError:
        usable = False
    if not usable:
        raise EndpointError(
            f"roles.{role}.endpoint is not an address; write one like http://127.0.0.1:8000/v1"
        )
    return base


def parse_key(key: str | None, name: str | None, role: str) -> str | None:
    key = (key or "").strip()  # a key read from a file often ends in a line feed
    if not all("!" <= character <= "~" for character in key):
        raise EndpointError(
            f"the key in {name or f'roles.{role}.api_key'} holds characters that no HTTP header takes; "
            "set it to the key alone"
        )
    return key or None


def _below(base: URL, *parts: str) -> URL:
    """The address below a base, whose query stays: some gateways want an `api-version` there."""
    return base.with_path(base.raw_path.rstrip("/"), encoded=True).joinpath(*parts).with_query(base.query)
