"""`translate`: texts of a large language into a rare one, each translation looked at from several sides.

Nobody can read what is made here at scale, and for a rare language neither identifier nor judge is to be
trusted. So a translation must not be in the language that it came from, nor in the script of another; be
closer to the real translations that there are than to their sources; have every term of the glossary; and,
translated back by who has not seen the original (Sennrich et al. 2016, arXiv 1511.06709, make data so), come
close to it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from seedbed.core.chat import Pen
from seedbed.core.errors import SourceError
from seedbed.core.protocols import Asking, Draft, SourceKind, Task
from seedbed.core.record import Record, Rejection
from seedbed.generate.backtranslation import numbers_changed, reworded
from seedbed.generate.method import MethodOptions
from seedbed.generate.steps import Kind, SteppedMethod, Steps
from seedbed.text.chrf import chrf
from seedbed.text.language import SHORTEST, can_identify, code_of, likely_languages, scripts
from seedbed.text.normalise import normalise
from seedbed.text.similarity import char_shingles

_TASKS = ("translation", "classification", "instruction", "preference", "math", "code", "custom")

# A text counts as the source's language where that is the likeliest, and as some other one where that is
# nearly certain and the language asked for is one that the identifier knows.
_LIKELY, _CERTAIN = 0.5, 0.9
# A script that holds less of the letters of real translations stands in names alone.
_SCRIPT_SHARE = 0.1

_FAULTY = 0.06


class Translate(SteppedMethod):
    """There and back; one draft a text."""

    name: ClassVar[str] = "translate"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "translate": ("texts", "source_language", "target_language", "pairs", "terms"),
        "back": ("texts", "source_language", "target_language"),
    }
    uses_axes: ClassVar[bool] = False
    open_label: ClassVar[bool] = True
    tasks: ClassVar[Sequence[str]] = _TASKS
    source_kinds: ClassVar[Sequence[SourceKind]] = ("unlabelled", "real")
    source_once: ClassVar[bool] = True

    class Options(MethodOptions):
        source: str | None = Field(
            None,
            description="source of the texts (default: the only one without translations, or all real rows)",
        )
        from_language: str = Field(
            "", description="language of the texts (default: that of the task, or else English)"
        )
        to_language: str = Field("", description="language to translate into (default: that of the task)")
        back: str = Field("teacher", description="role that translates back")
        least_chrf: float = Field(
            0.4, ge=0, le=1, description="chrF of the translation back with the original, at least"
        )
        glossary: dict[str, str] | str = Field(
            default_factory=dict,
            description="term -> its translation (forms: `a|b`), or a CSV file (columns source, target)",
        )
        identify: bool = Field(
            True, description="tell languages by py3langid, the extra `language`; `false` goes without"
        )

        @field_validator("glossary", mode="before")
        @classmethod
        def _from_file(cls, value: Any, info: ValidationInfo) -> Any:
            if not isinstance(value, str):
                return value
            assert info.context is not None, "options of a recipe are read with its folder as their context"
            return _read_glossary(info.context["folder"], value)

    def roles(self) -> Sequence[str]:
        return tuple(dict.fromkeys(("teacher", self.options.back)))

    def requests(self) -> tuple[int, int]:
        return 2, 2

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        found: list[tuple[Sequence[str], str]] = []
        if not self._languages(task)[1]:
            found.append((("to_language",), "is missing; write the language to translate into"))
        if self.options.identify and not can_identify():
            found.append(
                (("identify",), "needs py3langid: pip install 'seedbed[language]', or write identify: false")
            )
        return found

    def _languages(self, task: Task) -> tuple[str, str]:
        said, options = task.prompt_values, self.options
        return (
            options.from_language or said.get("source_language", "English"),
            options.to_language or said.get("target_language", ""),
        )

    async def drafts(self, steps: Steps) -> list[Draft]:
        ctx, options = steps.ctx, self.options
        item, task = ctx.source, ctx.task
        assert item is not None, "`source_kinds` asks for it"
        texts = _texts(item, task)
        source, target = self._languages(task)
        spoken = {"source_language": source, "target_language": target}
        original = "\n".join(texts.values())
        terms = _terms_in(original, options.glossary)
        pairs = _pairs(ctx)
        fields: Mapping[str, Kind] = dict.fromkeys(texts, "text")
        made = await steps.object(
            "translate",
            fields=fields,
            texts=texts,
            pairs=pairs,
            terms=terms,
            **spoken,
            sketch=lambda pen: {
                name: _some_translation(pen, text, pairs, terms) for name, text in texts.items()
            },
        )
        draft = {**item.fields, **made}
        translation = "\n".join(made.values())
        if wrong := self._wrong_language(translation, source, target, pairs):
            return [steps.draft(draft, rejected=Rejection("wrong_language", wrong))]
        if missing := {term: it for term, it in terms.items() if not _has_term(translation, it)}:
            return [steps.draft(draft, rejected=Rejection("glossary", {"missing": missing}))]
        returned = await steps.object(
            "back",
            fields=fields,
            texts=made,
            role=options.back,
            temperature=0,
            **spoken,
            sketch=lambda pen: {name: _some_return(pen, text) for name, text in texts.items()},
        )
        back = "\n".join(returned.values())
        score = chrf(back, original)
        notes = {"back": back, "chrf": round(score, 3), **({"terms": terms} if terms else {})}
        rejected = self._lost(original, back, score)
        return [steps.draft(draft, notes=notes, rejected=rejected)]

    def _wrong_language(
        self, text: str, source: str, target: str, pairs: Sequence[tuple[str, str]]
    ) -> Mapping[str, Any] | None:
        """Evidence that a text is not in the target language, or nothing."""
        written, known = scripts(text), scripts(" ".join(translation for _, translation in pairs))
        if written.total() < SHORTEST:
            return None
        ((mostly, _),) = written.most_common(1)
        if known and known[mostly] < _SCRIPT_SHARE * known.total():
            return {"script": mostly, "expected": known.most_common(1)[0][0]}
        if pairs:
            like_source, like_target = (_likeness(text, side) for side in zip(*pairs, strict=True))
            if like_source > like_target:
                return {"like_source": round(like_source, 3), "like_target": round(like_target, 3)}
        likely = likely_languages(text) if self.options.identify else {}
        if not likely:
            return None
        best, own, other = next(iter(likely)), code_of(target), code_of(source)
        if (best == other and best != own and likely[best] >= _LIKELY) or (
            own is not None and best != own and likely[best] >= _CERTAIN
        ):
            return {"language": best, "probability": round(likely[best], 3), "expected": target}
        return None

    def _lost(self, original: str, back: str, score: float) -> Rejection | None:
        if changed := numbers_changed(original, back):
            return changed
        if score < self.options.least_chrf:
            return Rejection("meaning_lost", {"chrf": round(score, 3), "back": back}, score)
        return None


def _texts(item: Record, task: Task) -> Mapping[str, str]:
    """What is translated, by the field that the translation becomes. Raises SourceError for a row without."""
    if task.kind == "translation":
        source, target = task.fields
        needed: Sequence[str] = (source,)
        texts = {target: item.fields.get(source)}
    else:
        needed = task.fields
        texts = {name: item.fields.get(name) for name in task.text_fields}
    lacking = [name for name in needed if name not in item.fields and name not in task.optional_fields]
    if lacking:
        raise SourceError(
            f"source '{item.provenance.source}': translate keeps all but the language, and its rows have no "
            f"'{lacking[0]}'; say which column holds it: columns: {{{lacking[0]}: COLUMN}}"
        )
    return {name: str(text) for name, text in texts.items() if text}


def _pairs(ctx: Asking) -> list[tuple[str, str]]:
    """Real translations among the rows shown: (source, target)."""
    if ctx.task.kind != "translation":
        return []
    source, target = ctx.task.fields
    return [(str(row.fields[source]), str(row.fields[target])) for row in ctx.examples]


def _likeness(text: str, others: Sequence[str]) -> float:
    """The share of a text's runs of three characters that stand in other texts."""
    runs = char_shingles(normalise(text), 3)
    known = frozenset[str]().union(*(char_shingles(normalise(other), 3) for other in others))
    return len(runs & known) / len(runs) if runs else 0.0


