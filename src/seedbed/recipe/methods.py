"""`generate.methods`: which methods write drafts, and in what proportion."""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field

from seedbed.recipe.complaints import shown
from seedbed.recipe.document import KeyPath
from seedbed.recipe.section import Float, Options, Reading, Section, Text

DEFAULT_METHOD = "template"


class MethodEntry(Section):
    """One method with its weight; the method's own keys are written beside `weight`."""

    name: Text = Field(description="a method of the table of methods")
    weight: Float = Field(1.0, gt=0, description="how often, in proportion to the other methods")
    options: Options = Field(description="the keys of the method itself, written beside `weight`")


def read_methods(raw: Any, path: KeyPath, reading: Reading) -> tuple[MethodEntry, ...]:
    """A name, a map of names to weights (or options), or a list of names and such maps."""
    findings = reading.findings
    if raw is None:
        raw = DEFAULT_METHOD
    if isinstance(raw, str):
        items: list[tuple[str, Any, KeyPath]] = [(raw, None, path)]
    elif isinstance(raw, dict):
        items = [(name, value, (*path, name)) for name, value in raw.items()]
    elif isinstance(raw, list):
        items = []
        for at, item in enumerate(raw):
            if isinstance(item, str):
                items.append((item, None, (*path, at)))
            elif isinstance(item, dict):
                items += [(name, value, (*path, at, name)) for name, value in item.items()]
            else:
                findings.add((*path, at), f"must be the name of a method, not {shown(item)}")
    else:
        findings.add(path, f"must be a name, a map or a list of methods, not {shown(raw)}")
        return ()
    if not items and not findings.touch(path):
        findings.add(path, f"names no method; write methods: {DEFAULT_METHOD}")
    entries: dict[str, MethodEntry] = {}
    for name, value, where in items:
        if name in entries:
            findings.add(where, f"the method '{name}' stands here a second time; keep one of them")
            continue
        entry = _read_entry(name, value, where, reading)
        if entry is not None:
            entries[name] = entry
    return tuple(entries.values())


def _read_entry(name: str, value: Any, path: KeyPath, reading: Reading) -> MethodEntry | None:
    findings = reading.findings
    plugin = findings.plugin(reading.registry.methods, name, path)
    if plugin is None:
        return None
    own: dict[str, Any]
    if isinstance(value, dict):
        own = {key: item for key, item in value.items() if key != "weight"}
        weight, where = value.get("weight"), (*path, "weight")
    else:
        own, weight, where = {}, value, path
    if weight is None:
        weight = 1.0
    elif isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        findings.add(where, f"a weight must be a number above 0, not {shown(weight)}")
        weight = 1.0
    # An option may name a file, which is relative to the recipe's folder as everywhere.
    options = findings.model(plugin.Options, own, path, context={"folder": reading.folder})
    return MethodEntry(name=name, weight=weight, options=options) if options is not None else None
