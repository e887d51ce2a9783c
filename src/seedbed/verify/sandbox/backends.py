"""Ways of confining a process, the strongest first, and which of them this machine can do.

Each only wraps the same first process (`inside.zygote`), which takes Landlock where the kernel has it and
seccomp for every program. What a backend adds is stated by running hostile programs in it, see `probes`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
WORK = "/seedbed-work"  # a name that hides no folder in which Python or the code itself may lie
BYTES_OF_WORK = 16 << 20

_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from inside.zygote import main; main()"


@dataclass(frozen=True, slots=True)
class Backend:
    """`work` is the folder that programs may write in, "" where they may write nowhere."""

    name: str
    work: str = ""

    def command(self, hash_seed: int) -> list[str]:
        """What to run. Raises FileNotFoundError where the tool is missing."""
        python = [os.path.realpath(sys.executable), "-P", "-s", "-S", "-B", "-c", _START]
        program = [*python, str(INSIDE.parent), self.work, *readable()]
        variables = {"PYTHONHASHSEED": str(hash_seed), "LC_ALL": "C.UTF-8"}
        if self.name == "landlock":
            return ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items()), *program]
        return [*_bubblewrap(variables), *program]


BUBBLEWRAP = Backend("bubblewrap", WORK)
LANDLOCK = Backend("landlock")
BACKENDS = (BUBBLEWRAP, LANDLOCK)


def readable() -> Sequence[str]:
    """What a program may read: the system's libraries, Python, and the code that runs it."""
    system = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")
    return list(dict.fromkeys((*system, sys.base_prefix, str(INSIDE))))


def _bubblewrap(variables: dict[str, str]) -> list[str]:
    found = shutil.which("bwrap")
    if found is None:
        raise FileNotFoundError("bubblewrap is not installed")
    command = [found, "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"]
    command += ["--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL", "--clearenv"]
    for name, value in variables.items():
        command += ["--setenv", name, value]
    for path in readable():
        command += ["--ro-bind-try", path, path]
    command += ["--dev", "/dev", "--size", str(BYTES_OF_WORK), "--tmpfs", WORK, "--chdir", WORK]
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/"]  # what is never cleaned
