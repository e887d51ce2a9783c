"""Threads give way sooner while a round is closed, and as before it afterwards."""

from __future__ import annotations

import sys

import pytest

from seedbed.run.turns import SHORT_TURN_SECONDS, short_turns


def test_turns_are_short_until_the_last_block_ends() -> None:
    usual = sys.getswitchinterval()
    with short_turns():
        with short_turns():
            assert sys.getswitchinterval() == pytest.approx(SHORT_TURN_SECONDS)
        assert sys.getswitchinterval() == pytest.approx(SHORT_TURN_SECONDS)
    assert sys.getswitchinterval() == pytest.approx(usual)


def test_turns_are_as_before_where_a_block_fails() -> None:
    usual = sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError), short_turns():
        _ = 1 / 0
    assert sys.getswitchinterval() == pytest.approx(usual)
