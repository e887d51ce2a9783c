"""Templates that the teacher writes: a way of going about a text, put at the end of the task's own prompt.

A model's words are never template source. What is frozen is plain text in which `{slot}` stands for a slot;
everything else in it becomes a constant of the template, whatever it looks like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from seedbed.core.chat import ChatRequest, Choice, Hints, Sampling
from seedbed.core.hashing import short_id
from seedbed.generate.verbalised import list_schema
from seedbed.prompts.templates import PromptTemplate, library_template
from seedbed.recipe import AskedTemplates
from seedbed.run.asked_values import AskedQuestion, Words, texts_listed, usable
from seedbed.run.roles import AskedModel
from seedbed.sources.leaks import Kind
from seedbed.text.normalise import normalise, units
from seedbed.text.similarity import unlike

# Of fewer the openings and turns of a set repeat; 20 to 50 are usual.
FEW_TEMPLATES = 20
_SHORTEST, _LONGEST = 30, 600
_NEAR = 0.5
_MOST_SHOWN = 60
_FIELD = "templates"
_SLOT = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
_SCHEMA = list_schema({"type": "string"}, _FIELD)


@dataclass(frozen=True)
class TemplateQuestion(AskedQuestion):
    """How the templates of a recipe are asked for. Whatever is said in it is part of its hash.

    `slots` are the names that a template may use.
    """

    asked: AskedTemplates
    slots: tuple[str, ...]
    task_variables: Mapping[str, str]
    labels: tuple[str, ...]
    model: AskedModel
    folder: Path
    name: str = "templates"
    each: ClassVar[int] = 5
    likely: ClassVar[int] = 250
    longest: ClassVar[int] = _LONGEST
    kind: ClassVar[Kind] = "template"

    @property
    def count(self) -> int:
        return self.asked.count

    @property
    def words(self) -> Words:
        key = ("generate", "templates")
        return Words("templates", "this recipe", "templates", "write files of your own", key)

    @property
    def about(self) -> dict[str, Any]:
        return {"templates": True, "ask": self.asked.ask}

    def read(self, choice: Choice) -> list[str]:
        return usable(texts_listed(choice, _FIELD), _SHORTEST, _LONGEST)

    def new(self, found: Sequence[str], known: Sequence[str]) -> list[str]:
        return new_templates(found, known, self.slots)

    def request(self, known: Sequence[str]) -> ChatRequest:
        """Asks for some more; of many known ones the latest are shown."""
        messages = library_template("templates").render(
            {
                "task": self.task_variables,
                "labels": list(self.labels),
                "names": list(self.slots),
                "ask": self.asked.ask or "",
                "known": list(known[-_MOST_SHOWN:]),
                "count": self.each,
                "characters": _LONGEST,
            }
        )
        return ChatRequest(
            model=self.model.model,
            revision=self.model.revision,
            messages=messages,
            sampling=Sampling(max_tokens=self.model.max_tokens),
            schema=_SCHEMA,
            hints=Hints(
                sketch=lambda pen: {
                    _FIELD: [f"Begin with {pen.value()}. {pen.text()} {pen.text()}" for _ in range(self.each)]
                }
            ),
        )


def new_templates(found: Sequence[str], known: Sequence[str], slots: Sequence[str]) -> list[str]:
    """Those that use no unknown slot and share less than half of their words with each before them."""
    known_slots = [text for text in found if set(_SLOT.findall(text)) <= set(slots)]
    return unlike(known_slots, known, lambda text: frozenset(units(normalise(text))), _NEAR)


def template_of(library: PromptTemplate, text: str) -> PromptTemplate:
    """The task's own prompt, ending with this text: its `{slot}`s are filled, all else is as it stands."""
    parts = _SLOT.split(text)  # text, slot, text, slot, …, text
    pieces = [
        f"{{{{ {part} }}}}" if at % 2 else f"{{{{ {json.dumps(part, ensure_ascii=False)} }}}}"
        for at, part in enumerate(parts)
        if part
    ]
    name = f"asked/{short_id('asked template', text)[:8]}"
    source = f"{library.text.rstrip()}\nHow to go about it: {''.join(pieces)}\n"
    return PromptTemplate(name, source, f"{name} ({library.path})")
