from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.protocols import EvalHit
from seedbed.text.normalise import normalise
from seedbed.text.overlap import EvalIndex

ROW = "my new lamp came with a broken shade and I would like to send it back"
LONG_ROW = (
    "Yesterday I waited two hours for the technician who was meant to look at the boiler, and when nobody "
    "came I called the office, where I was told that the visit had been moved to next week without a word "
    "to me, so please tell me whether anyone will come on Monday or whether I have to find somebody else."
)


def rules(index: EvalIndex, text: str) -> dict[str, float]:
    return {hit.rule: round(hit.score, 3) for hit in index.check([text])[0]}


@pytest.mark.parametrize("text", ["Yes!", "yes", "  YES… "])
def test_equality_has_no_length_floor(text: str) -> None:
    assert EvalIndex(["no", "yes"]).check([text])[0] == [EvalHit("equal", 1.0, 1)]


def test_every_equal_row_is_named_and_none_of_them_as_near() -> None:
    index = EvalIndex([ROW, "something else", ROW.upper()])
    assert [(hit.rule, hit.row) for hit in index.check([ROW])[0]] == [("equal", 0), ("equal", 2)]


@pytest.mark.parametrize("text", ["", "?!", "\x00", "\ud800"])
def test_empty_normal_forms_equal_nothing(text: str) -> None:
    assert EvalIndex(["", "…", "\ud801", ROW]).check([text])[0] == []


def test_a_row_inside_a_record_is_contained() -> None:
    assert rules(EvalIndex(["where is my card"]), "Hello, where is my card? I ordered it in May.") == {
        "contained": 1.0
    }


def test_a_record_inside_a_row_is_contained_by_its_share_of_the_row() -> None:
    assert rules(EvalIndex([ROW]), "came with a broken shade")["contained"] == round(5 / 16, 3)


@pytest.mark.parametrize("text", ["is my card", "where is the card my", "here is my cards"])
def test_three_tokens_or_another_order_are_not_contained(text: str) -> None:
    assert "contained" not in rules(EvalIndex(["where is my card please today"]), text)


def test_containment_respects_token_borders() -> None:
    assert rules(EvalIndex(["art is my life"]), "start is my life long learning plan for summer") == {}


def test_a_few_changed_characters_are_similar() -> None:
    assert (
        rules(EvalIndex([ROW]), ROW.replace("lamp", "lamps").replace("broken", "brokken"))["similar"] > 0.95
    )


def test_similarity_is_for_rows_of_up_to_40_tokens() -> None:
    assert "similar" not in rules(EvalIndex([LONG_ROW]), LONG_ROW.replace("Monday", "Tuesday"))


def test_ngrams_that_cover_half_of_the_row_hit() -> None:
    words = ROW.split()
    half = "I said: " + " ".join(words[:8]) + " today"
    assert rules(EvalIndex([ROW]), half)["ngrams"] == 0.5
    assert "ngrams" not in rules(EvalIndex([ROW]), "I said: " + " ".join(words[:7]) + " today")


def test_ngrams_below_half_of_the_row_do_not_hit() -> None:
    some = "well " + " ".join(LONG_ROW.split()[4:14]) + " again"
    assert "ngrams" not in rules(EvalIndex([LONG_ROW]), some)


def test_a_shared_run_of_50_characters_hits() -> None:
    norm = normalise(LONG_ROW)
    assert rules(EvalIndex([LONG_ROW]), f"xx{norm[10:60]}xx")["run"] == round(50 / len(norm), 3)
    assert rules(EvalIndex([LONG_ROW]), f"xx{norm[10:59]}xx") == {}


def test_the_strongest_hit_comes_first() -> None:
    index = EvalIndex([LONG_ROW, ROW, "the lamp is on the table"])
    hits = index.check([f"{ROW} and {LONG_ROW[:80]}"])[0]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0] == EvalHit("contained", 1.0, 1)


def test_common_phrases_count_for_neither_ngrams_nor_runs() -> None:
    phrase = "thank you for your patience and please let me know as soon as there is any news"
    row = f"{phrase} about the lamp"
    train = [f"order {n} is late, {phrase}" for n in range(4)]
    other = f"my parcel is lost {phrase} of it"
    assert {"ngrams", "run"} <= rules(EvalIndex([row]), other).keys()
    assert rules(EvalIndex([row], common=train), other) == {}
    assert rules(EvalIndex([row], common=train[:2]), other) != {}
    later = EvalIndex([row])
    later.ignore_common(train)
    assert rules(later, other) == {}
    assert rules(later, row) == {"equal": 1.0}


def test_of_many_train_texts_one_percent_makes_a_phrase_common() -> None:
    phrase = "thank you for your patience and please let me know as soon as there is any news"
    train = [f"word{n} word{n + 1}" for n in range(495)] + [phrase] * 5
    row, query = f"now {phrase} about the missing lamp", f"yes {phrase} of the parcel"
    assert rules(EvalIndex([row], common=train[1:]), query) == {}
    assert rules(EvalIndex([row], common=[*train, "one more makes the floor six"]), query) != {}


@given(st.lists(st.text(max_size=120), max_size=8), st.text(max_size=200))
def test_hits_name_existing_rows_with_scores_in_range(texts: list[str], query: str) -> None:
    index = EvalIndex([*texts, query])
    hits = index.check([query])[0]
    assert all(0 < hit.score <= 1 and 0 <= hit.row < len(index) for hit in hits)
    assert any(hit.rule == "equal" and hit.row == len(texts) for hit in hits) == bool(normalise(query))


@given(
    st.text(st.characters(codec=None, categories=None), min_size=1),
    st.sampled_from(["", "\ud800", "\x00", "א"]),
)
def test_any_character_gets_an_answer(text: str, odd: str) -> None:
    assert isinstance(EvalIndex([text, odd, ROW]).check([f"{text} {odd} {ROW}"])[0], list)


def test_a_megabyte_gets_an_answer() -> None:
    assert (
        EvalIndex([LONG_ROW]).check(["lorem ipsum " * 43_690 + LONG_ROW + " dolor" * 87_000])[0][0].rule
        == "contained"
    )
