"""The rehearsal teacher: answers any request from its hints, for nothing, and plants known faults.

It lets a recipe run from end to end without an endpoint, and lets the report say how many of the
faults it planted each filter caught. It proves the pipeline, never the quality of data.

How a report recomputes what was planted. The executor asks for draws `first`, `first + 1`, ... in
one call whose seed is `seed_from(request hash, scope, first)`, all of which stand in the reply's
key, and `fault_at(key)` works from that key alone. Two things only the request's hints tell: that
there was no example to copy (then a planned copy is a clean reply), and that the reply was bare
text (then there is only one way to break it). Where a recipe has no examples or asks for text,
or where shares of edited words must be exact, rebuild the request and ask `fault_of(request)`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from seedbed.core.chat import ChatReply, ChatRequest, Choice, Hints, ReplyKey, Usage
from seedbed.core.hashing import seed_from
from seedbed.models.call_seed import call_seed
from seedbed.models.imitation import imitate, invented, joined, neutral, repeats, words_of
from seedbed.models.planted_faults import REFUSALS, Fault, Faults, cut, edited, planted_fault, with_prose

_TRIES = 8
_CHARACTERS_A_TOKEN = 4

Fields = dict[str, str]


class RehearsalTeacher:
    """A ChatModel whose replies depend on its seed, the request and its hints, never on arrival."""

    name: ClassVar[str] = "rehearsal"
    version: ClassVar[int] = 1
    Options: ClassVar[type[Faults]] = Faults

    def __init__(self, seed: int, faults: Faults, model: str = "rehearsal") -> None:
        self.seed = seed
        self.faults = faults
        self.model = model

    @property
    def endpoint(self) -> str:
        return "rehearsal"

    async def complete(self, request: ChatRequest) -> ChatReply:
        """`request.n` choices, always. Without hints they are plain neutral text."""
        choices = tuple(self._answer(request, index)[0] for index in range(request.n))
        asked = sum(len(message.content) for message in request.messages)
        answered = sum(len(choice.text) for choice in choices)
        usage = Usage(_tokens(asked), _tokens(answered))
        return ChatReply(choices, self.model, usage)

    async def close(self) -> None:
        """Nothing is open."""

    def fault_of(self, request: ChatRequest) -> list[Fault | None]:
        """The fault of each choice of this request, with its hints and the seed of its call."""
        return [self._answer(request, index)[1] for index in range(request.n)]

    def fault_at(self, key: ReplyKey, first: int = 0, times_forgotten: int = 0) -> Fault | None:
        """The fault planned for a logged reply of the call that began at draw `first`."""
        seed = call_seed(key.request, key.scope, first, times_forgotten)
        return planted_fault(self.seed, self.faults, seed, key.draw - first)

    def _answer(self, request: ChatRequest, index: int) -> tuple[Choice, Fault | None]:
        question = request.hash
        call = request.seed if request.seed is not None else seed_from(question)
        fault = planted_fault(self.seed, self.faults, call, index)
        seed = seed_from(self.seed, question, seed_from(call, index))
        if request.hints and request.hints.several:
            # No filter looks at such a reply, so that a fault in it would prove nothing.
            return Choice(_list_of_values(request.hints, seed)), None
        return _Writer(request.hints or Hints(), seed).answer(fault)


def _list_of_values(hints: Hints, seed: int) -> str:
    rng = random.Random(seed_from("values", seed))
    return json.dumps({hints.text_field: [invented(rng) for _ in range(hints.several)]}, ensure_ascii=False)


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_A_TOKEN)


def _label_field(hints: Hints) -> str | None:
    """The field, if any, that asks for one of the labels instead of a text."""
    if not hints.labels or hints.output == "text":
        return None
    labels = set(hints.labels)
    for name in hints.fields:
        values = {str(row[name]) for row in hints.examples if name in row}
        if values <= labels if values else name != hints.text_field:
            return name
    return None


def _text(row: Mapping[str, Any], field: str) -> str:
    """A field as text that has a UTF-8 form, as a model's reply would."""
    value = row.get(field)
    return "" if value is None else str(value).strip().encode("utf-8", "replace").decode()


