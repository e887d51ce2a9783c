"""Is a sandbox one? Hostile programs are run in it, and none of them may get what it is after.

Versions and settings say what should hold; only a try says what does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from seedbed.verify.sandbox.backends import BACKENDS, Backend
from seedbed.verify.sandbox.broker import Ended, Limits, OutOfTime, Sandbox, SandboxError
from seedbed.verify.sandbox.inside.frames import packed, unpacked

_SECONDS = 10.0

# Each is what a function tries; it has escaped where the function returns. `{secret}` is a file of the
# user's that can be read outside, `{parent}` the process that drives the sandbox.
PROBES: Mapping[str, str] = {
    "read a file of the user": "return open({secret!r}).read()",
    "write a file outside": "open({secret!r} + '.new', 'w').close(); return 1",
    "list the processes": "import os; return min(name for name in os.listdir('/proc') if name.isdigit())",
    "open a socket": "import socket; return socket.socket(socket.AF_INET).fileno()",
    "open a Unix socket": "import socket; return socket.socket(socket.AF_UNIX).fileno()",
    "fork": "import os; pid = os.fork(); os._exit(0) if not pid else None; return pid",
    "start a program": "import subprocess; return subprocess.run(['/usr/bin/env']).returncode",
    "become a program": "import os; os.execv('/usr/bin/true', ['true'])",
    "signal whoever drives it": "import os; return os.kill({parent}, 0) or 1",
    "signal the first process": "import os; return os.kill(os.getppid(), 0) or 1",
    "read the first process's memory": "import os; return open(f'/proc/{{os.getppid()}}/mem', 'rb').read(1)",
    "have more memory": "import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1)); return 1",
    "trace a process": "import ctypes; assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0; return 1",
    "make a namespace": "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0; return 1",
}


class NoSandbox(SandboxError):
    """None of the backends holds on this machine: `problem` says why, `remedy` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(
            "programs of a model run in a sandbox alone, and none holds here "
            f"({problem}); to have one, {remedy}"
        )
        self.problem = problem
        self.remedy = remedy


def escapes(backend: Backend) -> list[str]:
    """The probes that got what they were after. Raises SandboxError where the backend makes no sandbox."""
    secret = str(Path(__file__).parent / "broker.py")
    source = "\n".join(
        f"def p{at}():\n    {probe.format(secret=secret, parent=os.getpid())}"
        for at, probe in enumerate(PROBES.values())
    )
    with Sandbox(backend, Limits()) as sandbox:
        sandbox.start("solution", source, time.monotonic() + _SECONDS)
        try:
            loaded = sandbox.receive()
            if isinstance(loaded, Ended):
                raise SandboxError(f"{backend.name}: a program cannot be loaded ({loaded})")
            names = unpacked(loaded)["names"]
            return [what for at, what in enumerate(PROBES) if not _held_back(sandbox, names[f"p{at}"]["o"])]
        except OutOfTime:
            raise SandboxError(f"{backend.name} gave no answer within {_SECONDS:g} s") from None


def _held_back(sandbox: Sandbox, function: int) -> bool:
    sandbox.send(packed({"do": "call", "target": function, "with": [{"t": []}, {"d": []}]}))
    answer = sandbox.receive()
    return not isinstance(answer, Ended) and "raised" in unpacked(answer)


@cache
def best_backend(backends: tuple[Backend, ...] = BACKENDS) -> Backend:
    """The strongest way that holds on this machine. Raises NoSandbox where none does."""
    refused = []
    for backend in backends:
        try:
            found = escapes(backend)
        except SandboxError as error:
            refused.append(str(error))
            continue
        if not found:
            return backend
        refused.append(f"{backend.name} lets a program {', '.join(found)}")
    raise NoSandbox("; ".join(refused), _remedy())


def _remedy() -> str:
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if restricted.exists() and restricted.read_text().strip() == "1":
        return (
            "let bubblewrap make namespaces, which AppArmor keeps unprivileged programs from: give "
            "/usr/bin/bwrap a profile in /etc/apparmor.d/bwrap with `flags=(unconfined) { userns, }` and run "
            "`systemctl reload apparmor`; or install podman, for which Ubuntu has a profile (apt-get install "
            "podman); or use a kernel with Landlock of version 3 (Linux 6.2)"
        )
    return (
        "install bubblewrap and libseccomp (apt-get install bubblewrap libseccomp2; dnf install bubblewrap "
        "libseccomp), or podman with crun (apt-get install podman crun; dnf install podman), or use Linux "
        "6.2 or later with Landlock; in a container, allow user namespaces"
    )
