"""The starter recipe: it loads, its prompts render, and its data is what a newcomer may learn from."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest

import seedbed
from seedbed.filters import DEFAULT_FILTERS
from seedbed.models.imitation import shingles, words_of
from seedbed.prompts.templates import PromptTemplate, read_template
from seedbed.recipe.load import LoadedRecipe, load_recipe
from seedbed.run.registry import registry

FOLDER = Path(seedbed.__file__).parent / "examples" / "support_tickets"
TEMPLATES = sorted((FOLDER / "prompts").glob("*.j2"))


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def loaded() -> LoadedRecipe:
    return load_recipe(FOLDER, registry(), env={}, default_filters=DEFAULT_FILTERS)


def test_the_recipe_rehearses_and_names_every_prompt_of_its_folder(loaded: LoadedRecipe) -> None:
    recipe = loaded.recipe
    assert recipe.is_rehearsal
    assert recipe.generate.target == 300
    assert sorted(FOLDER / name for name in recipe.generate.template_files) == TEMPLATES
    assert recipe.sources["eval"].lock
    assert (FOLDER / "recipe.yaml").stat().st_size < 3_000


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_prompt_uses_every_axis_and_puts_what_changes_last(path: Path, loaded: LoadedRecipe) -> None:
    template = read_template(path, path.stem)
    axes = loaded.recipe.generate.axes
    assert template.problems(axes) == []
    assert all(template.uses(axis) for axis in axes)
    system, user = rendered(template, loaded, "privacy", "the weather in Brellmoor")
    other_system, other_user = rendered(template, loaded, "billing", "a lost button")
    assert system == other_system, (
        "what stands first is the same for every cell, so that a server may cache it"
    )
    assert description_of(loaded) in system
    assert '{"text": "<the message>"}' in system
    for part in ("Category", "privacy", "the weather in Brellmoor", "live chat", "Variation: 7"):
        assert part in user
    assert "a lost button" in other_user


def description_of(loaded: LoadedRecipe) -> str:
    description = loaded.recipe.task.description
    assert description is not None
    return description.strip()


def rendered(template: PromptTemplate, loaded: LoadedRecipe, label: str, example: str) -> tuple[str, str]:
    variables: Mapping[str, object] = {
        "task": {**loaded.recipe.task.options.model_dump(), "description": description_of(loaded)},
        "label": label,
        "examples": [{"text": example, "category": label}],
        "draw": 7,
        "channel": "live chat",
        "writer": "bookkeeper",
        "mood": "friendly",
    }
    system, user = template.render(variables)
    assert (system.role, user.role) == ("system", "user")
    return system.content, user.content


def test_the_task_describes_every_category_of_the_data(loaded: LoadedRecipe) -> None:
    description = description_of(loaded)
    for label in {row["category"] for row in rows("train")}:
        assert f"- {label}: " in description


def test_six_categories_one_of_them_rare_and_all_in_the_eval() -> None:
    train = Counter(row["category"] for row in rows("train"))
    test = Counter(row["category"] for row in rows("test"))
    assert (train.total(), test.total(), len(train)) == (150, 120, 6)
    assert train["privacy"] == 8
    assert min(count for label, count in train.items() if label != "privacy") >= 15
    assert set(test) == set(train)
    # Fewer would say nothing about the rare category.
    assert min(test.values()) >= 14


def test_no_message_is_like_another_within_or_between_the_files() -> None:
    texts = [row["text"] for name in ("train", "test") for row in rows(name)]
    assert len(set(texts)) == 270
    sets = [shingles(words_of(text), 3) for text in texts]
    assert not [
        (texts[a], texts[b]) for a, b in combinations(range(270), 2) if alike(sets[a], sets[b]) > 0.15
    ]


def alike(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    return len(one & other) / len(one | other)


def test_no_prompt_quotes_a_message() -> None:
    prompts = set[tuple[str, ...]]().union(
        *(
            shingles(words_of(path.read_text(encoding="utf-8")), 6)
            for path in [*TEMPLATES, FOLDER / "recipe.yaml"]
        )
    )
    for row in [*rows("train"), *rows("test")]:
        assert not shingles(words_of(row["text"]), 6) & prompts


def test_messages_vary_in_length_and_opening_and_do_not_name_their_category() -> None:
    everything = [*rows("train"), *rows("test")]
    lengths = sorted(len(words_of(row["text"])) for row in everything)
    assert lengths[0] <= 6
    assert lengths[-1] >= 30
    openings = Counter(tuple(word.casefold() for word in words_of(row["text"])[:2]) for row in everything)
    assert openings.most_common(1)[0][1] <= 8
    keyword = {
        label: sum(label in row["text"].casefold() for row in everything) for label in ("billing", "privacy")
    }
    assert keyword == {"billing": 0, "privacy": 0}
