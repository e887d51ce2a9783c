"""Three recipes as a user would like to type them validate, but for keys that are not built yet, by name.

When a capability is built its key leaves `later`, and nothing else here changes.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from seedbed.core.errors import RecipeError
from seedbed.run.loading import load_bound

ENV = {
    "OPENAI_BASE_URL": "http://localhost:1/v1",
    "WEAK_URL": "http://localhost:2/v1",
    "JUDGE_URL": "http://localhost:3/v1",
}


def role(model: str, endpoint: str = "OPENAI_BASE_URL") -> dict[str, Any]:
    """With a price, which nobody but the user knows of an address of their own."""
    price = {"input": 0.1, "output": 0.3}
    return {"model": model, "endpoint": f"env:{endpoint}", "licence": "apache-2.0", "price": price}


@dataclass(frozen=True)
class Wanted:
    """A recipe, the files that it names, and the places in it that are refused as unknown."""

    recipe: Mapping[str, Any]
    files: Mapping[str, str]
    later: frozenset[tuple[str | int, ...]]


def rows(*values: Mapping[str, Any]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


INTENTS = Wanted(
    {
        "name": "bank-intents",
        "task": {"kind": "classification", "input": "text", "label": "intent"},
        "sources": {
            "real": {"path": "data/train.csv"},
            "inbox": {"path": "data/inbox.jsonl", "unlabelled": True, "redact": ["email", "iban"]},
            "eval": {"path": "data/test.csv", "lock": True},
        },
        "roles": {"teacher": role("qwen3-32b"), "judge": role("gpt-oss-20b", "JUDGE_URL")},
        "generate": {
            "target": 900,
            "cover": {"intent": {"lost_card": 200, "fee": 150, "*": "fill"}},
            "edge_cases": [
                {"name": "two-in-one", "ask": "has a second wish; the main one counts", "count": 50}
            ],
            "templates": {"from": "teacher", "count": 30},
            "axes": {
                "persona": {"file": "personas.txt"},
                "channel": ["app", "phone"],
                "typos": ["none", "some"],
            },
            "methods": {"template": 3, "label": 1},
            "temperature": [0.7, 1.0],
        },
        "filters": "default",
        "review": {"fraction": 0.02, "always": ["lost_card"]},
        "mix": {"synthetic": 0.75, "slices": {"fee": {"real_at_least": 0.5}}, "search": [0.5, 0.75]},
        "student": "classifier",
        "gates": {"leaks": 0, "review.error_rate": "<= 0.05"},
        "budget": {"cost": 40, "time": "6h"},
    },
    {
        "data/train.csv": "text,intent\nMy card is gone.,lost_card\nWhy a fee?,fee\nMay I pay?,payment\n",
        "data/test.csv": "text,intent\nSomebody has my purse and the card in it.,lost_card\n",
        "data/inbox.jsonl": rows({"text": "Can I pay in yen at the counter?"}),
        "personas.txt": "a student abroad\na landlord\n",
    },
    frozenset({("review",), ("gates",)}),
)

HANDBOOK = Wanted(
    {
        "name": "handbook-dpo",
        "task": {"kind": "preference", "prompt": "question", "answer": "answer"},
        "sources": {
            "docs": {
                "path": "handbook/**/*.md",
                "chunk": {"tokens": 400, "by": "heading"},
                "redact": ["email"],  # a person takes a pipeline that is on no machine of itself
            },
            "real": {"path": "pairs.jsonl"},
            "eval": {"path": "asked.jsonl", "lock": True},
        },
        "roles": {
            "teacher": role("qwen3-32b"),
            "weak": role("qwen3-4b", "WEAK_URL"),
            "judge": role("gpt-oss-120b", "JUDGE_URL"),
        },
        "generate": {
            "target": 2000,
            "cover": {"kind": {"answerable": 0.8, "not_in_handbook": 0.2}, "document": "even"},
            "axes": {
                "persona": {"from": "teacher", "count": 40},
                "tone": ["plain", "hurried"],
            },
            "methods": [
                {
                    "iterative": {
                        "stages": ["topics", "questions", "answers", "validation"],
                        "grounded": "docs",
                    }
                },
                {
                    "preference": {
                        "source": "docs",
                        "answers": [
                            {"role": "teacher", "n": 3},
                            {"role": "weak", "n": 2},
                            {"role": "teacher", "prompt": "no_source.j2"},
                        ],
                        "rank": ["groundedness", "judge"],
                        "margin": 1,
                        "length_ratio": [0.67, 1.5],
                    }
                },
            ],
        },
        "filters": [
            "default",
            {"groundedness": {"quote": "required"}},
            {"memorised": {"sources": ["real"]}},
        ],
        "rubrics": {"judge": "rubric.md"},
        "review": {"fraction": 0.05, "double": 0.2},
        "student": {"command": "bash train.sh {train} {out}", "score": "scores.json"},
        "export": ["trl-dpo", "axolotl"],
    },
    {
        "handbook/rules/leave.md": "# Leave\n\nEverybody has 28 days, of which five may be carried over.\n",
        "pairs.jsonl": rows({"question": "How many days of leave have I got?", "answer": "28."}),
        "asked.jsonl": rows({"question": "Whom do I tell that I am ill?", "answer": "The office."}),
        "no_source.j2": "Answer as if you knew.\n---user---\n{{ question }}\n",
    },
    frozenset(
        {
            ("rubrics",),
            ("review",),
            ("export", 1),
        }
    ),
)

PYTHON = Wanted(
    {
        "name": "python-tasks",
        "task": {"kind": "code", "language": "python"},
        "sources": {
            "seeds": {"path": "src/**/*.py", "chunk": {"lines": 15}, "secrets": "drop"},
            "eval": {"path": "problems.jsonl", "lock": True},
        },
        "roles": {"teacher": role("qwen3-coder-30b")},
        "generate": {
            "target": 5000,
            "cover": {"difficulty": {"easy": 1, "medium": 2, "hard": 1}, "topic": "even"},
            "axes": {
                "topic": {"file": "topics.txt"},
                "signature": ["function", "class"],
            },
            "methods": {"code_from_seed": {"sources": "seeds", "tests": 8, "solutions": 5}},
        },
        "filters": [
            "default",
            {
                "verify": {
                    "limits": {"seconds": 10, "memory": "512MB"},
                    "packages": ["numpy"],
                    "kills_mutants": 1,
                }
            },
            {"near_duplicates": {"on": "ast"}},
        ],
        "review": {"fraction": 0.02, "stratify": ["topic", "difficulty"]},
        "student": {"command": "bash sft.sh {train} {out}", "score": "scores.json"},
        "export": ["trl-sft"],
    },
    {
        "src/tides/heights.py": "def highest(tides):\n    return max(tides, default=None)\n",
        "problems.jsonl": rows(
            {"prompt": "Write `low(tides)`.", "solution": "low = min", "tests": "low([1])"}
        ),
        "topics.txt": "dates\nwords and letters\n",
    },
    frozenset({("review",)}),
)


def write(wanted: Wanted, recipe: Mapping[str, Any], folder: Path) -> None:
    for name, text in wanted.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    with (folder / "recipe.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(recipe, file)


def as_key(place: tuple[str | int, ...]) -> str:
    """`filters[1].verify`, as problems name it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def without(recipe: Mapping[str, Any], later: frozenset[tuple[str | int, ...]]) -> dict[str, Any]:
    """The recipe without what is not built; what is empty then goes too."""
    rest = copy.deepcopy(dict(recipe))
    for place in sorted(later, key=str, reverse=True):  # in a list the last first
        *way, last = place
        inner: Any = rest
        for part in way:
            inner = inner[part]
        del inner[last]
    unsaid: tuple[Any, ...] = ({"near_duplicates": {}}, {"verify": {}})
    if isinstance(rest["filters"], list):
        rest["filters"] = [entry for entry in rest["filters"] if entry and entry not in unsaid]
    return {name: section for name, section in rest.items() if section}


@pytest.mark.parametrize("wanted", [INTENTS, HANDBOOK, PYTHON], ids=lambda wanted: wanted.recipe["name"])
class TestAWantedRecipe:
    def test_only_keys_of_what_is_not_built_are_refused_each_by_name(
        self, wanted: Wanted, tmp_path: Path
    ) -> None:
        write(wanted, wanted.recipe, tmp_path)
        with pytest.raises(RecipeError) as caught:
            load_bound(tmp_path, (), env=ENV)
        problems = {problem.key: problem.message for problem in caught.value.problems}
        assert set(problems) == {as_key(place) for place in wanted.later}
        unknown = re.compile(r"unknown key '\w+'|no (filter|student|exporter) is called '\w+'")
        assert [message for message in problems.values() if not unknown.match(message)] == []

    def test_without_them_it_loads_with_its_data_and_prompts(self, wanted: Wanted, tmp_path: Path) -> None:
        write(wanted, without(wanted.recipe, wanted.later), tmp_path)
        bound = load_bound(tmp_path, (), env=ENV)
        assert bound.recipe.name == wanted.recipe["name"]
