"""The data card's section on the real data: the sources, their use, and what was taken out of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.publish.markdown import code, table, words

UNSTATED = "not stated"


def real_data(facts: Mapping[str, Any]) -> list[str]:
    """Its paragraphs. `facts` are those of `run.dossier.dossier`."""
    if not facts["sources"]:
        return ["None: the records were generated from the task and its prompts alone."]
    rows = facts["real_rows"]
    sources = [
        [
            code(source["name"]),
            code(source["path"]),
            words(source["licence"] or UNSTATED),
            "the locked eval" if source["locked"] else _split(source["split"]),
        ]
        for source in facts["sources"]
    ]
    use = (
        f"{rows['train']:,} real rows could be shown to the teacher and are what filters and measures "
        f"compare with; {rows['dev']:,} were set aside as a development split."
    )
    return [
        table(["source", "path in the recipe", "licence", "use"], sources, left=4),
        use,
        *(_redacted(name, counts) for name, counts in facts["redacted"].items()),
    ]


def _split(split: Mapping[str, float]) -> str:
    shares = ", ".join(
        f"{share:.0%} {'locked eval' if side == 'eval' else side}" for side, share in split.items()
    )
    return f"seed data; {shares} set aside" if shares else "seed data"


def _redacted(source: str, counts: Mapping[str, int]) -> str:
    """How many spans of which kind, and never which."""
    replaced = ", ".join(f"{n:,} {code(kind)}" for kind, n in sorted(counts.items()) if kind != "secret")
    dropped = counts.get("secret", 0)
    return f"Redacted in {code(source)} as it was read, by surrogates: {replaced or 'nothing was found'}." + (
        f" Chunks left out because they hold a secret: {dropped:,}." if dropped else ""
    )
