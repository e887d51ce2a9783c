"""The seed that a call carries: an endpoint that honours it gives the same question the same answer."""

from __future__ import annotations

from seedbed.core.hashing import seed_from


def call_seed(request: bytes, scope: bytes, draw: int, times_forgotten: int = 0) -> int:
    """Of the question, who asks it, and the first draw that the call is for.

    A question whose answers were forgotten is asked with another seed: with the same, most endpoints
    would say the same again.
    """
    again = (f"again {times_forgotten}",) if times_forgotten else ()
    return seed_from(request, scope, draw, *again)
