"""The level of an endpoint: its bounds whatever happens, and what it finds against simulated servers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.models.concurrency import MOST, START, Level, Measured, Outcome
from tests.models.simulated_server import run


def constant(seconds: float) -> Callable[[random.Random], float]:
    return lambda dice: seconds


def varied(mean: float, spread: float = 0.6) -> Callable[[random.Random], float]:
    """Log-normal, as the lengths of replies are."""
    return lambda dice: mean * dice.lognormvariate(-spread * spread / 2, spread)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["start", "answered", "answered", "no_room", "failed", "void"]),
        st.floats(0, 2, allow_nan=False),
    ),
    max_size=400,
)


@given(EVENTS, st.integers(1, 8), st.integers(0, 40), st.integers(0, 100))
def test_the_level_never_leaves_its_bounds(
    events: list[tuple[str, float]], least: int, up: int, further: int
) -> None:
    level = Level(least + up, least, least + up + further)
    now, began = 0.0, []
    for what, passed in events:
        now += passed
        if what == "start":
            began.append(now)
            level.started(now)
        elif began:
            level.ended(what, began.pop(0), now)  # type: ignore[arg-type]
        assert least <= level.level <= least + up + further
        assert level.in_flight == len(began)
        assert level.room == level.level - len(began)


@given(EVENTS, st.integers(1, 100))
def test_a_number_that_is_given_stays(events: list[tuple[str, float]], concurrency: int) -> None:
    level = Level.fixed(concurrency)
    now, began = 0.0, []
    for what, passed in events:
        now += passed
        if what == "start":
            began.append(now)
            level.started(now)
        elif began:
            level.ended(what, began.pop(0), now)  # type: ignore[arg-type]
        assert level.level == concurrency


@given(st.integers(2, MOST), st.sampled_from(["no_room", "failed"]))
def test_it_falls_where_there_is_no_room_or_all_fails(in_flight: int, outcome: Outcome) -> None:
    level = Level(in_flight)
    for _ in range(in_flight):
        level.started(0.0)
    fell = in_flight
    for _ in range(in_flight):
        level.ended(outcome, 0.0, 1.0)
        assert level.level <= fell
        fell = level.level
    if outcome == "no_room" or in_flight >= 6:  # of fewer, too few have failed to say anything
        assert level.level < in_flight
    assert level.level >= int((in_flight - 1) / 2 * 0.7)  # one burst of bad news does not end everything
    assert not level.slow_start or level.level == in_flight


def test_void_ends_change_nothing() -> None:
    level = Level()
    for _ in range(1000):
        level.started(0.0)
        level.ended("void", 0.0, 1.0)
    assert level.level == START


def test_refusals_of_one_burst_count_once_and_tell_the_cap() -> None:
    level = Level(80)
    for _ in range(80):
        level.started(0.0)
    for _ in range(16):  # what a cap of 64 refuses
        level.ended("no_room", 0.0, 0.01)
    assert level.level == 57
    assert level.in_flight == 64


def test_a_level_that_cannot_be() -> None:
    for start, least, most in [(0, 0, 5), (6, 1, 5), (1, 2, 5)]:
        with pytest.raises(ValueError, match="a level of"):
            Level(start, least, most)


@given(st.floats(1, 1e3), st.floats(1.1, 10), st.floats(0.1, 1e4), st.floats(0, 1))
def test_elasticity_is_the_exponent(level: float, factor: float, throughput: float, exponent: float) -> None:
    low = Measured(level, throughput, 1)
    high = Measured(level * factor, throughput * factor**exponent, 2)
    assert math.isclose(low.elasticity(high), exponent, abs_tol=1e-9)


@pytest.mark.parametrize("latency", [0.05, 0.2, 5.0])
def test_without_bound_it_doubles_each_latency(latency: float) -> None:
    found = run(Level(), constant(latency), seconds=8.5 * latency)
    assert found.levels[-1][1] == MOST
    half = next(moment for moment, level in found.levels if level >= START * 32)
    assert half <= 5.01 * latency


@pytest.mark.parametrize("seed", range(4))
def test_varied_latency_is_no_queue(seed: int) -> None:
    found = run(Level(), varied(1.0), seconds=60, failing=0.05, seed=seed)
    assert found.mean_level(after=30) > 800


@pytest.mark.parametrize(("cap", "seed"), [(5, 0), (64, 1), (64, 2), (200, 3)])
def test_a_cap_is_found_with_few_refusals(cap: int, seed: int) -> None:
    found = run(Level(), varied(1.0), seconds=300, cap=cap, seed=seed)
    assert found.throughput > 0.9 * cap
    assert found.refused < 0.005 * found.answered + 40
    assert 0.9 * cap < found.mean_level(after=60) < 1.1 * cap


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("servers", "latency"), [(2, 0.5), (8, 0.05), (64, 1.0)])
def test_a_server_that_only_queues_is_kept_busy_and_not_drowned(
    servers: int, latency: float, seed: int
) -> None:
    rounds = 1500 * latency
    found = run(Level(), varied(latency), seconds=rounds, servers=lambda now: servers, seed=seed)
    assert found.throughput > 0.8 * servers / latency
    assert found.mean_level(after=rounds / 2) < 4 * servers + 8


def test_more_servers_are_found_and_fewer_too() -> None:
    found = run(
        Level(), varied(0.2), seconds=900, servers=lambda now: 8 if now < 200 or now > 500 else 48, seed=5
    )
    grown = [level for moment, level in found.levels if 350 < moment < 500]
    assert sum(grown) / len(grown) > 40
    assert found.mean_level(after=750) < 40


def test_it_does_not_grow_where_too_little_is_asked() -> None:
    level = Level()
    for at in range(2000):
        level.started(float(at))
        level.started(float(at))
        level.ended("answered", at - 0.5, float(at))
        level.ended("answered", at - 0.5, float(at))
    assert level.level == START
