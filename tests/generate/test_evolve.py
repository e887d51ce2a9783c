"""`evolve`: which steps are refused, and what is answered in the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from tests.generate.bench import CLEAN, Asked, Bench, Done, saying

ANSWER = {"response": "Clamp it at the seat post, and count to ten."}
HARDER = {"task": "Explain to a guest in three sentences why a bicycle is clamped at its seat post alone."}


def bench_of(folder: Path, options: str) -> Bench:
    return Bench.of("evolve", folder / "bench", [*CLEAN, f"generate.methods={{evolve: {options}}}"])


def made(bench: Bench, *replies: Any) -> Done:
    (done,) = bench.make(bench.cells[:1], lambda: Asked(saying(*replies)))
    assert len(done.asked.roles) == len(replies)
    return done


def test_a_step_that_gained_something_is_answered(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{rounds: 1, ways: [deepen]}")
    done = made(bench, HARDER, ANSWER)
    (record,) = done.records
    assert record.rejected is None
    assert record.fields == {"instruction": HARDER["task"], **ANSWER}
    assert record.notes == {"ways": ["deepen"]}
    asked = done.asked.requests[0].messages[-1].content
    source = next(row for row in bench.bound.train if row.id == done.cell.source)
    assert f"<task>\n{source.fields['instruction']}\n</task>" in asked
    assert "what lies behind" in asked


@pytest.mark.parametrize(
    ("reason", "task"),
    [
        ("prompt_leaked", "The rewritten prompt: explain why a clamp is set at the seat post."),
        ("prompt_leaked", "#Given Prompt#\nExplain why a clamp is set at the seat post."),
        ("apology", "I'm sorry, but I can't make this any harder."),
        ("apology", "Sorry. This is hard enough."),
        ("nothing_gained", None),
    ],
)
def test_a_step_of_no_use_is_refused_and_without_a_good_one_nothing_is_asked(
    reason: str, task: str | None, tmp_path: Path
) -> None:
    bench = bench_of(tmp_path, "{rounds: 1, ways: [constrain]}")
    source = next(row for row in bench.bound.train if row.id == bench.cells[0].source)
    said = {"task": task if task is not None else str(source.fields["instruction"]).upper()}
    (record,) = made(bench, said).records
    assert record.rejected is not None
    assert (record.rejected.reason, record.rejected.by) == (reason, "evolve@1")
    assert record.notes == {"ways": [], "refused": {"1 constrain": reason}}


def test_words_of_the_task_itself_are_no_leak(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{start: new, rounds: 1, ways: [deepen]}")
    first = {"task": "Explain what the word given prompt means to a chemist."}
    harder = {
        "task": "Explain what the words given prompt mean to a chemist and to somebody who writes plays."
    }
    (record,) = made(bench, first, harder, ANSWER).records
    assert record.rejected is None


def test_another_role_may_say_that_nothing_was_gained(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{rounds: 1, comparer: teacher}")
    (record,) = made(bench, HARDER, {"difference": "none", "equal": True}).records
    assert record.rejected is not None
    assert record.rejected.reason == "nothing_gained"


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        ("I'm sorry, I cannot know that.", "apology"),
        ("Unfortunately I have no access to the workshop.", "apology"),
        ("Sorry is the word to begin with. " + "Then say what happened and what you will do. " * 10, ""),
        ("Tell her that you are sorry.", ""),
    ],
)
def test_an_answer_that_is_an_apology_is_turned_down(answer: str, fate: str, tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{rounds: 1}")
    (record,) = made(bench, HARDER, {"response": answer}).records
    assert (record.rejected.reason if record.rejected else "") == fate


def test_after_a_refused_step_another_way_is_tried_on_the_same_task(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{rounds: 10, ways: [deepen, reason]}")
    for done in bench.make(bench.cells, lambda: Asked(saying(*[{"task": "Sorry."}] * 3))):
        (record,) = done.records
        tried: Sequence[str] = [name.split()[1] for name in record.notes["refused"]]
        assert len(tried) == len(set(tried)) == len(done.asked.roles)
        assert record.rejected is not None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["generate.methods={evolve: {start: new, source: real}}"], "start: new begins with no row"),
        (["generate.methods={evolve: {ways: []}}"], "ways"),
        (["task={kind: translation, from: de, to: en}"], "for tasks of kind code, custom"),
        (["generate.methods=evolve", "sources={}"], "works on real rows"),
    ],
)
def test_what_cannot_be_is_refused(overrides: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        Bench.of("evolve", tmp_path / "bench", [*CLEAN, *overrides])
