"""Embeddings over the OpenAI wire: one request a call, a vector for each text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedbed.core.chat import Usage
from seedbed.core.errors import AttemptFailed, ParameterRefused
from seedbed.models.openai_dialect import rejects
from seedbed.models.openai_errors import Endpoint
from seedbed.models.openai_http import OpenAIHttp
from seedbed.models.openai_reply import parse_body, read_usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Embedded:
    """Float32 vectors of shape (texts, dimensions), and the tokens that the endpoint says it read."""

    vectors: NDArray[np.float32]
    usage: Usage


class OpenAIEmbeddings:
    """A model of embeddings behind an OpenAI-compatible address; `/embeddings` is added to it.

    Vectors are asked for as base64, a third of the bytes of a list of numbers and cheap to read; where the
    endpoint rejects that, the call fails with ParameterRefused and every later one leaves the form to the
    endpoint. Either form is read, whatever was asked for. The other arguments are those of OpenAIChat.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        api_key_name: str | None = None,
        timeout: float = 120.0,
        role: str = "embedder",
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._model = model
        self._http = OpenAIHttp(
            base_url,
            "embeddings",
            model,
            api_key,
            api_key_name=api_key_name,
            timeout=timeout,
            role=role,
        )
        self._encoding: str | None = "base64"
        self._note = note

    def __repr__(self) -> str:
        return f"OpenAIEmbeddings({self.endpoint!r}, {self._model!r})"

    @property
    def endpoint(self) -> str:
        return self._http.sender.url

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Send one request: vectors of shape (texts, dimensions), in order.

        Raises AttemptFailed (may heal), RequestRefused (one of the texts never will) or EndpointError.
        """
        http = self._http
        sent: dict[str, Any] = {"model": self._model, "input": list(texts)}
        if self._encoding is not None:
            sent["encoding_format"] = self._encoding
        status, headers, data = await http.post(sent)
        error = http.error_of(status, headers, data, marker=b'"data"')
        if error is None:
            body = parse_body(data, http.sender)
            usage = read_usage(body.get("usage") if isinstance(body, dict) else None)
            return Embedded(read_vectors(body, len(texts), http.sender), Usage(usage.prompt_tokens))
        if error.status in (400, 422) and "encoding_format" in sent and rejects("encoding_format", error):
            self._encoding = None
            raise ParameterRefused(f"{self.endpoint} answered {error}", status=error.status)
        raise await http.failure(error)

    async def close(self) -> None:
        await self._http.close()


def read_vectors(body: Any, count: int, sender: Endpoint) -> NDArray[np.float32]:
    """The vectors of a response, by their index. Raises AttemptFailed where they are not what was asked."""
    import numpy as np

    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise _unusable(sender, "a body without the list `data`")
    if len(data) != count:
        raise _unusable(sender, f"{len(data)} vectors for {count} texts")
    if all(isinstance(entry.get("index"), int) for entry in data):
        data = sorted(data, key=lambda entry: entry["index"])
    rows = [_read_vector(entry.get("embedding"), sender) for entry in data]
    if len({row.size for row in rows}) > 1 or not rows[0].size:
        raise _unusable(sender, "vectors of different lengths, or of none")
    vectors = np.stack(rows)
    if not np.isfinite(vectors).all():
        raise _unusable(sender, "a vector with numbers that are not finite")
    return vectors


def _read_vector(value: Any, sender: Endpoint) -> NDArray[np.float32]:
    import numpy as np

    try:
        if isinstance(value, str):
            return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").astype(np.float32)
        if isinstance(value, list):
            return np.array(value, dtype=np.float32).reshape(len(value))
    except (binascii.Error, ValueError, TypeError, OverflowError):
        pass
    raise _unusable(sender, "an `embedding` that is neither numbers nor base64 of 32-bit floats")


def _unusable(sender: Endpoint, what: str) -> AttemptFailed:
    return AttemptFailed("malformed_body", f"{sender.url} answered HTTP 200 with {what}", status=200)
