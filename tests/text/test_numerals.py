from __future__ import annotations

from collections import Counter

import pytest

from seedbed.text.numerals import numerals


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,188.50 euros", ["1188.5"]),
        ("1.188,50 Euro", ["1188.5"]),
        ("1 188,5", ["1", "188.5"]),
        ("1\u202f188,5 and 1'188.5", ["1188.5", "1188.5"]),
        ("20.00, 20 and 020.", ["20", "20", "20"]),
        ("12,000,000 people in 1.5 hours", ["12000000", "1.5"]),
        ("0.25 and 0,25", ["0.25", "0.25"]),
        ("from 8:15 to 17:30 on 3 June 2024", ["8", "15", "17", "30", "3", "2024"]),
        ("version 3.10.2 of 03.05.2024", ["3.10.2", "3.5.2024"]),
        ("order AB-1207, 3rd floor", ["1207", "3"]),
        ("٣٢ and ३२", ["32", "32"]),
        ("thirty-two, and nothing else.", []),
    ],
)
def test_numbers_in_digits(text: str, numbers: list[str]) -> None:
    assert numerals(text) == Counter(numbers)
