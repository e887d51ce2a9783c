"""What was taken out of real data before anything saw it, in words."""

from __future__ import annotations

from collections.abc import Mapping

from seedbed.publish.markdown import code


def redacted_text(name: str, counts: Mapping[str, int]) -> str:
    """Of one source: how many spans of which kind, and never which."""
    replaced = ", ".join(f"{n:,} {code(kind)}" for kind, n in sorted(counts.items()) if kind != "secret")
    dropped = counts.get("secret", 0)
    return f"Redacted in {code(name)} as it was read, by surrogates: {replaced or 'nothing was found'}." + (
        f" Chunks left out because they hold a secret: {dropped:,}." if dropped else ""
    )
