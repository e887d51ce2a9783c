"""A real text stays as an answer where the judge gives the instruction written for it the best score."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.cell import Cell
from seedbed.core.errors import RecipeError, SourceError
from seedbed.core.record import Record
from seedbed.run.loading import load_bound
from tests.generate.bench import Bench
from tests.generate.by_hand import Said, answered, bench_of, one_record

ASKED = "My rim brakes squeal each time I pull the lever. How do I stop that?"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of("instruction_backtranslation", tmp_path)


def of_squealing(bench: Bench, *said: Said) -> Record:
    (item,) = [item for item in bench.bound.material["handbook"] if item.fields["heading"] == "Squealing"]
    name = "instruction_backtranslation"
    return one_record(answered(bench, Cell(name, name, {}, (), 0, item.id), *said))


def judged(score: int) -> Said:
    return {"evidence": "It names the cause and the remedy.", "score": score}


def test_the_text_is_the_answer_word_for_word_and_the_judgement_stands_with_it(bench: Bench) -> None:
    record = of_squealing(bench, {"instruction": ASKED}, judged(5))
    assert record.rejected is None
    assert record.fields["instruction"] == ASKED
    assert record.fields["response"].startswith("## Squealing\n\nBrakes squeal when the back of a pad")
    assert record.notes == {"score": 5, "judge": "It names the cause and the remedy."}
    assert record.provenance.depth == 1


@pytest.mark.parametrize(("score", "keep", "stays"), [(4, 5, False), (4, 4, True), (3, 4, False)])
def test_a_pair_below_the_score_asked_for_is_turned_down(
    tmp_path: Path, score: int, keep: int, stays: bool
) -> None:
    bench = bench_of(
        "instruction_backtranslation",
        tmp_path,
        (f"generate.methods={{instruction_backtranslation: {{keep: {keep}}}}}",),
    )
    record = of_squealing(bench, {"instruction": ASKED}, judged(score))
    assert (record.rejected is None) is stays
    if record.rejected is not None:
        assert record.rejected.reason == "score_too_low"
        assert record.rejected.score == score
        assert record.rejected.evidence["judge"] == "It names the cause and the remedy."


@pytest.mark.parametrize("score", [0, 6, 50])
def test_a_score_that_is_none_is_no_judgement(bench: Bench, score: int) -> None:
    record = of_squealing(bench, {"instruction": ASKED}, judged(score))
    assert record.unreadable is not None
    assert record.unreadable.cause == "invalid_schema"


def test_a_text_that_answers_nobody_is_not_judged(bench: Bench) -> None:
    record = of_squealing(bench, {"instruction": "None."})
    assert record.rejected is not None
    assert record.rejected.reason == "answers_nobody"
    assert len(record.provenance.reply_keys) == 1


def test_an_instruction_made_of_the_text_itself_is_turned_down(bench: Bench) -> None:
    quoting = "Brakes squeal when the back of a pad touches the rim first. What then?"
    record = of_squealing(bench, {"instruction": quoting})
    assert record.rejected is not None
    assert record.rejected.reason == "quotes_its_answer"
    assert record.rejected.evidence == {"words": 12}


def test_rows_that_have_the_answer_alone_are_worked_on_and_a_context_stays_empty(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "answers.csv").write_text(
        "reply\nTurn the pad until its front end leads.\n", "utf-8"
    )
    bench = bench_of(
        "instruction_backtranslation",
        tmp_path,
        (
            "sources={answers: {path: answers.csv, unlabelled: true, columns: {response: reply}}}",
            "task={kind: instruction, context: input}",
        ),
    )
    (cell,) = bench.cells[:1]
    record = one_record(answered(bench, cell, {"instruction": ASKED}, judged(5)))
    assert record.fields == {
        "instruction": ASKED,
        "input": "",
        "response": "Turn the pad until its front end leads.",
    }


def test_rows_without_the_answer_are_named_before_any_request(tmp_path: Path) -> None:
    bench = bench_of("instruction_backtranslation", tmp_path)
    (bench.folder / "asked.csv").write_text(f"instruction\n{ASKED}\n", "utf-8")
    with pytest.raises(SourceError, match=r"source 'asked': .* have no 'response'; say which column"):
        load_bound(bench.folder, ("sources={asked: {path: asked.csv, unlabelled: true}}",))


def test_another_role_judges(tmp_path: Path) -> None:
    bench = bench_of(
        "instruction_backtranslation",
        tmp_path,
        (
            "roles={judge: {rehearsal: {}}}",
            "generate.methods={instruction_backtranslation: {judge: judge}}",
        ),
    )
    record = of_squealing(bench, {"instruction": ASKED}, judged(5))
    assert set(record.provenance.models) == {"teacher", "judge"}
    assert record.provenance.steps == (
        "library/instruction_backtranslation/instruction by teacher",
        "library/instruction_backtranslation/judge by judge",
    )


def test_a_judge_of_the_teachers_own_family_must_be_said(tmp_path: Path) -> None:
    bench = bench_of("instruction_backtranslation", tmp_path)

    def bound(more: str) -> object:
        role = "{{model: {}, endpoint: 'http://127.0.0.1:9/v1', licence: mit}}"
        roles = f"roles={{teacher: {role.format('qwen-a')}, judge: {role.format('qwen-b')}}}"
        methods = f"generate.methods={{instruction_backtranslation: {{judge: judge{more}}}}}"
        return load_bound(bench.folder, ("filters=[]", roles, methods))

    with pytest.raises(RecipeError, match="of the teacher's own family"):
        bound("")
    assert bound(", same_family: allow")
