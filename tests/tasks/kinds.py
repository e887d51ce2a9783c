"""A small recipe for every task kind, with real rows and an eval: what the tests of kinds have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Example:
    """The `task` section of a recipe, and rows for it."""

    task: Mapping[str, Any]
    real: Sequence[Row]
    eval: Sequence[Row]
    files: Mapping[str, str]
    exports: Sequence[str] = ("jsonl", "csv", "trl-sft")

    def write(self, folder: Path, **changes: Any) -> None:
        """A recipe's folder; `changes` replace sections."""
        folder.mkdir(parents=True, exist_ok=True)
        write_rows(folder / "real.jsonl", self.real)
        write_rows(folder / "eval.jsonl", self.eval)
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        recipe = {
            "name": "tickets",
            "task": dict(self.task),
            "sources": {"real": {"path": "real.jsonl"}, "eval": {"path": "eval.jsonl", "lock": True}},
            "generate": {"target": 20, "axes": {"place": ["in a shop", "by letter", "on the phone"]}},
            **changes,
        }
        with (folder / "recipe.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(recipe, file)


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _chat(*said: str, system: str | None = None) -> list[dict[str, str]]:
    turns = [{"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(said)]
    return [{"role": "system", "content": system}, *turns] if system else turns


def _example(
    task: Row, real: Sequence[Row], locked: Sequence[Row], *more: str, files: Mapping[str, str] | None = None
) -> Example:
    return Example(task, real, locked, files or {}, ("jsonl", "csv", "trl-sft", *more))


ORDER = {
    "type": "object",
    "properties": {
        "customer": {"type": "string", "minLength": 1},
        "items": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/item"}},
        "express": {"type": "boolean"},
        "wanted_by": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    },
    "required": ["customer", "items", "express"],
    "additionalProperties": False,
    "$defs": {
        "item": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "count": {"type": "integer", "minimum": 1},
            },
            "required": ["name", "count"],
            "additionalProperties": False,
        }
    },
}


def _order(text: str, customer: str, name: str, count: int) -> Row:
    record = {"customer": customer, "items": [{"name": name, "count": count}], "express": False}
    return {"text": text, "record": record}


EXAMPLES: Mapping[str, Example] = {
    "classification": _example(
        {"kind": "classification", "input": "text", "label": "team"},
        [
            {"text": "The parcel shows delivered but the hall is empty since Monday.", "team": "delivery"},
            {"text": "My driver left the box at the neighbour without a note.", "team": "delivery"},
            {"text": "You charged me twice for the same lamp in March.", "team": "billing"},
            {"text": "The invoice names the wrong street, can you send a new one?", "team": "billing"},
        ],
        [{"text": "Please tell me why my refund is ten euros short.", "team": "billing"}],
    ),
    "instruction": _example(
        {"kind": "instruction"},
        [
            {"instruction": "Shorten this sentence for a door sign.", "response": "Closed today."},
            {"instruction": "Name three herbs for a shaded balcony.", "response": "Mint, parsley, chives."},
            {
                "instruction": "Explain to a child why seas are salty.",
                "response": "Rivers bring it.",
            },
        ],
        [{"instruction": "Suggest a title for a talk on bees.", "response": "What bees count."}],
    ),
    "conversation": _example(
        {"kind": "conversation"},
        [
            {
                "messages": _chat(
                    "My router blinks red since the storm last night.",
                    "Was it plugged in all the time, or did the power fail?",
                    "The power failed twice, I think around four.",
                    "Then reset it: hold the small button for ten seconds.",
                )
            },
            {
                "messages": _chat(
                    "Can I return the shoes without the box?",
                    "Yes, within thirty days, if they were worn indoors only.",
                    system="You answer for a shoe shop.",
                )
            },
            {
                "messages": _chat(
                    "How long does the blue paint need to dry?",
                    "Four hours at twenty degrees, and a night before a second coat.",
                )
            },
        ],
        [{"messages": _chat("Where do I find my customer number?", "On the first page of each invoice.")}],
    ),
    "preference": _example(
        {"kind": "preference", "prompt": "question", "answer": "answer"},
        [
            {
                "question": "How many days of leave can I carry over?",
                "answer": "Five, until March.",
            },
            {
                "question": "Who signs travel requests above 500 euros?",
                "answer": "The department's head.",
            },
            {
                "question": "May I work from another country for a week?",
                "answer": "Ask two weeks before.",
            },
        ],
        [{"question": "Where do I report a lost badge?", "answer": "At the desk on the ground floor."}],
        "trl-dpo",
    ),
    "extraction": _example(
        {"kind": "extraction", "schema": "order.json"},
        [
            _order("Mrs Vane would like two blue lamps whenever you can.", "Vane", "blue lamp", 2),
            _order("Send a crate of limes to Osmer and Sons, no hurry.", "Osmer", "lime crate", 1),
            _order("Nine door hinges please, for the workshop of T. Halve.", "T. Halve", "door hinge", 9),
        ],
        [_order("Brisa asks for three oak boards by post.", "Brisa", "oak board", 3)],
        files={"order.json": json.dumps(ORDER)},
    ),
    "math": _example(
        {"kind": "math"},
        [
            {
                "question": "A baker fills 4 trays with 12 rolls each and sells 19. How many are left?",
                "solution": "4 * 12 = 48\n48 - 19 = 29",
                "answer": "29",
            },
            {
                "question": "Three friends share a bill of 57 euros evenly. What does each pay?",
                "solution": "57 / 3 = 19",
                "answer": "19",
            },
        ],
        [
            {
                "question": "A train of 8 cars has 64 seats in each. How many seats is that?",
                "solution": "8 * 64 = 512",
                "answer": "512",
            }
        ],
    ),
    "code": _example(
        {"kind": "code", "language": "python"},
        [
            {
                "prompt": "Write a function `first(values)` that gives the first value, or None for none.",
                "solution": "def first(values):\n    return values[0] if values else None\n",
                "tests": "assert first([3, 4]) == 3\nassert first([]) is None",
            },
            {
                "prompt": "Write `vowels(text)`, the number of vowels in a text of lower case letters.",
                "solution": "def vowels(text):\n    return sum(c in 'aeiou' for c in text)\n",
                "tests": "",
            },
        ],
        [
            {
                "prompt": "Write a function that tells whether a word is the same read backwards.",
                "solution": "def same(word):\n    return word == word[::-1]\n",
                "tests": "assert same('anna')",
            }
        ],
    ),
    "translation": _example(
        {"kind": "translation", "from": "en", "to": "de"},
        [
            {"source": "The lift is out of order until noon.", "target": "Der Aufzug ist bis Mittag defekt."},
            {"source": "Nobody told us about the strike.", "target": "Vom Streik hat uns niemand erzählt."},
            {
                "source": "Can you keep the dog for a week?",
                "target": "Kannst du den Hund eine Woche nehmen?",
            },
        ],
        [{"source": "The bread is from yesterday.", "target": "Das Brot ist von gestern."}],
    ),
    "custom": _example(
        {
            "kind": "custom",
            "fields": {
                "review": "what a guest writes about a stay",
                "reply": "what the house answers",
                "stars": {"type": "integer", "minimum": 1, "maximum": 5},
                "topics": {"type": "array", "items": {"enum": ["room", "food", "price"]}, "minItems": 1},
                "mood": {"enum": ["glad", "cross"]},
            },
            "label": "mood",
        },
        [
            {
                "review": "The bed was hard and the breakfast cold, for that price.",
                "reply": "We are sorry, and would like to know the room.",
                "stars": 2,
                "topics": ["room", "food", "price"],
                "mood": "cross",
            },
            {
                "review": "Quiet room to the garden, and somebody fixed my bicycle.",
                "reply": "Thank you, we will tell the porter.",
                "stars": 5,
                "topics": ["room"],
                "mood": "glad",
            },
        ],
        [
            {
                "review": "The soup alone is worth the trip.",
                "reply": "Come again in autumn.",
                "stars": 4,
                "topics": ["food"],
                "mood": "glad",
            }
        ],
    ),
}
