"""`memorised`: long runs of a real row's words inside of other text, and what may be quoted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.filters.figure import table
from benchmarks.filters.memorised import measure
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Provenance, Record
from seedbed.core.verdict import Verdict
from seedbed.filters.memorised import Memorised
from seedbed.tasks.conversation import Conversation
from tests.filters.tickets import QUESTIONS, TICKETS, build, record, ticket, verdicts_of

_rng = random.Random(7)
WORDS = ["".join(_rng.choices("aeioubcdfghlmnprst", k=_rng.randint(2, 9))) for _ in range(4000)]
CHAT = Conversation.bind(Conversation.Options(), None)


def words(count: int, seed: Any) -> str:
    return " ".join(random.Random(str(seed)).choices(WORDS, k=count))


def real(key: str, source: str = "real", **fields: Any) -> Record:
    return Record(key, fields, Provenance("real", source))


ROWS = [real(f"row-{at}", question=words(8, f"q{at}"), answer=words(60, at)) for at in range(80)]
CONTEXT = FilterContext(QUESTIONS, [QUESTIONS.as_text(row.fields) for row in ROWS], real=ROWS)
ANSWER: list[str] = ROWS[3].fields["answer"].split()


def verdict(one: Record, context: FilterContext = CONTEXT, **options: Any) -> Verdict:
    said: list[Verdict] = verdicts_of(build("memorised", context, **options), [one])
    return said[0]


def inside(run: Sequence[str], **more: Any) -> Record:
    answer = f"{words(20, 'a')} {' '.join(run)}, {words(20, 'b')}"
    return record("r", question="Why?", answer=answer)._replace(**more)


def test_a_run_inside_other_text_falls_from_the_number_of_words_on() -> None:
    assert build("memorised", CONTEXT).least == 13
    said = verdict(inside(ANSWER[10:23]))
    assert (said.filter, said.keep, said.reason) == ("memorised@1", False, "memorised")
    assert said.evidence == {
        "words": 13,
        "least": 13,
        "field": "answer",
        "row": "row-3",
        "run": " ".join(ANSWER[10:23]),
        "share": round(13 / 53, 3),
        "real": 0.0,
    }
    assert verdict(inside(ANSWER[10:22])).keep
    assert verdict(inside(ANSWER[10:23]), run=14).keep


def test_the_longest_run_of_all_rows_and_fields_is_named() -> None:
    one = record("r", question=" ".join(ANSWER[:15]), answer=ROWS[5].fields["answer"])
    said = verdict(one)
    assert (said.evidence["row"], said.evidence["field"], said.evidence["words"]) == ("row-5", "answer", 60)
    assert verdict(one, fields=["question"]).evidence["words"] == 15


def test_part_of_a_word_at_either_end_does_not_count() -> None:
    run = [f"x{ANSWER[10]}", *ANSWER[11:23], f"{ANSWER[23]}x"]
    assert verdict(inside(run)).keep
    assert verdict(inside(run), run=12).evidence["words"] == 12


def test_each_character_is_a_word_where_there_are_no_spaces() -> None:
    text = "请问我的灯什么时候能送到我家里来因为我已经等了三个星期了"
    context = FilterContext(TICKETS, [text], real=[real("row", text=text, label="lost")])
    assert verdict(ticket(f"你好{text[:27]}谢谢你们"), context).evidence["words"] == 27


def test_a_turn_is_a_text_of_its_own() -> None:
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": " ".join(ANSWER)}]
    context = replace(CONTEXT, task=CHAT, real=[real("row", messages=turns)])
    split = [{**turns[0], "content": " ".join(ANSWER[:12])}, {**turns[1], "content": " ".join(ANSWER[12:24])}]
    assert verdict(record("r", messages=split), context, run=13).keep
    assert not verdict(record("r", messages=turns), context).keep


def test_phrases_that_many_real_rows_have_are_nobody_s() -> None:
    phrase = words(30, "phrase").split()
    rows = [
        *ROWS,
        *(
            real(f"p{at}", question=words(8, at), answer=f"{words(9, at)} {' '.join(phrase)}")
            for at in range(3)
        ),
    ]
    texts = [QUESTIONS.as_text(row.fields) for row in rows]
    assert verdict(inside(phrase), replace(CONTEXT, real=rows, real_texts=texts), run=13).keep
    assert not verdict(inside(phrase), replace(CONTEXT, real=rows[:-1], real_texts=texts[:-1]), run=13).keep


def test_only_the_sources_that_are_named_count() -> None:
    rows = [*ROWS, real("other", source="more", question="Who?", answer=words(40, "more"))]
    context = replace(CONTEXT, real=rows)
    run = words(40, "more").split()
    assert verdict(inside(run), context).evidence["row"] == "other"
    assert verdict(inside(run), context, sources=["real"]).keep
    options = Memorised.Options(sources=("reel",))
    (problem,) = Memorised.problems_with_rows(options, QUESTIONS, rows)
    assert problem == "names the source 'reel', which has no real rows; there are: real, more"
    (problem,) = Memorised.problems_with_rows(Memorised.Options(), QUESTIONS, [])
    assert problem.startswith("has no real rows")


def test_an_example_is_no_source_and_what_a_method_took_from_a_row_is() -> None:
    shown = inside([]).provenance._replace(parents=("row-3",))
    copied = record("r", question=" ".join(ANSWER), answer="Because.")
    assert not verdict(copied._replace(provenance=shown)).keep
    taken = copied._replace(provenance=shown._replace(carried=("question",)))
    assert verdict(taken).keep
    quoting = record(
        "r", question=" ".join(ANSWER), answer=f"You say: {' '.join(ANSWER[:40])}. {words(20, 'c')}"
    )
    assert verdict(quoting._replace(provenance=taken.provenance)).keep
    # What goes beyond the quotation counts by itself.
    row = f"{' '.join(ANSWER[:40])} {words(20, 'c')}"
    context = replace(CONTEXT, real=[*ROWS, real("longer", question="Why?", answer=row)])
    taken_part = record("r", question=" ".join(ANSWER[:40]), answer=row)
    said = verdict(taken_part._replace(provenance=taken.provenance), context, run=13)
    assert said.evidence["words"] == 20


def test_a_passage_and_the_evidence_that_a_method_kept_may_be_quoted() -> None:
    passage = real("passage", source="docs", text=ROWS[3].fields["answer"], heading="", document="a.md")
    about = inside([]).provenance._replace(parents=("passage",))
    context = replace(CONTEXT, documents=[passage])
    assert verdict(inside(ANSWER[:30], provenance=about), context).keep
    assert not verdict(inside(ANSWER[:30], provenance=about)).keep
    assert verdict(inside(ANSWER[:30], notes={"evidence": {"quote": " ".join(ANSWER[:30])}})).keep


def alike(count: int, run: int) -> list[Record]:
    """200 rows, of which so many share a run of this length with the one after it."""
    rows = [words(60, f"alike {at}") for at in range(200)]
    for at in range(0, count, 2):
        rows[at] = f"{rows[at]} {words(run, at)}"
        rows[at + 1] = f"{words(run, at)} {rows[at + 1]}"
    return [real(f"row-{at}", question="Why?", answer=text) for at, text in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "least"),
    [
        (alike(2, 30), 13),
        (alike(8, 30), 31),
        (alike(8, 55), 50),
        ([*alike(2, 30)[:40], *alike(2, 30)[:9]], 20),
        ([row._replace(id=f"copy {row.id}") for row in alike(2, 30)] + alike(2, 30), 13),
    ],
)
def test_as_many_words_as_one_real_row_in_a_hundred_shares_with_another(
    rows: list[Record], least: int
) -> None:
    assert build("memorised", replace(CONTEXT, real=rows, real_texts=[])).least == least


@pytest.mark.real_data
def test_published_sets(real_data: Any) -> None:
    real_data("anthropic_evals")
    figures = measure()
    print(table(figures))
    *runs, leaked, people = figures
    for each, least in ((runs[-1], 0.95), (leaked, 0.5)):
        assert each.recall
        assert each.recall.value >= least
    assert people.false_drop
    assert people.false_drop.value <= 0.02
