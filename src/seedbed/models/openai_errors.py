"""What an OpenAI-compatible endpoint means by an error: the body it sends, and the outcome it is.

The outcomes are those of core.errors: AttemptFailed may heal, RequestRefused concerns this one
request, EndpointError all requests.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote as percent_encode

import orjson

from seedbed.core.errors import AttemptFailed, EndpointError, RequestRefused

QUOTED_CHARACTERS = 500

# Shorter keys are words ("EMPTY", "fake") as often as secrets: in replies they are left as they are.
SECRET_CHARACTERS = 8

# Seconds. An endpoint that asks for more does not mean a wait; its figure may have any number of digits.
LONGEST_WAIT = 1_000_000

# Codes that mean one thing only, whatever the status; `no_recorded_reply` is our own server's.
_REFUSED_CODES = {
    "context_length_exceeded": "context_length",
    "exceed_context_size_error": "context_length",
    "content_policy_violation": "content_policy",
    "content_filter": "content_policy",
    "no_recorded_reply": "no_recorded_reply",
}
_CONTEXT = re.compile(
    r"context[ _](?:length|size|window)|prompt is too long|too many (?:input )?tokens|maximum input length",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"content (?:management )?polic|content[ _]filter|safety system|moderation", re.IGNORECASE
)
_MODEL = re.compile(
    r"model\b.{0,100}?\b(?:not found|not exist|doesn't exist|not available)"
    r"|(?:unknown|invalid|no such) model",
    re.IGNORECASE | re.DOTALL,
)
_OUT_OF_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_HEALING = frozenset({408, 409, 425, 429})
_NO_SUCH_ADDRESS = frozenset({404, 405, 410})


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error response, read as far as it can be. Its texts are free of secrets."""

    status: int
    message: str
    code: str = ""
    param: str = ""
    retry_after: float | None = None

    @property
    def means_model_unknown(self) -> bool:
        """A model that the endpoint does not have, where it is not the address that is wrong."""
        if self.status not in (400, 404, 422):
            return False
        return self.code == "model_not_found" or _MODEL.search(self.message) is not None

    def __str__(self) -> str:
        return f"HTTP {self.status}: {self.message}" if self.message else f"HTTP {self.status}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How errors speak of an endpoint and of the recipe's role that it fills.

    `key` is known only to be struck out of what they quote. `path` is what is asked for below the address.
    """

    url: str
    key: str | None = None
    key_name: str | None = None
    role: str = "teacher"
    path: str = "chat/completions"

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    def strike(self, text: str) -> str:
        """A text of the server's that is kept (a reply, the model's name), without the key."""
        if self.key is None or len(self.key) < SECRET_CHARACTERS:
            return text
        return _strike(self.key, text)

    def quote(self, text: str, most: int = QUOTED_CHARACTERS) -> str:
        """What the server said, on one line, short, without the key, and harmless to a terminal.

        A key of any length is struck out here, and before the text is cut: half a key is one too.
        """
        if self.key:
            text = _strike(self.key, text)
        line = _escape(" ".join(text[: 8 * most].split()))
        return line if len(line) <= most else line[: most - 1] + "…"

    def read_error(self, status: int, headers: Mapping[str, str], data: bytes) -> ServerError:
        """Read an error response: OpenAI's form, those of vLLM, FastAPI and llama.cpp, or plain text."""
        retry_after = read_retry_after(headers.get("Retry-After"))
        try:
            body = orjson.loads(data)
        except orjson.JSONDecodeError:
            return ServerError(status, self.quote(data.decode("utf-8", "replace")), "", "", retry_after)
        error = body.get("error", body) if isinstance(body, dict) else body
        if not isinstance(error, dict):
            return ServerError(status, self.quote(_as_text(error)), "", "", retry_after)
        message = error.get("message") or error.get("detail") or error
        code = error.get("code")
        if not isinstance(code, str):
            code = error.get("type")
        return ServerError(
            status,
            self.quote(_as_text(message)),
            self.quote(code) if isinstance(code, str) else "",
            self.quote(error["param"]) if isinstance(error.get("param"), str) else "",
            retry_after,
        )

    def outcome(self, error: ServerError) -> AttemptFailed | RequestRefused | EndpointError:
        """The exception that an error response stands for, unless the endpoint lacks the model."""
        status, told = error.status, f"{self.url} answered {error}"
        if error.code in _OUT_OF_CREDIT or status == 402:
            return EndpointError(f"{told}; the account has no credit left: top it up and run again")
        if status in _HEALING or status >= 500:
            if error.retry_after is not None and error.retry_after > LONGEST_WAIT:
                return EndpointError(
                    f"{told}; it asks to wait more than {LONGEST_WAIT} s (Retry-After): see to the server or "
                    f"name another as roles.{self.role}.endpoint, and run the same command again",
                    status=status,
                )
            return AttemptFailed(f"http_{status}", told, status=status, retry_after=error.retry_after)
        if error.code in _REFUSED_CODES:
            return RequestRefused(_REFUSED_CODES[error.code], told, status=status)
        if status in (401, 403):
            return self._key_refused(error)
        if status in _NO_SUCH_ADDRESS:
            return EndpointError(
                f"{told}; there is no {self.path.partition('/')[0]} at that address: correct "
                f"roles.{self.role}.endpoint (most end in /v1; /{self.path} is added to it)"
            )
        if status == 413 or _CONTEXT.search(error.message):
            return RequestRefused("context_length", told, status=status)
        if _POLICY.search(error.message):
            return RequestRefused("content_policy", told, status=status)
        return RequestRefused("bad_request", told, status=status)

    def moved(self, status: int, location: str) -> EndpointError:
        """Redirects are not followed: they would carry the prompt, and the key, to another host."""
        target = self.quote(location.partition("?")[0]) or "an address that it does not name"
        return EndpointError(
            f"{self.url} redirects to {target} (HTTP {status}); give the address that answers itself as "
            f"roles.{self.role}.endpoint"
        )

    def _key_refused(self, error: ServerError) -> EndpointError:
        if self.key and self.key_name:
            return EndpointError(
                f"{self.url} refused the key in {self.key_name} ({error}); set {self.key_name} to a key "
                "that this endpoint accepts"
            )
        if self.key:
            return EndpointError(f"{self.url} refused the key ({error}); give one that it accepts")
        name = self.key_name or "OPENAI_API_KEY"
        return EndpointError(f"{self.url} wants a key and was sent none ({error}); set {name}")


def read_retry_after(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, which gives seconds or an HTTP date; None if neither."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):  # the latter by a time zone beyond all bounds
            return None
    return max(seconds, 0.0) if seconds < float("inf") else None


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:  # orjson reads deeper than json writes
        return "(nested too deeply to show)"


def _strike(key: str, text: str) -> str:
    """The text with *** for the key: as it is, and as JSON, PHP's JSON and URLs spell it."""
    in_json = json.dumps(key)[1:-1]
    spellings = {key, in_json, in_json.replace("/", r"\/"), percent_encode(key, safe="")}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "***")
    return text


def _escape(line: str) -> str:
    """Escape what moves the cursor, recolours, or turns the direction of writing, as in a literal."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
