"""Writes one choice of the rehearsal teacher: a clean reply, or one with a planted fault."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seedbed.core.chat import Choice, Hints
from seedbed.core.hashing import seed_from
from seedbed.models.claims import Claim
from seedbed.models.fault_plan import Fault
from seedbed.models.imitation import imitate, joined, neutral, repeats, words_of
from seedbed.models.planted_faults import (
    REFUSALS,
    REWORDINGS,
    cut,
    edited,
    foreign_words,
    idle_tests,
    miscounted,
    misprogrammed,
    put_in,
    with_memory,
    with_phrase,
    with_prose,
    wrapped,
)
from seedbed.models.planted_values import planted_value
from seedbed.models.rehearsal_facts import facts, is_conversation
from seedbed.models.rehearsal_rows import Fields, Place, label_field, text_at, turns_by_place

_TRIES = 8
# With fewer real texts nobody can say what is short or long; then only extremes are.
_ENOUGH_REAL = 50
_EXTREME_CHARS = 20_000
_MOST_WORDS = 20_000
# Of fewer nobody could tell in what language they are.
_FOREIGN_WORDS = 12

Answer = tuple[Choice, Fault | None]


class Writer:
    """Writes one choice. `seed` is the choice's own; `phrases` are those that the recipe forbids, `decoys`
    the invented rows of its eval lock, and `claims` what it has worked out. `grounded`: a clean answer
    stands in its context."""

    def __init__(
        self,
        hints: Hints,
        seed: int,
        phrases: Sequence[str] = (),
        decoys: Sequence[str] = (),
        claims: Sequence[Claim] = (),
        *,
        grounded: bool = False,
    ) -> None:
        self.hints = hints
        self.seed = seed
        self.phrases = phrases
        self.decoys = decoys
        self.grounded = grounded
        self.is_text = hints.output == "text" or not hints.fields
        self.label_field = label_field(hints)
        self.names = [name for name in hints.fields if name != self.label_field]
        self.facts = facts(hints, self.label_field, random.Random(seed_from("facts", seed)))
        properties = (hints.schema or {}).get("properties", {})
        asked = {hints.text_field} if self.is_text else {*hints.fields}
        self.claims = [claim for claim in claims if asked.issuperset(claim.fields)]
        self.claimed = self._claimed(None)
        self.conversations = [name for name in self.names if is_conversation(properties.get(name, {}))]
        self.texts = [hints.text_field] if self.is_text else self._places(self._turns_to_write())

    def _turns_to_write(self) -> dict[str, list[Place]]:
        """As many turns for each conversation as one of the examples has, and at least two."""
        turns: dict[str, list[Place]] = {}
        for name in self.conversations:
            rng = random.Random(seed_from("turns", self.seed, name))
            model = rng.choice(self.hints.examples) if self.hints.examples else {}
            there = sum(place != (name, -1) for place in turns_by_place(model, name)) or rng.choice((2, 4))
            turns[name] = [(name, number) for number in range(max(2, there))]
        return turns

    def _places(self, turns: Mapping[str, Sequence[Place]]) -> list[Place]:
        """The places of a reply's texts in order, with these turns in its conversations."""
        names = [name for name in self.names if name not in {*self.facts.values, *self.claimed}]
        return [place for name in names for place in turns.get(name, (name,))]

    def answer(self, fault: Fault | None) -> Answer:
        """The choice and the fault that it has: none where the request has no matter for the planned one."""
        rng = random.Random(seed_from("answer", self.seed))
        label = self._label(rng)
        kin = self._kin(label)
        clean = self._clean(label, kin)
        if fault is not None and any(claim.kind == fault.kind for claim in self.claims):
            wrong = clean | dict(self._claimed(fault))
            return self._shaped(wrong), fault
        if fault is None or not self.texts:
            return self._shaped(clean), None
        match fault.kind:
            case "refusal":
                return self._refused(fault, clean, rng)
            case "broken_json":
                return self._broken(fault, clean, rng)
            case "wrong_shape":
                return self._misshapen(fault, self._assembled(clean), rng), fault
            case "copy":
                spoilt = self._copied(fault, clean, kin, rng)
            case "wrong_label":
                spoilt = self._of_another_label(fault, clean, label, rng)
            case "leak":
                spoilt = self._leaking(fault, clean, rng)
            case "length":
                spoilt = self._of_odd_length(fault, clean, kin, rng), fault
            case "wrapped":
                spoilt = (
                    self._with(clean, lambda text: wrapped(text, fault.variant, fault.strength, rng)),
                    fault,
                )
            case "wrong_sum":
                spoilt = self._miscounted(fault, clean, rng)
            case "wrong_program":
                spoilt = self._misprogrammed(fault, clean)
            case "wrong_language":
                spoilt = self._in_another_language(fault, clean, rng), fault
            case "forbidden" if self.phrases:
                phrase = rng.choice(self.phrases)
                spoilt = (
                    self._with(clean, lambda t: with_phrase(words_of(t), phrase, fault.variant, rng)),
                    fault,
                )
            case "memorised":
                spoilt = self._memorised(fault, clean, kin, rng)
            case "personal_data" | "secret" | "unsupported" | "toxic":
                value = planted_value(fault, rng)
                spoilt = self._with(clean, lambda text: put_in(text, value, rng)), fault
            case _:
                return self._shaped(clean), None
        fields, planted = spoilt
        return self._shaped(fields), planted

    def _shaped(self, fields: Fields) -> Choice:
        if self.is_text:
            return Choice(fields[self.hints.text_field])
        return Choice(json.dumps(self._assembled(fields), ensure_ascii=False))

    def _assembled(self, fields: Fields) -> dict[str, Any]:
        """The fields by name, in the order asked for, turns put together."""
        return {
            name: self._conversation(fields, name) if name in self.conversations else fields[name]
            for name in self.hints.fields
        }

    @staticmethod
    def _conversation(fields: Fields, name: str) -> list[dict[str, str]]:
        numbers = sorted(place[1] for place in fields if isinstance(place, tuple) and place[0] == name)
        roles = {-1: "system", 0: "user", 1: "assistant"}
        return [
            {"role": roles[number if number < 0 else number % 2], "content": fields[name, number]}
            for number in numbers
        ]

    def _with(self, fields: Fields, change: Any) -> Fields:
        """The fields with the last text changed: of a question and its answer it is the answer."""
        name = self.texts[-1]
        return {**fields, name: change(fields[name])}

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
        texts: Fields = {place: self._new_text(place, label, kin) for place in self.texts}
        for name, ending in self.facts.endings.items():
            texts[name] = f"{texts[name]} {ending}"
        if self.grounded and self.hints.kind == "instruction" and len(self.texts) == 3:
            _, context, answer = self.texts
            words = words_of(texts[context])
            texts[answer] = joined(words[: max(1, len(words) // 2)])
        if self.label_field is not None:
            texts[self.label_field] = str(label)
        return texts | dict(self.facts.values) | dict(self.claimed)

    def _claimed(self, fault: Fault | None) -> Mapping[str, Any]:
        """What is worked out of the reply: right, or in all of its kind wrong in the way of the fault."""
        made: dict[str, Any] = {}
        for number, claim in enumerate(self.claims):
            rng = random.Random(seed_from("claim", self.seed, number))
            made |= claim.written(rng, fault.variant if fault and fault.kind == claim.kind else "")
        return made

    def _new_text(
        self, place: Place, label: str | None, kin: Sequence[Mapping[str, Any]], salt: str = "text"
    ) -> str:
        field = place if isinstance(place, str) else f"{place[0]}/{place[1]}"
        mention = [value for value in self.hints.fixed.values() if value != label]
        models = [text for row in kin if (text := text_at(row, place))]
        known = [text for row in self.hints.examples if (text := text_at(row, place))]
        for attempt in range(_TRIES if models else 0):
            rng = random.Random(seed_from(salt, self.seed, field, attempt))
            text = imitate(models, mention, rng)
            if not repeats(text, known) and not self._holds_a_phrase(text):
                return text
        # Examples too short or too alike to imitate leave nothing to recombine.
        about = [*mention, *(label or "").replace("_", " ").replace("-", " ").split()]
        return neutral(about, random.Random(seed_from("neutral", self.seed, field)))

    def _holds_a_phrase(self, text: str) -> bool:
        """A clean reply must not have what the recipe forbids, which its examples may."""
        folded = text.casefold()
        return any(phrase.casefold() in folded for phrase in self.phrases)

    def _copied(
        self, fault: Fault, clean: Fields, kin: Sequence[Mapping[str, Any]], rng: random.Random
    ) -> tuple[Fields, Fault | None]:
        rows = [row for row in kin or self.hints.examples if any(text_at(row, name) for name in self.texts)]
        if not rows:
            return clean, None
        row = rng.choice(rows)
        changed: list[float] = []
        copied: Fields = {place: value for place, value in clean.items() if isinstance(place, str)}
        copied |= {name: row[name] for name in (*self.facts.values, *self.claimed) if row.get(name)}
        for name in self._places({name: list(turns_by_place(row, name)) for name in self.conversations}):
            text = text_at(row, name)
            words = words_of(text)
            if not words:
                continue
            if fault.variant in REWORDINGS:
                words, strength = REWORDINGS[fault.variant](words, fault.strength, rng)
                text = joined(words)
                changed.append(strength)
            copied[name] = text
        return copied, replace(fault, strength=max(changed, default=0.0))

    def _memorised(
        self, fault: Fault, clean: Fields, kin: Sequence[Mapping[str, Any]], rng: random.Random
    ) -> tuple[Fields, Fault | None]:
        """A part of a real text inside of the last text that real rows have."""
        for place in reversed(self.texts):
            texts = [words for row in kin or self.hints.examples if (words := words_of(text_at(row, place)))]
            if texts:
                own = words_of(clean[place])
                return {**clean, place: joined(with_memory(own, texts, fault.strength, rng))}, fault
        return clean, None

    def _of_another_label(
        self, fault: Fault, clean: Fields, label: str | None, rng: random.Random
    ) -> tuple[Fields, Fault | None]:
        """A text in the words of another label's real rows, or its greater part."""
        labels = set(self.hints.labels)
        by_label: dict[str, list[Mapping[str, Any]]] = {}
        for row in self.hints.real:
            for value in row.values():
                if isinstance(value, str) and value in labels and value != label:
                    by_label.setdefault(value, []).append(row)
        if not by_label or label is None:
            return clean, None
        other = by_label[rng.choice(sorted(by_label))]
        spoilt = dict(clean)
        for name in self.texts:
            words = words_of(self._new_text(name, None, other, salt="other label"))
            own = words_of(clean[name])
            if fault.variant == "part":
                words = words[: max(1, round(fault.strength * len(words)))]
                words += own[: round((1 - fault.strength) * len(own))]
            spoilt[name] = joined(words)
        return spoilt, fault

    def _in_another_language(self, fault: Fault, clean: Fields, rng: random.Random) -> Fields:
        """The last text in another language: as long as it was and at least 12 words, or its greater part."""
        known = [text for row in self.hints.real for name in self.texts if (text := text_at(row, name))]
        words = foreign_words(known or [str(clean[name]) for name in self.texts], rng)

        def change(text: str) -> str:
            own = words_of(text)
            count = max(_FOREIGN_WORDS, len(own))
            foreign = (words * (1 + count // len(words)))[: round(fault.strength * count)]
            return joined([*foreign, *own[: count - len(foreign)]])

        return self._with(clean, change)

    def _leaking(self, fault: Fault, clean: Fields, rng: random.Random) -> tuple[Fields, Fault | None]:
        """A decoy as what is asked (the first text): whole, inside of other words, or edited."""
        if not self.decoys:
            return clean, None
        name, decoy = self.texts[0], rng.choice(self.decoys)
        if fault.variant == "inside":
            words = words_of(decoy)
            own = words_of(clean[name])
            around = max(2, round(len(words) * fault.strength / (1 - fault.strength)))
            own = (own * (1 + around // max(1, len(own))))[:around]
            at = rng.randrange(len(own) + 1)
            decoy = joined([*own[:at], *words, *own[at:]])
        if fault.variant == "edited":
            words, share = edited(words_of(decoy), fault.strength, rng)
            return {**clean, name: joined(words)}, replace(fault, strength=share)
        return {**clean, name: decoy}, fault

    def _miscounted(self, fault: Fault, clean: Fields, rng: random.Random) -> tuple[Fields, Fault | None]:
        """Another result for one of the sums of a worked solution, or another answer beside all of it."""
        if self.hints.kind != "math" or len(self.facts.values) < 2:
            return clean, None
        solution, answer = self.facts.values
        if fault.variant == "answer":
            return {**clean, answer: miscounted(clean[answer], rng)}, fault
        lines = clean[solution].splitlines()
        at = rng.randrange(len(lines))
        sum_, _, result = lines[at].rpartition(" ")
        lines[at] = f"{sum_} {miscounted(result, rng)}"
        return {**clean, solution: "\n".join(lines)}, fault

    def _misprogrammed(self, fault: Fault, clean: Fields) -> tuple[Fields, Fault | None]:
        """A program that its tests fail on, or tests that fail on nothing."""
        if self.hints.kind != "code" or len(self.facts.values) < 2:
            return clean, None
        program, tests = self.facts.values
        if fault.variant == "idle_tests":
            return {**clean, tests: idle_tests(clean[tests])}, fault
        return {**clean, program: misprogrammed(clean[program])}, fault

    def _of_odd_length(
        self, fault: Fault, clean: Fields, kin: Sequence[Mapping[str, Any]], rng: random.Random
    ) -> Fields:
        few = len(self.hints.real) < _ENOUGH_REAL
        spoilt = dict(clean)
        for name in self.texts:
            sizes = [len(words_of(text)) for row in self.hints.real if (text := text_at(row, name))]
            words = words_of(clean[name])
            if fault.variant == "short":
                count = 0 if few else int(fault.strength * min(sizes, default=0))
                # Bare text cannot be blank: that is an empty reply.
                spoilt[name] = joined(words[: max(count, int(self.is_text))]) or " "
                continue
            most = min(_MOST_WORDS, int(fault.strength * max(sizes, default=0)) + 1)
            while (len(joined(words)) <= _EXTREME_CHARS) if few else (len(words) < most):
                words += words_of(neutral((), rng) if few or not kin else imitate([clean[name]], (), rng))
            spoilt[name] = joined(words if few else words[:most])
        return spoilt

    def _refused(self, fault: Fault, clean: Fields, rng: random.Random) -> Answer:
        sentence = rng.choice(REFUSALS)
        if self.is_text or fault.variant == "whole":
            return Choice(sentence), Fault("refusal", "whole", 1.0)
        return self._shaped(self._with(clean, lambda text: sentence)), fault

    def _misshapen(self, fault: Fault, clean: dict[str, Any], rng: random.Random) -> Choice:
        name = rng.choice(self.names)
        value = clean[name]
        if fault.variant == "missing_key":
            rest = {key: kept for key, kept in clean.items() if key != name}
            spoilt = {**rest, f"{name}_1": value} if rng.random() < 0.5 else rest
        elif fault.variant == "extra_key":
            spoilt = {**clean, rng.choice(("comment", "notes", "reasoning")): "as asked"}
        elif isinstance(value, str):
            spoilt = {**clean, name: rng.choice(([value], {"value": value}, None, len(value)))}
        else:
            spoilt = {**clean, name: "as asked"}
        return Choice(json.dumps(spoilt, ensure_ascii=False))

    def _broken(self, fault: Fault, fields: Fields, rng: random.Random) -> Answer:
        reply = self._shaped(fields).text
        match fault.variant:
            case "missing_brace":
                return Choice(reply[:-1]), fault
            case "trailing_prose":
                return Choice(with_prose(reply, rng)), fault
            case "single_quotes":
                return Choice(repr(self._assembled(fields))), fault
            case _:
                return Choice(
                    cut(reply, fault.strength), "length" if fault.variant == "cut" else "stop"
                ), fault