class _Writer:
    """Writes one choice. `seed` is the choice's own."""

    def __init__(self, hints: Hints, seed: int) -> None:
        self.hints = hints
        self.seed = seed
        self.is_text = hints.output == "text" or not hints.fields
        self.label_field = _label_field(hints)
        self.text_fields = [name for name in hints.fields if name != self.label_field]
        if self.is_text:
            self.text_fields = [hints.text_field]

    def answer(self, fault: Fault | None) -> tuple[Choice, Fault | None]:
        rng = random.Random(seed_from("answer", self.seed))
        label = self._label(rng)
        kin = self._kin(label)
        if fault is None:
            return Choice(self._shaped(self._clean(label, kin))), None
        if fault.kind == "copy":
            return self._copied(fault, label, kin, rng)
        if fault.kind == "refusal":
            return self._refused(fault, label, kin, rng)
        return self._broken(fault, self._clean(label, kin), rng)

    def _shaped(self, fields: Fields) -> str:
        if self.is_text:
            return fields[self.hints.text_field]
        return json.dumps(fields, ensure_ascii=False)

    def _label(self, rng: random.Random) -> str | None:
        """The label that the cell decides, or one of them where the reply must name it."""
        decided = [value for value in self.hints.fixed.values() if value in self.hints.labels]
        if decided:
            return decided[0]
        return rng.choice(self.hints.labels) if self.label_field else None

    def _kin(self, label: str | None) -> list[Mapping[str, Any]]:
        """The examples of the reply's own label; where none names it, those that name no label."""
        rows = list(self.hints.examples)
        if label is None:
            return rows
        labels = set(self.hints.labels)
        own = [row for row in rows if label in row.values()]
        return own or [row for row in rows if labels.isdisjoint(str(value) for value in row.values())]

    def _clean(self, label: str | None, kin: Sequence[Mapping[str, Any]]) -> Fields:
        """Fields in the order asked for, none of whose texts repeats an example."""
        texts = {name: self._new_text(name, label, kin) for name in self.text_fields}
        if self.is_text:
            return texts
        return {name: texts[name] if name in texts else str(label) for name in self.hints.fields}

    def _new_text(self, field: str, label: str | None, kin: Sequence[Mapping[str, Any]]) -> str:
        mention = [value for value in self.hints.fixed.values() if value != label]
        models = [text for row in kin if (text := _text(row, field))]
        known = [text for row in self.hints.examples if (text := _text(row, field))]
        for attempt in range(_TRIES if models else 0):
            rng = random.Random(seed_from("text", self.seed, field, attempt))
            text = imitate(models, mention, rng)
            if not repeats(text, known):
                return text
        # Examples too short or too alike to imitate leave nothing to recombine.
        about = [*mention, *(label or "").replace("_", " ").replace("-", " ").split()]
        return neutral(about, random.Random(seed_from("neutral", self.seed, field)))

    def _copied(
        self, fault: Fault, label: str | None, kin: Sequence[Mapping[str, Any]], rng: random.Random
    ) -> tuple[Choice, Fault | None]:
        names = self.text_fields
        rows = [row for row in kin or self.hints.examples if any(_text(row, name) for name in names)]
        clean = self._clean(label, kin)
        if not rows:
            return Choice(self._shaped(clean)), None
        row = rng.choice(rows)
        changed: list[float] = []
        for name in names:
            text = _text(row, name)
            words = words_of(text)
            if not words:
                continue
            if fault.variant == "edited":
                words, share = edited(words, fault.strength, rng)
                text = joined(words)
                changed.append(share)
            clean[name] = text
        strength = max(changed, default=0.0)
        return Choice(self._shaped(clean)), replace(fault, strength=strength)

    def _refused(
        self, fault: Fault, label: str | None, kin: Sequence[Mapping[str, Any]], rng: random.Random
    ) -> tuple[Choice, Fault]:
        sentence = rng.choice(REFUSALS)
        if self.is_text or not self.text_fields or fault.variant == "whole":
            return Choice(sentence), Fault("refusal", "whole", 1.0)
        fields = self._clean(label, kin)
        # Of a question and its answer it is the answer that a model declines.
        fields[self.text_fields[-1]] = sentence
        return Choice(self._shaped(fields)), fault

    def _broken(self, fault: Fault, fields: Fields, rng: random.Random) -> tuple[Choice, Fault]:
        reply = self._shaped(fields)
        if self.is_text:
            lost = fault.strength or round(rng.uniform(0.1, 0.7), 3)
            return Choice(cut(reply, lost), "length"), Fault("broken_json", "cut", lost)
        if fault.variant == "missing_brace":
            return Choice(reply[:-1]), fault
        if fault.variant == "trailing_prose":
            return Choice(with_prose(reply, rng)), fault
        if fault.variant == "single_quotes":
            return Choice(repr(fields)), fault
        return Choice(cut(reply, fault.strength), "length" if fault.variant == "cut" else "stop"), fault
