"""When the breaker opens, on a clock of the test's own."""

from __future__ import annotations

import statistics

import pytest

from seedbed.core.errors import AttemptFailed, EndpointError
from seedbed.models.health import Health
from seedbed.models.limits import backoff

UNREACHABLE = AttemptFailed("unreachable", "connection refused")
TIMEOUT = AttemptFailed("timeout", "no answer within 120 s")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health("http://e/v1", clock)


def fail(health: Health, clock: Clock, failure: AttemptFailed, *, after: float) -> None:
    """A try that begins now and fails so many seconds later."""
    began = clock.now
    clock.now += after
    health.failed(failure, began)


def test_never_reached_opens_after_three_seconds(health: Health, clock: Clock) -> None:
    for _ in range(3):
        fail(health, clock, UNREACHABLE, after=0.9)
    health.check()
    fail(health, clock, UNREACHABLE, after=0.4)
    with pytest.raises(
        EndpointError, match=r"cannot reach http://e/v1 \(connection refused\): start the server"
    ):
        health.check()


def test_packets_into_the_void_open_at_the_first_failure(health: Health, clock: Clock) -> None:
    fail(health, clock, UNREACHABLE, after=5)
    with pytest.raises(EndpointError, match="cannot reach"):
        health.check()


@pytest.mark.parametrize("failure", [UNREACHABLE, TIMEOUT])
def test_silence_after_answers_opens_after_thirty_seconds_and_ten_failures(
    health: Health, clock: Clock, failure: AttemptFailed
) -> None:
    health.heard()
    for _ in range(9):
        fail(health, clock, failure, after=4)
    health.check()  # 36 s, but nine
    fail(health, clock, failure, after=0)
    with pytest.raises(EndpointError, match=r"http://e/v1 has given no answer for 36 s \(10 tries"):
        health.check()


def test_ten_quick_failures_are_not_yet_silence(health: Health, clock: Clock) -> None:
    health.heard()
    for _ in range(100):
        fail(health, clock, UNREACHABLE, after=0.1)
    health.check()


@pytest.mark.parametrize("status", [429, 500])
def test_any_http_answer_breaks_the_silence(health: Health, clock: Clock, status: int) -> None:
    for _ in range(20):
        fail(health, clock, UNREACHABLE, after=1.5)
        fail(health, clock, AttemptFailed(f"http_{status}", "busy", status=status), after=1.5)
    health.check()


def test_resets_are_neither_answer_nor_silence(health: Health, clock: Clock) -> None:
    for _ in range(40):
        fail(health, clock, AttemptFailed("reset", "reset"), after=1)
    health.check()
    assert not health.answered


def test_silence_begins_after_the_last_answer_not_before(health: Health, clock: Clock) -> None:
    began = clock.now
    clock.now += 119
    health.heard()
    clock.now += 1
    for _ in range(32):  # all sent long before that answer, and timing out together after it
        health.failed(TIMEOUT, began)
    health.check()


def test_first_reason_stays(health: Health) -> None:
    health.open("the key was refused")
    health.open("something later")
    with pytest.raises(EndpointError, match="the key was refused"):
        health.check()


def test_a_pause_is_extended_and_never_cut_short(health: Health, clock: Clock) -> None:
    health.pause(0.2)
    health.pause(0.05)
    assert health.paused_until == clock.now + 0.2
    health.pause(60)
    assert health.paused_until == clock.now + 60


def test_errors_name_the_role(clock: Clock) -> None:
    health = Health("http://e/v1", clock, role="judge")
    fail(health, clock, UNREACHABLE, after=5)
    assert "correct roles.judge.endpoint" in health.reason


def test_backoff_doubles_to_its_cap_with_full_jitter() -> None:
    for failures, bound in [(1, 0.5), (2, 1.0), (4, 4.0), (7, 30.0), (5000, 30.0)]:
        waits = [backoff(failures) for _ in range(2000)]
        assert 0 <= min(waits) <= max(waits) <= bound
        assert statistics.fmean(waits) == pytest.approx(bound / 2, rel=0.1)
    assert max(backoff(9, cap=1.0) for _ in range(100)) <= 1.0


def test_a_server_that_brings_errors_and_never_a_reply_is_given_up() -> None:
    clock = Clock()
    health = Health("http://e/v1", clock)
    page = AttemptFailed("not_json_body", "a web page", status=200)
    for _ in range(200):
        health.failed(page, clock())
    health.check()  # many at once say little: a server may be starting
    clock.now += 25.0
    health.failed(page, clock())
    with pytest.raises(EndpointError, match=r"gave no reply in 201 tries over 25 s, the last: a web page"):
        health.check()


def test_one_reply_in_between_or_a_plea_to_wait_is_no_reason_to_give_up() -> None:
    clock = Clock()
    health = Health("http://e/v1", clock)
    for _ in range(100):
        health.failed(AttemptFailed("http_500", "broken", status=500), clock())
        health.failed(AttemptFailed("http_429", "wait", status=429), clock())
        if clock.now % 3 == 0:
            health.replied()
        clock.now += 1.0
    health.check()
