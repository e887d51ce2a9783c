from __future__ import annotations

import pytest

from seedbed.core.protocols import FilterContext
from tests.filters.tickets import QUESTIONS, TICKETS, build, falls, record


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Where is my card?", "where  is my CARD", True),
        ("Ｗhere is my card", "Where is my card", True),
        ("Where is my card?", "Where is the card?", False),
        ("?!", "?!", True),
        ("?!", "...", False),
        ("", "", False),
    ],
)
def test_equal_normal_forms_are_duplicates(a: str, b: str, same: bool) -> None:
    each = build("duplicates", FilterContext(TICKETS))
    assert (falls(each, [a, b]) == {"1": ("0", 1.0)}) == same


def test_the_whole_text_is_compared() -> None:
    each = build("duplicates", FilterContext(QUESTIONS))
    one = each.text(record("a", question="how long?", answer="two metres"))
    two = each.text(record("b", question="how long?", answer="three metres"))
    assert falls(each, [one, two]) == {}
