"""numpy without threads of its own.

OpenBLAS, which its wheels hold, makes a thread for each further core as it is loaded, and each of them looks
for work for a tenth of a second before it sleeps.
"""

from __future__ import annotations

import os

# Read by OpenBLAS as it is loaded. What the user's environment says stands.
NUMPY_THREADS = "OPENBLAS_NUM_THREADS"


def import_numpy_alone() -> None:
    """Import numpy with the one thread that there is. Programs that this one starts hear nothing of it."""
    if NUMPY_THREADS in os.environ:
        return
    os.environ[NUMPY_THREADS] = "1"
    import numpy  # noqa: F401

    del os.environ[NUMPY_THREADS]
