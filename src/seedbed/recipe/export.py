"""Section `export`: the formats that the finished data is written in."""

from __future__ import annotations

from typing import Any

from seedbed.recipe.complaints import shown
from seedbed.recipe.section import Reading


def read_export(raw: Any, reading: Reading) -> tuple[str, ...]:
    """Names of exporters, each once; none where the key is left out."""
    findings = reading.findings
    if raw is None:
        return ()
    if not isinstance(raw, list):
        findings.add(("export",), f"must be a list of formats such as [jsonl], not {shown(raw)}")
        return ()
    names: list[str] = []
    for at, name in enumerate(raw):
        path = ("export", at)
        if not isinstance(name, str):
            findings.add(path, f"must be the name of a format, not {shown(name)}")
        elif name in names:
            findings.add(path, f"the format '{name}' stands here a second time; keep one of them")
        elif findings.plugin(reading.registry.exporters, name, path) is not None:
            names.append(name)
    return tuple(names)
