"""One POST below an OpenAI-compatible address: what chat and embeddings share of the wire.

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

from seedbed.core.errors import AttemptFailed, EndpointError, RequestRefused
from seedbed.models.openai_errors import Endpoint, ServerError
from seedbed.models.openai_reply import parse_body

CONNECT_SECONDS = 5.0
LIST_SECONDS = 5.0
MODELS_NAMED = 20
MODEL_NAME_CHARACTERS = 100

# Bytes of a body once unpacked. The longest replies are far below the first; errors and lists of
# models, which are only quoted from, below the second.
LARGEST_REPLY = 64 << 20
LARGEST_NOTICE = 1 << 20


class OpenAIHttp:
    """A session for one address, and its responses told apart.

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
        key = _parse_key(api_key, api_key_name, role)
        self.sender = Endpoint(shown, key, api_key_name, role, path)
        self._model = model
        self._url = _below(base, *path.split("/"))
        self._models_url = _below(base, "models")
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._offer: asyncio.Task[str] | None = None

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
            if self.sender.key:
                headers["Authorization"] = f"Bearer {self.sender.key}"
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=CONNECT_SECONDS),
                headers=headers,
                trust_env=False,
            )
        return self._session

    async def post(self, body: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and whole body. Raises for everything that goes wrong below HTTP.

        Errors are raised `from None`: aiohttp's carry the request's headers, and so the key.
        """
        try:
            data = orjson.dumps(body)
        except orjson.JSONEncodeError as error:
            raise RequestRefused("not_unicode", f"the prompt cannot be sent: {error}") from None
        try:
            # Wrapped here: aiohttp would look through all kinds of body that there are for one that fits.
            payload = aiohttp.BytesPayload(data, content_type="application/json")
            async with self._open_session().post(self._url, data=payload, allow_redirects=False) as response:
                limit = LARGEST_REPLY if response.status < 300 else LARGEST_NOTICE
                return response.status, response.headers, await self._read(response, limit)
        except aiohttp.ConnectionTimeoutError:
            raise self._unreachable(f"no connection within {CONNECT_SECONDS:.0f} s") from None
        except TimeoutError:
            detail = f"{self.sender.url} gave no whole answer within {self._timeout:g} s"
            raise AttemptFailed("timeout", detail) from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError) as error:
            raise EndpointError(
                f"{self.sender.url}: no trusted TLS connection ({self.sender.quote(str(error))}); correct "
                f"roles.{self.sender.role}.endpoint or install the certificate that it needs"
            ) from None
        except aiohttp.ClientConnectorError as error:
            raise self._unreachable(error.os_error.strerror or str(error.os_error)) from None
        except aiohttp.ClientPayloadError:
            raise AttemptFailed(
                "cut_short", f"{self.sender.url} closed in the middle of its answer"
            ) from None
        except aiohttp.ClientResponseError as error:
            detail = f"{self.sender.url} answered what is not HTTP: {self.sender.quote(error.message)}"
            raise AttemptFailed("malformed_http", detail) from None
        except aiohttp.ClientError as error:
            detail = f"{self.sender.url} closed the connection without an answer ({type(error).__name__})"
            raise AttemptFailed("reset", detail) from None

    async def _read(self, response: aiohttp.ClientResponse, limit: int) -> bytes:
        """The body, unpacked part by part: a small one may hold gigabytes. Raises AttemptFailed too_large."""
        if "Content-Encoding" not in response.headers and (response.content_length or limit) < limit:
            return await response.read()  # it is as long as it says
        body = await read_at_most(response, limit)
        if body is None:
            raise AttemptFailed(
                "too_large",
                f"{self.sender.url} answered HTTP {response.status} with more than {limit >> 20} MiB, "
                f"which is no reply: see to the server or correct roles.{self.sender.role}.endpoint",
                status=response.status,
            )
        return body

    def _unreachable(self, why: str) -> AttemptFailed:
        return AttemptFailed("unreachable", self.sender.quote(why))

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
        timeout = aiohttp.ClientTimeout(total=LIST_SECONDS)
        try:
            async with self._open_session().get(
                self._models_url, timeout=timeout, allow_redirects=False
            ) as response:
                body = orjson.loads(await self._read(response, LARGEST_NOTICE))
            names = [entry["id"] for entry in body["data"] if isinstance(entry["id"], str)]
        except (aiohttp.ClientError, AttemptFailed, TimeoutError, ValueError, LookupError, TypeError):
            return "it does not say which models it has"
        quoted = (self.sender.quote(name, MODEL_NAME_CHARACTERS) for name in names[:MODELS_NAMED])
        shown = ", ".join(quoted) or "none"
        more = f" and {len(names) - MODELS_NAMED} more" if len(names) > MODELS_NAMED else ""
        return f"it offers {shown}{more}"


async def read_at_most(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """The whole body; None where it is longer, whose rest is not waited for."""
    body = bytearray()  # not a list of parts: a server may send them byte by byte
    async for part in response.content.iter_any():
        body += part
        if len(body) > limit:
            response.close()  # the rest is not wanted, and the connection not fit for another call
            return None
    return bytes(body)


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


def _parse_key(key: str | None, name: str | None, role: str) -> str | None:
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
