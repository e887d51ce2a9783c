"""`backtranslation`: a real text goes into another language or form and back, and stays if it kept its sense.

The round trip changes the wording and, if all goes well, nothing else (Sennrich et al. 2016, arXiv
1511.06709; for a classifier's own texts Xie et al. 2019, arXiv 1904.12848). Numbers must come back as they
went, the label must be found again by who does not know it, and the wording must be neither the old one nor
that of something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from seedbed.core.chat import Pen
from seedbed.core.protocols import Draft, SourceKind, Task
from seedbed.core.record import Rejection
from seedbed.generate.method import MethodOptions
from seedbed.generate.sampling import refuse_without
from seedbed.generate.steps import Kind, SteppedMethod, Steps
from seedbed.text.chrf import chrf
from seedbed.text.normalise import normalise, units
from seedbed.text.numerals import numerals
from seedbed.text.similarity import dice

# Conversations are no text, and what was extracted from a text would no longer stand in it.
_TASKS = ("classification", "instruction", "preference", "math", "code", "translation", "custom")

# A rehearsal changes so many words, and so often a number, everything, nothing or the label.
_REWORDED = 0.3
_FAULTY = 0.08


class Backtranslation(SteppedMethod):
    """There and back, then the label by a question of its own where the task has one."""

    name: ClassVar[str] = "backtranslation"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "there": ("texts", "through"),
        "back": ("texts", "through", "language"),
        "label": ("texts",),
    }
    uses_axes: ClassVar[bool] = False
    open_label: ClassVar[bool] = True
    tasks: ClassVar[Sequence[str]] = _TASKS
    source_kinds: ClassVar[Sequence[SourceKind]] = ("real", "unlabelled")

    class Options(MethodOptions):
        source: str | None = Field(None, description="source of the texts (default: all real rows)")
        through: tuple[str, ...] = Field(
            ("German", "Finnish", "Japanese", "notes in telegram style"),
            min_length=1,
            description="languages or forms, in words; each use of a text takes another",
        )
        language: str = Field("English", min_length=1, description="language of the texts themselves")
        fields: tuple[str, ...] = Field(
            (), description="text fields that make the trip (default: what is asked); others stay as they are"
        )
        least_chrf: float = Field(0.3, ge=0, le=1, description="chrF with the original, at least")
        least_words: float = Field(0.15, ge=0, le=1, description="share of words in common, at least (F1)")
        most_chrf: float = Field(0.9, ge=0, le=1, description="chrF from which on nothing was gained")
        temperature: float | None = Field(
            None, ge=0, le=2, description="of the way back (default: that of the recipe)"
        )

        @model_validator(mode="after")
        def _some_room(self) -> Backtranslation.Options:
            if self.least_chrf >= self.most_chrf:
                raise ValueError(f"least_chrf {self.least_chrf} must lie below most_chrf {self.most_chrf}")
            return self

    def requests(self) -> tuple[int, int]:
        return 2, 4

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        strange = [name for name in self.options.fields if name not in task.text_fields]
        known = ", ".join(task.text_fields)
        return [(("fields",), f"'{name}' is no text field; there are: {known}") for name in strange]

    async def drafts(self, steps: Steps) -> list[Draft]:
        ctx, options = steps.ctx, self.options
        item = ctx.source
        assert item is not None, "`source_kinds` asks for it"
        names = options.fields or ctx.task.compare_fields
        refuse_without(item, names)
        texts = {name: str(item.fields[name]) for name in names if item.fields.get(name)}
        through = _one_of(options.through, item.id, ctx.cell.draw)
        there = await self._texts(
            steps,
            "there",
            texts,
            through,
            sketch=lambda pen: {name: f"{through}: {_mixed(t, pen)}" for name, t in texts.items()},
        )
        back = await self._texts(
            steps,
            "back",
            there,
            through,
            language=options.language,
            temperature=options.temperature,
            sketch=lambda pen: _returned(texts, pen),
        )
        fields = {**item.fields, **back}
        before, after = "\n".join(texts.values()), "\n".join(back.values())
        likeness = {
            "chrf": round(chrf(after, before), 3),
            "words": round(dice(units(normalise(after)), units(normalise(before))), 3),
        }
        notes = {"through": through, "there": there, **likeness}
        rejected = self._fault(before, after, likeness)
        if rejected is None and ctx.task.label_field is not None:
            fields[ctx.task.label_field], rejected = await self._label(steps, item.fields, texts, back)
        return [steps.draft(fields, notes=notes, rejected=rejected)]

    async def _texts(
        self, steps: Steps, step: str, texts: Mapping[str, str], through: str, **asked: Any
    ) -> dict[str, str]:
        fields: Mapping[str, Kind] = dict.fromkeys(texts, "text")
        return await steps.object(step, fields=fields, texts=texts, through=through, **asked)

    def _fault(self, before: str, after: str, likeness: Mapping[str, float]) -> Rejection | None:
        """What the wording alone tells against the round trip."""
        if changed := numbers_changed(before, after):
            return changed
        options, score = self.options, likeness["chrf"]
        if score < options.least_chrf or likeness["words"] < options.least_words:
            return Rejection("meaning_lost", {**likeness, "before": before}, score)
        if score >= options.most_chrf:
            return Rejection("unchanged", {**likeness, "before": before}, score)
        return None

    async def _label(
        self, steps: Steps, row: Mapping[str, Any], before: Mapping[str, str], after: Mapping[str, str]
    ) -> tuple[str, Rejection | None]:
        """The label that the text had, or has by the teacher; turned down where it has another one now."""
        field, labels = steps.ctx.task.label_field, steps.ctx.labels
        assert field is not None
        likely = str(row.get(field) or steps.ctx.rng.choice(labels))

        async def found(texts: Mapping[str, str]) -> str:
            label = await steps.object(
                "label",
                fields={field: "text"},
                texts=texts,
                temperature=0,
                sketch=lambda pen: {field: pen.rng.choice(labels) if _slips(pen) else likely},
            )
            return str(label[field])

        label = str(row[field]) if field in row else await found(before)
        now = await found(after)
        return label, None if now == label else Rejection("label_changed", {"label": label, "now": now})


def numbers_changed(before: str, after: str) -> Rejection | None:
    """The numbers in digits that were lost on a round trip, and those that came up."""
    stated, returned = numerals(before), numerals(after)
    if stated == returned:
        return None
    lost, new = stated - returned, returned - stated
    evidence = {"lost": sorted(lost.elements()), "new": sorted(new.elements())}
    return Rejection("numbers_changed", evidence)


def _one_of(through: Sequence[str], item: str, use: int) -> str:
    """Another one at each use of an item, and not the same first one for all."""
    return through[(int(item, 16) + use) % len(through)]


def _slips(pen: Pen) -> bool:
    return pen.rng.random() < _FAULTY


def _mixed(text: str, pen: Pen) -> str:
    words = text.split()
    pen.rng.shuffle(words)
    return " ".join(words)


def _returned(texts: Mapping[str, str], pen: Pen) -> Mapping[str, str]:
    """The texts with some of their words changed; at times as they were, of something else, or miscounted."""
    if _slips(pen):
        return texts
    if _slips(pen):
        return {name: pen.text(name) for name in texts}
    other = {name: reworded(text, pen) for name, text in texts.items()}
    if not _slips(pen):
        return other
    return {name: re.sub(r"\d+", lambda found: str(int(found[0]) + 1), t) for name, t in other.items()}


def reworded(text: str, pen: Pen) -> str:
    """A rehearsal's text with some of its words changed, as after a round trip."""
    words = text.split()
    plain = [at for at, word in enumerate(words) if word.isalpha()]
    for at in pen.rng.sample(plain, round(len(plain) * _REWORDED)):
        words[at] = pen.value().split()[0].lower()
    return " ".join(words)
