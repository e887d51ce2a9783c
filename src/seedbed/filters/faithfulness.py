"""`faithfulness`: a second model names what an answer claims, and which words of its source bear that out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from seedbed.core.chat import Choice
from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.filters.scoring import HIGHEST, LOWEST, ScoringFilter, ScoringOptions, read_object, read_whole
from seedbed.filters.standing import (
    Standing,
    StandingOptions,
    problems_without_documents,
    says_it_is_not_there,
    standing_problems,
)
from seedbed.filters.subject import excerpt
from seedbed.prompts.templates import library_template
from seedbed.text.claims import span_of

_PROMPT = "faithfulness/claims"
_CLAIM = {
    "type": "object",
    "properties": {
        "claim": {"type": "string"},
        "quote": {"type": "string"},
        "score": {"type": "integer", "enum": list(range(LOWEST, HIGHEST + 1))},
    },
    "required": ["claim", "quote", "score"],
    "additionalProperties": False,
}


class Faithfulness(ScoringFilter):
    """The judge splits an answer into claims and scores each by a quotation; the record has the lowest score.

    Claims one by one, as in FActScore (Min et al. 2023, arXiv 2305.14251). That a quotation stands in the
    source is checked here: a claim with none that does has the lowest score, whatever the judge gave it.
    Nothing is asked about a record without a source or an answer, or whose answer is that the source does not
    tell.
    """

    name: ClassVar = "faithfulness"
    version: ClassVar = 1
    schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"claims": {"type": "array", "items": _CLAIM}},
        "required": ["claims"],
        "additionalProperties": False,
    }

    class Options(StandingOptions, ScoringOptions):
        pass

    def __init__(self, standing: Standing, options: Options) -> None:
        super().__init__(library_template(_PROMPT), options)
        self._standing = standing

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Faithfulness:
        return cls(Standing(context.task, options, context.documents), options)

    @classmethod
    def problems(cls, options: Options, task: Task) -> Iterator[tuple[tuple[str, ...], str]]:
        return standing_problems(options, task)

    problems_without_documents = staticmethod(problems_without_documents)

    def content(self, record: Record) -> Mapping[str, Any]:
        return {
            "question": self._standing.question(record),
            "source": self._standing.source(record),
            "answer": self._standing.answer(record),
        }

    def not_asked(self, record: Record, content: Mapping[str, Any]) -> tuple[str, str] | None:
        if says_it_is_not_there(record):
            return "not_in_source", "its answer is that the source does not tell"
        lacking = next((name for name in ("source", "answer") if not content[name]), None)
        return (f"no_{lacking}", f"the record has no {lacking}") if lacking else None

    def read(self, choice: Choice, content: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | str:
        claims = read_claims(choice)
        if isinstance(claims, str):
            return claims
        scored = [claim.held_against(content["source"]) for claim in claims]
        worst = min(scored, key=lambda claim: claim.score)
        return worst.score, {
            "says": excerpt(worst.text),
            "quote": excerpt(worst.quote),
            "claims": len(claims),
            "misquoted": sum(claim not in claims for claim in scored),
        }


@dataclass(frozen=True, slots=True)
class Claim:
    """What an answer claims, the words of the source that are to bear it out, and how far they do."""

    text: str
    quote: str
    score: int

    def held_against(self, source: str) -> Claim:
        """With the lowest score where the quotation does not stand in the source."""
        return self if span_of(self.quote, source) is not None else replace(self, score=LOWEST)


def read_claims(choice: Choice) -> list[Claim] | str:
    """The claims of a reply, or what is wrong with it."""
    said = read_object(choice)
    if isinstance(said, str):
        return said
    claims = said.get("claims")
    if not isinstance(claims, list) or not claims:
        return '"claims" must be a list of what the answer claims, one thing at the least'
    found = []
    for each in claims:
        text, quote = (each.get(name) if isinstance(each, dict) else None for name in ("claim", "quote"))
        if not isinstance(text, str) or not text.strip() or not isinstance(quote, str):
            return 'each of "claims" must have a "claim" and a "quote", which are texts'
        if isinstance(score := read_whole(each.get("score")), str):
            return score
        found.append(Claim(text, quote, score))
    return found
