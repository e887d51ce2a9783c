"""A sample measured in a process of its own: `python -m seedbed.run.measures_process`.

What the measures take of memory is gone with it, and one thread does the sums, so that they do not
depend on how many cores there are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from seedbed.core.child_process import end_with_the_parent
from seedbed.core.garbage import collect_rarely
from seedbed.core.numpy_threads import NUMPY_THREADS
from seedbed.sources.sealed import answer_with, read_request

_THREADS = (NUMPY_THREADS, "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    collect_rarely()
    # Read when numpy is imported, which is later; where it was before a fork, it has one thread.
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    wanted = read_request()
    end_with_the_parent()
    answer_with(lambda: _measure(wanted))


def _measure(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    import numpy as np

    from seedbed.metrics.comparison import Embedded, measure
    from seedbed.metrics.sample import Sample

    sample = Sample(wanted["generated"], wanted["real"], wanted["twins"])
    embedded = None
    if wanted["vectors"] is not None:
        vectors = np.load(wanted["vectors"], mmap_mode="r")
        rows = len(sample.generated)
        embedded = Embedded(vectors[:rows], vectors[rows:])
    return {"metrics": measure(sample, embedded, seed=wanted["seed"])}


if __name__ == "__main__":
    main()
