"""What every test has: a guard that keeps it on this machine, the public data sets, hypothesis profiles."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from seedbed.verify.sandbox.backends import Backend
from seedbed.verify.sandbox.probes import NoSandbox, best_backend

# Tests run side by side: sums on every core would wait for one another. Read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent

# For what the tests start, and not for them: see as_installed/pandas.py.
AS_INSTALLED = str(ROOT / "tests" / "as_installed")
_PATH = [
    entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry not in ("", AS_INSTALLED)
]
os.environ["PYTHONPATH"] = os.pathsep.join([AS_INSTALLED, *_PATH])
sys.path[:] = [entry for entry in sys.path if entry != AS_INSTALLED]

# Hundreds of processes import the program. Where byte code is not to be written (PYTHONDONTWRITEBYTECODE, as
# many images set it) each would compile it anew, half of what a command costs: it is written here, and beside
# no source.
if sys.dont_write_bytecode:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / "build" / "byte_code"))
    sys.dont_write_bytecode = False

DATA_MISSING = "real data missing"

settings.register_profile("here", deadline=None)  # a shared machine's clock proves nothing
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


class OutsideConnection(RuntimeError):
    """A test would have left this machine. No OSError: no retry loop may take it for a bad network."""


def _is_local(host: str) -> bool:
    """Loopback by name or number. `.invalid` (RFC 6761) names nothing, which is what its tests are after."""
    name = host.partition("%")[0]
    if name in ("localhost", "") or name.endswith(".invalid"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _stay_here(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: refuse any address but loopback and Unix sockets before a packet leaves."""
    if event in ("socket.connect", "socket.sendto"):
        sock, address = args
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host = address[0]
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if not _is_local(text):
        raise OutsideConnection(
            f"{event} to {text!r}: tests reach loopback and Unix sockets only; start a server in the test"
        )


sys.addaudithook(_stay_here)  # for the whole session: an audit hook cannot be taken back


@pytest.fixture(scope="session")
def sandbox() -> Backend:
    """The sandbox of this machine; where none holds the test skips and says why."""
    try:
        return best_backend()
    except NoSandbox as error:
        pytest.skip(str(error))


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """`real_data(name)` is the folder of a public data set; where it is missing the test skips by name.

    The sets stand at `../shared/data` from the project's root or at `$SEEDBED_REAL_DATA`.
    With SEEDBED_REQUIRE_DATA=1 a missing set fails instead.
    """
    base = Path(os.environ.get("SEEDBED_REAL_DATA") or ROOT.parent / "shared" / "data")

    def find(name: str) -> Path:
        if (base / name).exists():
            return base / name
        if os.environ.get("SEEDBED_REQUIRE_DATA") == "1":
            pytest.fail(f"{DATA_MISSING}: {name} is not at {base}; set SEEDBED_REAL_DATA to where it is")
        pytest.skip(f"{DATA_MISSING}: {name}")

    return find


# What takes more than about three seconds begins first, so that no process is left with it at the end.
LONG = (
    "evidence/test_demonstrations.py",
    "test_docs_sessions.py",
    "cli/test_measures.py",
    "cli/test_eval_stays_unseen.py",
    "cli/test_budgets.py",
    "cli/test_run.py",
    "cli/test_again.py",
    "run/test_self_test.py",
    "verify/test_cheats.py",
    "cli/test_",
    "run/test_notebook.py",
    "run/test_any_sequence.py",
    "models/test_pool.py",
    "publish/test_report_in_chromium.py",
    "sources/test_on_real_data.py",
    "metrics/test_comparison.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name = item.nodeid.removeprefix("tests/")
        return next((at for at, start in enumerate(LONG) if name.startswith(start)), len(LONG))

    items.sort(key=place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was not shown for want of data: a skip that nobody sees is a test that nobody has."""
    reasons = [str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", ())]
    names = [reason.rpartition(f"{DATA_MISSING}: ")[2] for reason in reasons if DATA_MISSING in reason]
    if names:
        noun = "test" if len(names) == 1 else "tests"
        sets = ", ".join(sorted({name.partition("/")[0] for name in names}))
        terminalreporter.write_line(f"{len(names)} {noun} skipped: {DATA_MISSING} ({sets})")
