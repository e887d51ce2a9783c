"""What a filter lacks is told with everything else that is wrong, at its line, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.errors import RecipeError
from seedbed.filters import DEFAULT_FILTERS
from seedbed.recipe import load_recipe
from seedbed.run.binding import bind
from seedbed.run.filter_checks import problems_of
from seedbed.run.registry import registry
from tests.filters.tickets import TICKETS

RECIPE = """\
name: tickets
task: {kind: classification, input: text, label: team, labels: [billing, login]}
filters:
  - default
  - format:
      fields:
        txt: {max_lines: 2}
  - label_agreement
"""


def problems(folder: Path, recipe: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    (folder / "recipe.yaml").write_text(recipe, "utf-8")
    tables = registry()
    with pytest.raises(RecipeError) as refused:
        bind(load_recipe(folder, tables, env={}, default_filters=DEFAULT_FILTERS), tables)
    return [str(problem).removeprefix(f"{folder}/") for problem in refused.value.problems]


def test_rules_for_unknown_fields_and_missing_rows_are_told_together(tmp_path: Path) -> None:
    found = problems(tmp_path, RECIPE)
    assert [line.partition(": ")[0] for line in found] == ["recipe.yaml:7", "recipe.yaml:8"]
    assert "'txt' is no text field of the task; there are: text" in found[0]
    assert "label_agreement learns from real rows of at least two labels" in found[1]


def test_a_task_without_labels_has_none_to_agree_with(tmp_path: Path) -> None:
    recipe = "name: pairs\ntask: {kind: instruction}\nfilters: [default, label_agreement]\n"
    (line,) = problems(tmp_path, recipe)
    assert "label_agreement compares labels, and a task of kind instruction has none" in line


def test_a_list_of_nothing_and_a_missing_file_are_told_at_their_line(tmp_path: Path) -> None:
    recipe = (
        "name: pairs\ntask: {kind: instruction}\nfilters:\n"
        "  - forbidden\n  - format: {fields: {response: {pattern: '('}}}\n"
    )
    found = problems(tmp_path, recipe)
    assert len(found) == 2
    assert found[0].startswith("recipe.yaml:4")
    assert "forbids nothing" in found[0]
    assert found[1].startswith("recipe.yaml:5")
    assert "linear time" in found[1]
    (line,) = problems(
        tmp_path, recipe.replace("forbidden\n", "forbidden: {file: no.txt}\n").replace("'('", "'a'")
    )
    assert f"no such file: {tmp_path / 'no.txt'}" in line


class _WantsAModule:
    needs = ("a_module_of_nobody",)

    @staticmethod
    def problems(options: object, task: object) -> list[tuple[tuple[str, ...], str]]:
        raise ModuleNotFoundError("only what is there can be asked")

    problems_with_rows = problems


def test_what_lacks_its_module_is_asked_nothing_that_takes_it() -> None:
    ((place, message),) = problems_of(_WantsAModule, object(), TICKETS, [], documents=False)
    assert place == ()
    assert message == (
        "needs a_module_of_nobody: pip install 'seedbed[a_module_of_nobody]', or take the filter out"
    )
