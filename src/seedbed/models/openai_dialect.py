"""What of the OpenAI chat request an endpoint takes, learnt from what it rejects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from seedbed.core.chat import ChatRequest
from seedbed.models.openai_errors import ServerError

_FORMATS = ("json_schema", "json_object", "none")
_REJECTION = re.compile(
    r"not (?:\w+ )?(?:supported|permitted|allowed|recogni[sz]ed|available|accepted|implemented)"
    r"|unsupported|unknown|unrecogni[sz]ed|unexpected|unavailable|forbidden|invalid|extra|must"
    r"|does(?: not|n't) support",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Dialect:
    """The request as this endpoint wants it. Every rejection narrows it, for the rest of the session."""

    takes_seed: bool = True
    takes_n: bool = True
    token_limit: str = "max_tokens"
    response_format: str = _FORMATS[0]

    def body(self, request: ChatRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            **request.sampling.to_json(),
        }
        if self.token_limit != "max_tokens":
            body[self.token_limit] = body.pop("max_tokens")
        if request.n > 1 and self.takes_n:
            body["n"] = request.n
        if request.seed is not None and self.takes_seed:
            body["seed"] = request.seed
        if request.schema is not None and self.response_format == "json_schema":
            schema = {"name": "reply", "schema": request.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif request.schema is not None and self.response_format == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    def narrow(self, sent: dict[str, Any], error: ServerError) -> bool:
        """Give up the parameter that the error rejects; False where it rejects none that was sent.

        It goes by what was sent, not by the present state: of many calls under way at once, the
        first rejection narrows and the others find it done.
        """
        renamed = "max_completion_tokens" in error.message
        if "max_tokens" in sent and renamed and _rejects("max_tokens", error):
            self.token_limit = "max_completion_tokens"
        elif "response_format" in sent and _rejects("response_format|json_schema|json_object", error):
            after = _FORMATS.index(sent["response_format"]["type"]) + 1
            self.response_format = _FORMATS[max(after, _FORMATS.index(self.response_format))]
        elif "seed" in sent and _rejects("seed", error):
            self.takes_seed = False
        elif "n" in sent and _rejects("n", error):
            self.takes_n = False
        else:
            return False
        return True


def _rejects(names: str, error: ServerError) -> bool:
    """Whether the error is about one of these parameters: by its `param`, or in so many words."""
    if re.match(rf"(?:{names})(?![a-z_])", error.param):
        return True
    quoted = r"['\"`]" if len(names) == 1 else r"\b"  # a bare n is no more than a letter
    named = re.search(rf"{quoted}(?:{names}){quoted}", error.message)
    return named is not None and _REJECTION.search(error.message) is not None
