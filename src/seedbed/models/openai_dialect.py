"""What of the OpenAI request, for a chat or a completion, an endpoint takes, learnt from what it rejects."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.chat import ChatRequest
from seedbed.models.openai_errors import ServerError

_FORMATS = ("json_schema", "json_object", "none")
_INSTEAD = (
    "",
    "JSON is asked for without its schema, and replies are checked here",
    "JSON is asked for in the prompt alone, and replies are checked here",
)
# What a request can do without, and what that means.
_OPTIONAL = {
    "seed": "replies cannot be drawn again alike",
    "n": "each answer costs a request of its own",
    "temperature": "the model's own holds for all replies, whatever the recipe says",
    "top_p": "the model's own holds for all replies",
}
_REJECTION = re.compile(
    r"not (?:\w+ )?(?:supported|permitted|allowed|recogni[sz]ed|available|accepted|implemented)"
    r"|unsupported|unknown|unrecogni[sz]ed|unexpected|unavailable|forbidden|invalid|extra|must"
    r"|does(?: not|n't) support",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Dialect:
    """The request as this endpoint wants it. Every rejection narrows it, for the rest of the session."""

    token_limit: str = "max_tokens"
    response_format: str = _FORMATS[0]
    left_out: set[str] = field(default_factory=set)

    def body(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The body of the request, for the model by the name that this endpoint has for it."""
        asked: dict[str, Any] = {"prompt": request.raw}
        if request.raw is None:
            asked = {"messages": [{"role": m.role, "content": m.content} for m in request.messages]}
        body = {"model": model, **asked, **request.sampling.to_json()}
        if self.token_limit != "max_tokens":
            body[self.token_limit] = body.pop("max_tokens")
        if request.n > 1:
            body["n"] = request.n
        if request.seed is not None:
            body["seed"] = request.seed
        if request.schema is not None and self.response_format == "json_schema":
            schema = {"name": "reply", "schema": request.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif request.schema is not None and self.response_format == "json_object":
            body["response_format"] = {"type": "json_object"}
        for name in self.left_out:
            body.pop(name, None)
        return body

    def narrow(self, sent: dict[str, Any], error: ServerError) -> str | None:
        """Give up the parameter that the error rejects; None where it rejects none that was sent.

        Returns what the endpoint does not take, to be told once; empty where that was known. It goes by
        what was sent, not by the present state: of many calls under way at once, the first rejection
        narrows and the others find it done.
        """
        renamed = "max_completion_tokens" in error.message
        if "max_tokens" in sent and renamed and rejects("max_tokens", error):
            self.token_limit = "max_completion_tokens"
            return ""  # the same limit by another name: nobody need know
        if "response_format" in sent and rejects("response_format|json_schema|json_object", error):
            after = _FORMATS.index(sent["response_format"]["type"]) + 1
            if after <= _FORMATS.index(self.response_format):
                return ""
            self.response_format = _FORMATS[after]
            return f"takes no {_FORMATS[after - 1]}: {_INSTEAD[after]}"
        for name, consequence in _OPTIONAL.items():
            if name in sent and rejects(name, error):
                if name in self.left_out:
                    return ""
                self.left_out.add(name)
                return f"takes no {name}: {consequence}"
        return None


def rejects(names: str, error: ServerError) -> bool:
    """Whether the error is about one of these parameters: by its `param`, or in so many words."""
    if re.match(rf"(?:{names})(?![a-z_])", error.param):
        return True
    quoted = r"['\"`]" if len(names) == 1 else r"\b"  # a bare n is no more than a letter
    named = re.search(rf"{quoted}(?:{names}){quoted}", error.message)
    return named is not None and _REJECTION.search(error.message) is not None
