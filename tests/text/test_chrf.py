from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.chrf import chrf


@pytest.mark.parametrize(
    ("text", "reference", "sacrebleu"),
    [
        ("The cat sat on the mat.", "The cat is on the mat.", 67.17273492330233),
        ("a", "a", 100.0),
        ("ab", "cd", 0.0),
        (
            "Über den Wolken muss die Freiheit",
            "Über den Wolken ist die Freiheit wohl grenzenlos",
            53.461997525045845,
        ),
        ("x", "I was charged twice in June", 0.0),
        ("", "abc", 0.0),
        (
            "I was charged twice in June, 49 euros each.",
            "In June I was charged 49 euros twice.",
            62.47927288706078,
        ),
    ],
)
def test_figures_are_those_of_sacrebleu(text: str, reference: str, sacrebleu: float) -> None:
    """Of its release 2.6.0, `CHRF().sentence_score`."""
    assert chrf(text, reference) * 100 == pytest.approx(sacrebleu)


@given(st.text(), st.text())
def test_it_lies_between_0_and_1_and_a_text_is_wholly_in_itself(text: str, reference: str) -> None:
    assert 0 <= chrf(text, reference) <= 1 + 1e-9
    if text.strip():
        assert chrf(text, text) == pytest.approx(1)