def _terms_in(text: str, glossary: Mapping[str, str]) -> dict[str, str]:
    """The entries whose term stands in a text, as whole words."""
    words = f" {normalise(text)} "
    return {term: it for term, it in glossary.items() if f" {normalise(term)} " in words}


def _has_term(text: str, forms: str) -> bool:
    """Whether one of the forms stands in a text, be it as the beginning or in the middle of a word."""
    words = normalise(text)
    return any(form in words for form in map(normalise, forms.split("|")) if form)


def _read_glossary(folder: Path, path: str) -> dict[str, str]:
    """Terms of a CSV file. Raises ValueError naming what is wrong with it."""
    try:
        with (folder / path).open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"source", "target"} <= set(rows.fieldnames or ()):
                raise ValueError(f"{path} must be a CSV file with the columns source and target")
            return {
                row["source"].strip(): row["target"].strip()
                for row in rows
                if row["source"] and row["target"]
            }
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); it is relative to the recipe") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None


def _some_translation(pen: Pen, text: str, pairs: Sequence[tuple[str, str]], terms: Mapping[str, str]) -> str:
    """Words of real translations; where there are none, words that are of no language."""
    if pen.rng.random() < _FAULTY:
        return text
    known = [word for _, target in pairs for word in target.split()] or [w[::-1] for w in text.split()]
    words = pen.rng.choices(known, k=len(text.split()))
    kept = [] if pen.rng.random() < _FAULTY else [forms.partition("|")[0] for forms in terms.values()]
    return " ".join([*words, *kept])


def _some_return(pen: Pen, text: str) -> str:
    return pen.text() if pen.rng.random() < _FAULTY else reworded(text, pen)
