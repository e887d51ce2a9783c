"""Words of abuse: found as they are spelt and as people disguise them, and not in other words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.spans import Span
from seedbed.text.toxic_words import TOXIC_WORDS, find_toxic_words


@pytest.mark.parametrize("word", [*TOXIC_WORDS])
def test_each_word_of_the_list_is_found_whole_and_in_the_plural(word: str) -> None:
    assert [span.kind for span in find_toxic_words(f"Well, {word.upper()}!")] == [TOXIC_WORDS[word]]
    assert len(find_toxic_words(f"a {word}s.")) == 1
    assert find_toxic_words(f"x{word}x") == []


@pytest.mark.parametrize(
    "disguised",
    [
        *("1d10t", "i.d.i.o.t", "I D I O T", "m-o-r-o-n", "id**t", "f*ck", "**idiot**", "idiooooot"),
        *("a$$hole", "@sshole", "assho1e", "b!tch", "ｉｄｉｏｔ", "ídiot", "_idiot_"),
    ],
)
@pytest.mark.parametrize("before", ["you are an ", "what a "])
def test_what_is_disguised_is_found(before: str, disguised: str) -> None:
    (span,) = find_toxic_words(f"{before}{disguised}, I say")
    assert (span.start, span.end) == (len(before), len(before + disguised))


@pytest.mark.parametrize(
    "text",
    [
        "a class in Scunthorpe, Niger, with 455 things for $100",
        "x = k*s + 5**5; f*** and b****; U.S.A. and a b c d",
        "idiomatic, whores_of_babylon, retardant, cockpit, assess",
        "",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert find_toxic_words(text) == []


def test_words_that_are_allowed_do_not_count_and_the_rest_stand_in_order() -> None:
    text = "that bastard, a m.o.r.o.n. and you idiot"
    assert [text[span.start : span.end] for span in find_toxic_words(text, but=["bastard"])] == [
        "m.o.r.o.n",
        "idiot",
    ]
    assert find_toxic_words("bastard") == [Span("insult", 0, 7)]


@pytest.mark.parametrize("unit", ["a ", "a.", "*", "f*", "!", "aaa", "1", "i d i "])
def test_the_time_grows_with_the_length_alone(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    began = time.process_time()
    find_toxic_words(text)
    assert time.process_time() - began < 5


@given(
    st.lists(
        st.sampled_from(["idiot", "sh!t", "f*cks", "a s s", "moron", "fuuuck", "k-y-s", "x1", "no", "!", "_"])
    ),
    st.text(alphabet="adiortsh1!$@*_|-. ", max_size=20),
)
def test_what_is_seen_to_be_clean_holds_nothing(parts: list[str], noise: str) -> None:
    text = noise.join(parts) + noise
    # With a letter outside ASCII at its end, apart from all words, a text is searched whole.
    assert find_toxic_words(text) == find_toxic_words(text + " \u00e9")
