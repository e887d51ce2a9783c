from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.normalise import normalise, normalise_all, tokens, units

any_text = st.text(st.characters(codec=None, categories=None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello,  World!", "hello world"),
        ("  snake_case__name ", "snake case name"),
        ("What's the fee?", "what s the fee"),
        ("ﬁne ＡＢＣ １２", "fine abc 12"),
        ("STRASSE Straße", "strasse strasse"),
        ("a\x00b\ud800c", "a b c"),
        ("?!… --", ""),
        ("", ""),
        ("שלום, עולם", "שלום עולם"),
        ("Cafe\u0301", "café"),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(any_text)
def test_normal_form_has_only_word_characters_and_single_inner_spaces(text: str) -> None:
    norm = normalise(text)
    assert re.fullmatch(r"(?:[^\W_]+(?: [^\W_]+)*)?", norm)


@given(st.text(st.characters(codec="ascii")))
def test_the_short_way_for_ascii_gives_what_the_long_way_gives(text: str) -> None:
    assert normalise(text) == normalise(text + "é").removesuffix("é").strip()


@given(st.lists(st.one_of(any_text, st.text(st.characters(codec="ascii"))), max_size=6))
def test_many_texts_have_the_normal_forms_of_each(texts: list[str]) -> None:
    assert normalise_all(texts) == [normalise(text) for text in texts]


def test_a_megabyte_is_normalised() -> None:
    assert len(normalise("Ab, " * 262_144)) == 3 * 262_144 - 1


def test_tokens_are_the_words_of_the_normal_form() -> None:
    assert tokens("Don't  stop—now.") == ["don", "t", "stop", "now"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("my card is lost", 4),
        ("我的卡丢了", 5),
        ("我的 card 丢了", 5),
        ("カードをなくした", 8),
        ("카드를 잃어버렸어요", 2),
        ("", 0),
        ("  \n\t ", 0),
    ],
)
def test_units_count_words_or_characters_by_script(text: str, count: int) -> None:
    assert len(units(text)) == count


@given(any_text)
def test_units_lose_nothing_but_white_space(text: str) -> None:
    assert "".join(units(text)) == "".join(text.split())
