"""The live view: its figures, its width, and what a real terminal gets to see."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.cli.live import Watch
from seedbed.models.executor import Stats
from seedbed.publish.text_layout import display_width
from seedbed.run.progress import Progress
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint


def test_rates_are_of_the_last_seconds_and_give_the_time_to_go() -> None:
    stats = Stats()
    progress = Progress(target=1_000, spent=lambda: stats)
    watch = Watch(progress)
    for second in range(61):
        progress.accepted = 2 * second if second < 30 else 60 + 10 * (second - 30)
        stats.calls = 3 * progress.accepted
        watch.look(float(second))
    assert watch.seconds_to_go() == pytest.approx((1_000 - 360) / 10, rel=0.01)
    assert "accepted 360 of 1,000 (10.0/s), 1:04 min to go" in watch.line()
    assert "30 requests/s" in watch.line()
    for second in range(61, 90):
        watch.look(float(second))
    assert watch.seconds_to_go() is None


def test_drafts_of_open_rounds_count_by_what_closed_rounds_kept() -> None:
    progress = Progress(target=100, accepted=20, kept=40, passed=40, falling=Counter(refused=3))
    watch = Watch(progress)
    watch.look(0.0)
    progress.kept = 60
    watch.look(10.0)
    assert watch.seconds_to_go() == pytest.approx((100 - 20 - 30) / 1.0)
    assert "rejected 3: refused 3" in watch.line()


@given(
    st.integers(1, 10**7),
    st.integers(0, 10**7),
    st.dictionaries(st.text(max_size=40), st.integers(1, 10**6), max_size=9),
    st.integers(20, 120),
)
def test_no_line_is_wider_than_the_terminal(
    target: int, accepted: int, rejected: dict[str, int], width: int
) -> None:
    progress = Progress(target, accepted=accepted, rejected=rejected, in_flight=lambda: (7, 64))
    watch = Watch(progress)
    watch.look(0.0)
    watch.look(1.0)
    assert all(display_width(line) <= width for line in watch.panel(width))


def in_a_terminal(workspace: Workspace, columns: int, **env: str) -> tuple[int, str]:
    """A run with stderr on a pseudo-terminal; (exit code, what that got)."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith("OPENAI_") and k not in ("CI", "COLUMNS")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "seedbed.cli", "run", "."],
        cwd=workspace.folder,
        env={**clean, "TERM": "xterm-256color", **env},
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    seen = bytearray()
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # what Linux says where the other side is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return process.wait(60), seen.decode("utf-8", "replace")


def test_a_terminal_sees_a_panel_that_fits_and_goes(tmp_path: Path) -> None:
    with FakeEndpoint(latency=0.15) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.write(
            endpoint.url,
            roles={
                "teacher": {"model": "fake", "endpoint": endpoint.url, "concurrency": 8, "licence": "mit"}
            },
            generate={"target": 40},
        )
        code, seen = in_a_terminal(workspace, 60)
    assert code == 0, seen
    assert "accepted" in seen
    assert "in flight" in seen
    assert "to go" in seen
    assert "\x1b[2K" in seen  # the panel is wiped line by line, never the screen
    assert "\x1b[2J" not in seen
    panels = [line for line in seen.replace("\r", "\n").splitlines() if "accepted" in line or "####" in line]
    assert panels


@pytest.mark.parametrize("env", [{"CI": "1"}, {"TERM": "dumb"}], ids=str)
def test_ci_and_dumb_terminals_get_no_panel(tmp_path: Path, env: dict[str, str]) -> None:
    code, seen = in_a_terminal(Workspace.make(tmp_path, generate={"target": 4}), 80, **env)
    assert code == 0
    assert "\x1b" not in seen
