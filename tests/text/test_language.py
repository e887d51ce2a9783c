from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.language import (
    _CODES,
    _identifier,
    code_of,
    likeliest_languages,
    likely_languages,
    scripts,
)
from seedbed.text.language_walk import walk_of


def test_every_code_is_one_that_the_identifier_knows() -> None:
    assert set(_CODES.values()) <= set(_identifier().labels)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("German", "de"),
        ("de", "de"),
        ("pt-BR", "pt"),
        (" scottish gaelic ", "gd"),
        ("hsb", None),
        ("Upper Sorbian", None),
        ("", None),
    ],
)
def test_a_language_by_code_or_name(said: str, code: str | None) -> None:
    assert code_of(said) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The driver left a card although I was at home.", "en"),
        ("Guten Tag, wo bleibt mein Paket? Ich warte seit drei Tagen.", "de"),
        ("Bore da, ble mae fy mharsel? Rwy'n aros ers tridiau.", "cy"),
    ],
)
def test_the_likeliest_language(text: str, code: str) -> None:
    likely = likely_languages(text)
    assert next(iter(likely)) == code
    assert sum(likely.values()) == pytest.approx(1, abs=1e-3)


def test_of_a_short_text_nothing_is_said() -> None:
    assert likely_languages("ok, 12.30 thanks!") == {}


SENTENCES = (
    "The driver left a card although I was at home.",
    "Guten Tag, wo bleibt mein Paket? Ich warte seit drei Tagen.",
    "Где моя посылка? Я жду её уже три дня и никто не отвечает.",
    "请问我的包裹在哪里？我已经等了三天了，还没有人给我打电话联系我。",
    "Bore da, ble mae fy mharsel? Rwy'n aros ers tridiau.",
    "Zašto moj paket još nije stigao? Čekam ga već tri dana.",
    "ok, 12.30 thanks!",
    "",
)


@given(st.lists(st.one_of(st.sampled_from(SENTENCES), st.text(max_size=80)), max_size=8))
def test_many_texts_at_once_are_told_as_each_by_itself(texts: list[str]) -> None:
    assert likeliest_languages(texts) == [next(iter(likely_languages(text)), None) for text in texts]


@given(
    st.lists(
        st.one_of(st.sampled_from(SENTENCES[:-1]), st.text(min_size=1, max_size=80)), min_size=1, max_size=8
    )
)
def test_the_walk_finds_the_features_that_py3langid_finds(texts: list[str]) -> None:
    from py3langid.langid import visit_counts

    model = _identifier()
    rows = [row << 8 for row in model.tk_row]
    encoded = [text.encode("utf-8", "replace") for text in texts]
    for raw, (found, counts) in zip(encoded, walk_of(model).counted(encoded), strict=True):
        theirs = visit_counts(model.tk_nextmove, rows, model.tk_output, raw) or {}
        assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == theirs


def test_scripts() -> None:
    assert scripts("Да, ok 3!") == Counter(LATIN=2, CYRILLIC=2)
    assert scripts("日本 カナ") == Counter(CJK=2, KATAKANA=2)
