"""Ways of confining a process, the strongest first, and which of them this machine can do.

Each only wraps the same first process (`inside.zygote`), which takes Landlock where the kernel has it and
seccomp for every program. What a backend adds is stated by running hostile programs in it, see `probes`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedbed.verify.packages import visible

INSIDE = Path(__file__).parent / "inside"
WORK = "/seedbed-work"  # a name that hides no folder in which Python or the code itself may lie
BYTES_OF_WORK = 16 << 20
_NOBODY = "65534"

_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from inside.zygote import main; main()"


# The first process must have no thread where it forks; and a limit of processor time is for one.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1")
# What podman mounts beside what it is told to.
_HIDDEN = ("/proc", "/sys", "/run", "/dev/mqueue", "/dev/pts")


@dataclass(frozen=True, slots=True)
class Backend:
    """`around` is the command line that confines what follows it; `work` is the folder that programs may
    write in, "" where they may write nowhere."""

    name: str
    around: Callable[[Sequence[str]], list[str]]
    work: str = ""

    def command(self, hash_seed: int, packages: tuple[str, ...] = ()) -> list[str]:
        """What to run. Raises FileNotFoundError where the tool is missing."""
        shown = visible(packages)
        paths = [*readable(), *shown.paths]
        variables = [f"PYTHONHASHSEED={hash_seed}", "LC_ALL=C.UTF-8", *(_ONE_THREAD if packages else ())]
        python = [os.path.realpath(sys.executable), "-P", "-s", "-S", "-B", "-c", _START]
        modules = json.dumps({"found": shown.modules, "imported": packages})
        program = [*python, str(INSIDE.parent), self.work, modules, *paths]
        return [*self.around(paths), "/usr/bin/env", "-i", *variables, *program]


def readable() -> Sequence[str]:
    """What every program may read: the system's libraries, Python, and the code that runs it."""
    system = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")
    paths = dict.fromkeys((*system, sys.base_prefix, str(INSIDE)))
    return [path for path in paths if Path(path).exists()]


def _no_command(paths: Sequence[str]) -> list[str]:
    return []


def _bubblewrap(paths: Sequence[str]) -> list[str]:
    command = [_found("bwrap", "bubblewrap"), "--unshare-all", "--unshare-user"]
    command += ["--uid", _NOBODY, "--gid", _NOBODY, "--cap-drop", "ALL"]
    command += ["--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"]
    for path in paths:
        command += ["--ro-bind", path, path]
    command += ["--dev", "/dev", "--size", str(BYTES_OF_WORK), "--tmpfs", WORK, "--chdir", WORK]
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/"]  # what is never cleaned


def _podman(paths: Sequence[str]) -> list[str]:
    """A container of no image. Its root is the folder of the code that it runs, under an overlay that takes
    the mount points; it ends when its standard input does, and nothing of it is kept."""
    command = [_found("podman", "podman"), "run", "--rm", "--interactive", "--log-driver", "none"]
    command += ["--user", f"{_NOBODY}:{_NOBODY}", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
    command += ["--network", "none", "--no-hosts", "--passwd=false", "--hostname", "sandbox", "--ipc", "none"]
    # What one program may take it is held to by the kernel's limits for a process, and it has but one.
    command += ["--cgroups", "disabled", "--ulimit", "nofile=256:256", "--ulimit", "nproc=1024:1024"]
    command += ["--read-only", "--read-only-tmpfs=false", "--security-opt", f"mask={':'.join(_HIDDEN)}"]
    for path in paths:
        command += ["--volume", f"{path}:{path}:ro"]
    command += ["--tmpfs", f"{WORK}:size={BYTES_OF_WORK},mode=1777", "--workdir", WORK]
    return [*command, "--rootfs", f"{INSIDE}:O"]


def _found(tool: str, package: str) -> str:
    path = shutil.which(tool)
    if path is None:
        raise FileNotFoundError(f"{package} is not installed")
    return path


BUBBLEWRAP = Backend("bubblewrap", _bubblewrap, WORK)
LANDLOCK = Backend("landlock", _no_command)
PODMAN = Backend("podman", _podman, WORK)
BACKENDS = (BUBBLEWRAP, LANDLOCK, PODMAN)
