"""Chat over the OpenAI wire: one aiohttp session, one request a call, three outcomes told apart.

aiohttp, since all requests of a run share one core with everything else that it does, and of the
clients for asyncio it takes the least of it for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
from yarl import URL

from seedbed.core.chat import ChatReply, ChatRequest
from seedbed.core.errors import AttemptFailed, EndpointError, ParameterRefused, RequestRefused
from seedbed.models.openai_dialect import Dialect
from seedbed.models.openai_errors import Endpoint, ServerError
from seedbed.models.openai_reply import parse_body, read_reply

CONNECT_SECONDS = 5.0
LIST_SECONDS = 5.0
MODELS_NAMED = 20
MODEL_NAME_CHARACTERS = 100

# Bytes of a body once unpacked. The longest replies are far below the first; errors and lists of
# models, which are only quoted from, below the second.
LARGEST_REPLY = 64 << 20
LARGEST_NOTICE = 1 << 20


class OpenAIChat:
    """A ChatModel behind an OpenAI-compatible address.

    `base_url` is taken as given (most end in /v1); `/chat/completions` is added. `model` is the one
    that requests name. `api_key_name` is the environment variable that errors about the key name.
    `role` is what the recipe calls it. `timeout` bounds a whole call, in seconds. How many calls run at
    once is the caller's to limit.

    Where the endpoint rejects `seed`, `n`, `max_tokens` or `response_format`, the call fails with
    ParameterRefused, and every later one goes without it, or with what the endpoint does take. Neither
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
        role: str = "teacher",
    ) -> None:
        base = _parse_base(base_url, role)
        shown = str(base.with_user(None).with_query(None)).rstrip("/")
        key = _parse_key(api_key, api_key_name or f"roles.{role}.api_key")
        self._endpoint = Endpoint(shown, key, api_key_name, role)
        self._model = model
        self._chat_url = _below(base, "chat", "completions")
        self._models_url = _below(base, "models")
        self._timeout = timeout
        self._dialect = Dialect()
        self._session: aiohttp.ClientSession | None = None
        self._offer: asyncio.Task[str] | None = None

    def __repr__(self) -> str:
        return f"OpenAIChat({self.endpoint!r}, {self._model!r})"

    @property
    def endpoint(self) -> str:
        return self._endpoint.url

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Send one request (see ChatModel). Raises ParameterRefused where the same call is worth repeating
        at once, as it will be put in other terms."""
        if request.model != self._model:
            raise ValueError(f"a request for {request.model!r} came to the wire of {self._model!r}")
        sent = self._dialect.body(request)
        status, headers, data = await self._post(sent)
        error = self._error_of(status, headers, data)
        if error is None:
            return read_reply(parse_body(data, self._endpoint), request.model, self._endpoint)
        if error.status in (400, 422) and self._dialect.narrow(sent, error):
            raise ParameterRefused(f"{self.endpoint} answered {error}", status=error.status)
        raise await self._failure(error)

    async def close(self) -> None:
        if self._offer is not None:
            self._offer.cancel()
            await asyncio.wait([self._offer])
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        """Made at the first call: a session belongs to the event loop that it was made in."""
        if self._session is None:
            headers = {"Content-Type": "application/json", "User-Agent": "seedbed"}
            if self._endpoint.key:
                headers["Authorization"] = f"Bearer {self._endpoint.key}"
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=CONNECT_SECONDS),
                headers=headers,
                trust_env=False,
            )
        return self._session

    async def _post(self, body: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and whole body. Raises for everything that goes wrong below HTTP.

        Errors are raised `from None`: aiohttp's carry the request's headers, and so the key.
        """
        try:
            data = orjson.dumps(body)
        except orjson.JSONEncodeError as error:
            raise RequestRefused("not_unicode", f"the prompt cannot be sent: {error}") from None
        try:
            async with self._open_session().post(
                self._chat_url, data=data, allow_redirects=False
            ) as response:
                limit = LARGEST_REPLY if response.status < 300 else LARGEST_NOTICE
                return response.status, response.headers, await self._read(response, limit)
        except aiohttp.ConnectionTimeoutError:
            raise self._unreachable(f"no connection within {CONNECT_SECONDS:.0f} s") from None
        except TimeoutError:
            detail = f"{self.endpoint} gave no whole answer within {self._timeout:g} s"
            raise AttemptFailed("timeout", detail) from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError) as error:
            raise EndpointError(
                f"{self.endpoint}: no trusted TLS connection ({self._endpoint.quote(str(error))}); correct "
                f"roles.{self._endpoint.role}.endpoint or install the certificate that it needs"
            ) from None
        except aiohttp.ClientConnectorError as error:
            raise self._unreachable(error.os_error.strerror or str(error.os_error)) from None
        except aiohttp.ClientPayloadError:
            raise AttemptFailed("cut_short", f"{self.endpoint} closed in the middle of its answer") from None
        except aiohttp.ClientResponseError as error:
            detail = f"{self.endpoint} answered what is not HTTP: {self._endpoint.quote(error.message)}"
            raise AttemptFailed("malformed_http", detail) from None
        except aiohttp.ClientError as error:
            detail = f"{self.endpoint} closed the connection without an answer ({type(error).__name__})"
            raise AttemptFailed("reset", detail) from None

    async def _read(self, response: aiohttp.ClientResponse, limit: int) -> bytes:
        """The body, unpacked part by part: a small one may hold gigabytes. Raises AttemptFailed too_large."""
        body = bytearray()  # not a list of parts: a server may send them byte by byte
        async for part in response.content.iter_any():
            body += part
            if len(body) > limit:
                response.close()  # the rest is not wanted, and the connection not fit for another call
                raise AttemptFailed(
                    "too_large",
                    f"{self.endpoint} answered HTTP {response.status} with more than {limit >> 20} MiB, "
                    "which is no chat reply: see to the server or correct "
                    f"roles.{self._endpoint.role}.endpoint",
                    status=response.status,
                )
        return bytes(body)

    def _unreachable(self, why: str) -> AttemptFailed:
        return AttemptFailed("unreachable", self._endpoint.quote(why))

    def _error_of(self, status: int, headers: Mapping[str, str], data: bytes) -> ServerError | None:
        """The error that a response is; some gateways send one in a body with status 200."""
        if 300 <= status < 400:
            raise self._endpoint.moved(status, headers.get("Location", ""))
        if status >= 400:
            return self._endpoint.read_error(status, headers, data)
        if b'"error"' not in data or b'"choices"' in data:
            return None
        body = parse_body(data, self._endpoint)
        inner = body.get("error") if isinstance(body, dict) else None
        code = inner.get("code") if isinstance(inner, dict) else None
        if not isinstance(code, int) or not 400 <= code < 600:
            return None
        return self._endpoint.read_error(code, headers, data)

    async def _failure(self, error: ServerError) -> Exception:
        if not error.means_model_unknown:
            return self._endpoint.outcome(error)
        return EndpointError(
            f"{self.endpoint} has no model {self._model!r} ({error}); {await self._offered()}: correct "
            f"roles.{self._endpoint.role}.model"
        )

    async def _offered(self) -> str:
        """What GET /models says there is, asked once however many calls want to know."""
        if self._offer is None:
            self._offer = asyncio.create_task(self._list_models())
        return await asyncio.shield(self._offer)

    async def _list_models(self) -> str:
        timeout = aiohttp.ClientTimeout(total=LIST_SECONDS)
        try:
            async with self._open_session().get(
                self._models_url, timeout=timeout, allow_redirects=False
            ) as response:
                body = orjson.loads(await self._read(response, LARGEST_NOTICE))
            names = [entry["id"] for entry in body["data"] if isinstance(entry["id"], str)]
        except (aiohttp.ClientError, AttemptFailed, TimeoutError, ValueError, LookupError, TypeError):
            return "it does not say which models it has"
        quoted = (self._endpoint.quote(name, MODEL_NAME_CHARACTERS) for name in names[:MODELS_NAMED])
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


def _parse_key(key: str | None, name: str) -> str | None:
    key = (key or "").strip()  # a key read from a file often ends in a line feed
    if not all("!" <= character <= "~" for character in key):
        raise EndpointError(
            f"the key in {name} holds characters that no HTTP header takes; set it to the key alone"
        )
    return key or None


def _below(base: URL, *parts: str) -> URL:
    """The address below a base, whose query stays: some gateways want an `api-version` there."""
    return base.with_path(base.raw_path.rstrip("/"), encoded=True).joinpath(*parts).with_query(base.query)
