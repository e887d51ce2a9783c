"""numpy's threads, in a process that has not imported it yet."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LOOK = """
import os
from seedbed.core.numpy_threads import NUMPY_THREADS, import_numpy_alone
import_numpy_alone()
import numpy
print(len(os.listdir("/proc/self/task")), os.environ.get(NUMPY_THREADS))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
@pytest.mark.parametrize(
    ("by_the_user", "told"), [(None, "1 None"), ("2", f"{min(2, os.cpu_count() or 1)} 2")]
)
def test_numpy_has_one_thread_unless_the_user_gives_it_more_and_the_environment_stays(
    by_the_user: str | None, told: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    if by_the_user is not None:
        environment["OPENBLAS_NUM_THREADS"] = by_the_user
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == told
