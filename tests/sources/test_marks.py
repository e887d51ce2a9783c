"""What the program made is recognised; what merely looks a little like it is not."""

from __future__ import annotations

import pytest

from seedbed.core.record import exported_as, record_named
from seedbed.sources.marks import canary_of, find_canary, own_depth, own_mark, row_canary, text_hash

CANARY = canary_of(["a", "b"])


def test_the_canary_depends_on_the_rows_and_their_order() -> None:
    assert canary_of(["a", "b"]) == CANARY
    assert len({CANARY, canary_of(["b", "a"]), canary_of(["ab"]), canary_of(["a", "b", "c"])}) == 4


def test_a_canary_is_found_with_its_row() -> None:
    assert find_canary(f"before {row_canary(CANARY, 17)}. after") == (CANARY, 17)
    assert find_canary(f"{CANARY} alone") == (CANARY, None)
    assert find_canary("seedbed-canary-in-a-coal-mine") is None


@pytest.mark.parametrize(
    ("values", "mark"),
    [
        ({"text": "x", "seedbed_id": "anything"}, "a column 'seedbed_id'"),
        ({"text": "x", "ref": "sbd-0123456789abcdef01234567"}, "an id of an exported record"),
        ({"text": f"quoted: {CANARY}-3"}, "the canary of a locked eval set"),
    ],
)
def test_marks_of_our_own_output(values: dict[str, object], mark: str) -> None:
    assert (own_mark(values) or "").startswith(mark)


@pytest.mark.parametrize(
    "values",
    [
        {"text": "sbd-12 is a part number, sbd-0123456789abcdef012345678 another", "n": 5, "x": None},
        {"text": "x", "seedbed_canary": f"{CANARY}-0"},
    ],
)
def test_no_mark(values: dict[str, object]) -> None:
    assert own_mark(values) is None


def test_text_hashes_are_of_normalised_text() -> None:
    assert text_hash("Where is my CARD?") == text_hash("where is my card")
    assert text_hash("Where is my card?") != text_hash("Where is my cart?")
    assert len(text_hash("\ud800")) == 8


@pytest.mark.parametrize(
    ("values", "depth"),
    [
        ({"text": "x", "n": 3}, 0),
        ({"text": "sbd-12 is a part number"}, 0),
        ({"text": "x", "seedbed_id": "sbd-0123456789abcdef01234567"}, 1),
        ({"text": "x", "seedbed_id": "gone"}, 1),
        ({"text": "x", "seedbed_id": "sbd-0123456789abcdef01234567-d2"}, 2),
        ({"text": "x", "id": "sbd-0123456789abcdef01234567-d12"}, 12),
    ],
)
def test_a_row_says_how_deep_it_is(values: dict[str, object], depth: int) -> None:
    assert own_depth(values) == depth


def test_an_exported_id_leads_back_to_its_record() -> None:
    id_ = "0123456789abcdef01234567"
    for depth in (1, 2, 3):
        name = exported_as(id_, depth)
        assert record_named(name) == id_
        assert own_depth({"seedbed_id": name}) == depth
        assert own_mark({"text": name}) is not None
    assert record_named(id_[:6]) == record_named("sbd-" + id_[:6]) == id_[:6]
