"""What the real rows teach, learnt in a process of its own: `python -m seedbed.filters.agreement_process`.

scikit-learn takes 80 MB and is needed for a second or two of a run: it is gone with the process.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from seedbed.core.child_process import end_child, end_with_the_parent, ended_early, start_child
from seedbed.core.garbage import collect_rarely

if TYPE_CHECKING:
    from seedbed.filters.agreement import Agreement


def learn_apart(rows: Sequence[tuple[str, str]]) -> Agreement:
    """`agreement.learn` of (text, label). Raises SeedbedError where the process ends without an answer."""
    process = start_child("seedbed.filters.agreement_process")
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it ended already: the answer that is missing will say so
            process.stdin.write(pickle.dumps(list(rows)))
            process.stdin.flush()
        answer = process.stdout.read()
        if not answer:
            raise ended_early(process, "label_agreement: the process that learns from the real rows")
        learnt: Agreement = pickle.loads(answer)
        return learnt
    finally:
        end_child(process)


def main() -> None:
    collect_rarely()
    rows = pickle.load(sys.stdin.buffer)
    end_with_the_parent()
    from seedbed.filters.agreement import learn

    sys.stdout.buffer.write(pickle.dumps(learn(rows)))


if __name__ == "__main__":
    main()
