"""Durations and sizes: read as people write them, written back in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.recipe import to_lock_yaml
from seedbed.recipe.units import parse_duration, parse_size, write_duration, write_size
from tests.recipe.fake_registry import Load


@pytest.mark.parametrize(
    ("text", "seconds", "spelling"),
    [
        ("6h", 21_600, "6h"),
        ("90s", 90, "1m30s"),
        ("1h30m", 5400, "1h30m"),
        ("1h 30m", 5400, "1h30m"),
        ("1.5h", 5400, "1h30m"),
        ("2d", 172_800, "48h"),
        ("0.5s", 0.5, "0.5s"),
        ("90m", 5400, "1h30m"),
    ],
)
def test_durations(text: str, seconds: float, spelling: str) -> None:
    assert parse_duration(text) == seconds
    assert write_duration(seconds) == spelling


@pytest.mark.parametrize(
    ("text", "size", "spelling"),
    [
        ("512MB", 512_000_000, "512MB"),
        ("2GiB", 2**31, "2GiB"),
        ("1.5GB", 1_500_000_000, "1500MB"),
        ("1000 KB", 1_000_000, "1MB"),
        ("1024KiB", 2**20, "1MiB"),
        ("7B", 7, "7B"),
    ],
)
def test_sizes(text: str, size: int, spelling: str) -> None:
    assert parse_size(text) == size
    assert write_size(size) == spelling


@given(st.integers(1, 10**9))
def test_one_spelling_reads_back(number: int) -> None:
    assert parse_duration(write_duration(number / 1000)) == number / 1000
    assert parse_size(write_size(number)) == number


@pytest.mark.parametrize("text", ["", "h", "6", "6 hours", "-1s", "1m1h", "1e3s", "0s", "inf"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "MB", "512", "512mb", "512Mib", "0MB", "1.0001kB", "-1B"])
def test_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_size(text)


def test_the_lock_file_has_the_one_spelling(load: Load) -> None:
    text = (
        "name: a\ntask: {kind: instruction}\nbudget: {time: 90m, disk: 1024KiB, cost: 2}\n"
        "roles: {teacher: {model: m, endpoint: 'http://x/v1', timeout: 2m, price: {input: 1, output: 2}}}\n"
    )
    loaded = load(text)
    locked = to_lock_yaml(loaded)
    assert "time: 1h30m\n" in locked
    assert "disk: 1MiB\n" in locked
    assert "timeout: 120.0\n" in locked
    assert load(locked).recipe == loaded.recipe
