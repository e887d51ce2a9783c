"""A small task and records for filters, and the way from a filter to what it drops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.core.chat import Choice, LoggedReply, Message, ReplyKey, Sketch
from seedbed.core.protocols import CorpusFilter, EvalHit, FilterContext, ModelFilter
from seedbed.core.record import Provenance, Record, Unreadable
from seedbed.core.verdict import Verdict
from seedbed.filters import FILTERS
from seedbed.run.filtering import FilterSet
from seedbed.tasks.classification import Classification
from seedbed.tasks.instruction import Instruction
from seedbed.text.minhash import candidate_pairs
from seedbed.text.overlap import EvalIndex
from seedbed.text.reduce import reduce

TICKETS = Classification.bind(Classification.Options(input="text", label="label"), ["lost", "fee", "other"])
QUESTIONS = Instruction.bind(Instruction.Options(prompt="question", answer="answer"), None)


class InProcessLock:
    """The eval lock's protocol over an index in the same process."""

    def __init__(self, texts: Sequence[str], canary: str = "canary-7f1c") -> None:
        self._texts = list(texts)
        self._canary = canary

    def check(self, texts: Sequence[str]) -> list[list[EvalHit]]:
        found = EvalIndex(self._texts).check(texts)
        return [
            [EvalHit("canary", 1.0, 0)] if self._canary in text else hits
            for text, hits in zip(texts, found, strict=True)
        ]


class FromMemory:
    """A `ContentAsking` whose model gives these replies, one a question, the last for ever.

    `asked` are the prompts as they were rendered. A reply that is an error is raised.
    """

    def __init__(self, filter_: ModelFilter, *replies: str | Choice | Exception) -> None:
        self.asked: list[tuple[Message, ...]] = []
        self._prompts = filter_.prompts
        self._replies = list(replies)

    async def ask(
        self,
        template: str,
        *,
        role: str,
        schema: Mapping[str, Any] | None = None,
        n: int = 1,
        sketch: Sketch | None = None,
        **variables: Any,
    ) -> tuple[LoggedReply, ...]:
        task = {"kind": "", "description": "", "label": "label", "input": "text", "answer": "answer"}
        values = {"task": task, "labels": ["lost", "fee"], "fields": ["text", "label"], **variables}
        self.asked.append(self._prompts[template].render(values))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, Exception):
            raise reply
        choice = Choice(reply) if isinstance(reply, str) else reply
        return (LoggedReply(ReplyKey(b"request", b"scope", len(self.asked) - 1), choice, "m", "memory"),)


def record(key: str, /, unreadable: Unreadable | None = None, **fields: Any) -> Record:
    provenance = Provenance(origin="generated", source="teacher", method="direct", depth=1)
    return Record(key, fields, provenance, unreadable=unreadable)


def ticket(text: Any, key: str = "r", label: Any = "other") -> Record:
    return record(key, text=text, label=label)


def unread(text: str, cause: Any = "not_json", key: str = "r") -> Record:
    return record(key, unreadable=Unreadable(cause, "expected a JSON object", text))


# Filters that say nothing without being told what.
NEEDED: dict[str, dict[str, Any]] = {
    "forbidden": {"phrases": ["where my lamp"]},
    "verify": {"json_schema": {"text": {"type": "object"}}},
    "language": {"languages": ["de"]},
    "groundedness": {"source": ["text"], "fields": ["text"]},
    "faithfulness": {"source": ["text"], "fields": ["text"]},
    "constraints": {"fields": {"text": {"words": {"at_least": 6}, "exclude": ["oven"]}}},
}


def build(name: str, context: FilterContext, **options: Any) -> Any:
    options = options or NEEDED.get(name, {})
    plugin = FILTERS.get(name)
    return plugin.build(plugin.Options(**options), context)


def verdicts_of(each: Any, records: Sequence[Record]) -> list[Verdict]:
    """The filter's verdict on each record, as a run has it: where it says nothing, it keeps."""
    return [found.verdicts[0] for found in FilterSet((each,), ()).check(records)]


def falls(corpus: CorpusFilter, texts: Sequence[str]) -> dict[str, tuple[str, float]]:
    """Who falls to whom among these texts, by the way a run finds it: keys, edges, reducer."""
    pairs = candidate_pairs(corpus.keys(texts))
    edges = [
        (str(a), str(b), score) for a, b in pairs if (score := corpus.edge(texts[a], texts[b])) is not None
    ]
    return reduce([str(place) for place in range(len(texts))], edges)


def dropped(context: FilterContext, names: Sequence[str], texts: Sequence[str]) -> dict[str, list[str]]:
    """For each filter in order, the texts that it takes out of what those before it left."""
    left = list(texts)
    out: dict[str, list[str]] = {}
    for name in names:
        each = build(name, context)
        if each.kind == "record":
            verdicts = verdicts_of(each, [ticket(text) for text in left])
            gone = {place for place, verdict in enumerate(verdicts) if not verdict.keep}
        else:
            gone = {int(place) for place in falls(each, left)}
        out[name] = [text for place, text in enumerate(left) if place in gone]
        left = [text for place, text in enumerate(left) if place not in gone]
    return out
