"""Rendezvous choices: stable, fair, and disturbed by a newcomer only as far as is its due."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from seedbed.prompts.sampling import RowPool, choose


def test_weights_are_kept() -> None:
    weights = {"a": 3.0, "b": 1.0}
    counts = Counter(choose(weights, "key", draw) for draw in range(4000))
    assert 0.72 < counts["a"] / 4000 < 0.78


@given(st.sets(st.text(min_size=1), min_size=1, max_size=8), st.integers(0, 1000))
def test_a_new_value_only_takes_for_itself(values: set[str], draw: int) -> None:
    newcomer = "new value"
    before = choose(dict.fromkeys(values, 1.0), draw)
    after = choose(dict.fromkeys([*values, newcomer], 1.0), draw)
    assert after in (before, newcomer)


def test_a_new_row_changes_only_its_share_of_picks() -> None:
    rows = [f"row-{i}" for i in range(200)]
    old, new = RowPool(rows), RowPool([*rows, "one-more"])
    changed = sum(old.pick(4, "cell", draw) != new.pick(4, "cell", draw) for draw in range(2000))
    # Four places among 201 rows: about 2 % of the cells are due to show the new row.
    assert changed / 2000 < 0.05
    assert changed == sum("one-more" in new.pick(4, "cell", draw) for draw in range(2000))


@given(st.lists(st.text(min_size=1), unique=True, max_size=30), st.integers(0, 8), st.integers())
def test_picks_do_not_depend_on_the_order_of_rows(rows: list[str], count: int, key: int) -> None:
    picked = RowPool(rows).pick(count, key)
    assert picked == RowPool(rows[::-1]).pick(count, key)
    assert len(picked) == len(set(picked)) == min(count, len(rows))


def test_every_row_is_shown_about_as_often() -> None:
    pool = RowPool([f"row-{i}" for i in range(20)])
    counts = Counter(row for draw in range(3000) for row in pool.pick(2, draw))
    assert min(counts.values()) > 220
    assert max(counts.values()) < 380
