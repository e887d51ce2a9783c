"""Section `filters`: which filters judge a draft, in which order."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from seedbed.core.registry import nearest
from seedbed.recipe.complaints import shown
from seedbed.recipe.document import KeyPath
from seedbed.recipe.section import Options, Reading, Section, Text

DEFAULT = "default"


class FilterEntry(Section):
    """One filter and its options, in the place where it acts."""

    name: Text = Field(description="a filter of the table of filters")
    options: Options = Field(description="the keys of the filter itself")


def read_filters(raw: Any, reading: Reading) -> tuple[FilterEntry, ...]:
    """The filters in order: `default` puts in those not there yet, `-name` takes one out again.

    `{name: {…}}` sets the options of a filter where it stands, or puts it at the end.
    """
    findings, path = reading.findings, ("filters",)
    entries: dict[str, FilterEntry] = {}
    if raw is None or raw == DEFAULT:
        raw = [DEFAULT]
        place_of_default: KeyPath = path
    else:
        place_of_default = ()
    if not isinstance(raw, list):
        findings.add(path, f"must be default or a list such as [default, -refusal], not {shown(raw)}")
        return ()
    chosen: set[str] = set()
    for at, item in enumerate(raw):
        where: KeyPath = place_of_default or (*path, at)
        if item == DEFAULT:
            for name in reading.default_filters:
                if name not in entries:
                    _put(entries, name, None, where, reading)
        elif isinstance(item, str) and item.startswith("-"):
            name = item[1:].strip()
            if name in entries:
                del entries[name]
            else:
                _not_there(name, list(entries), where, reading)
        elif isinstance(item, str | dict):
            for name, options in ({item: None} if isinstance(item, str) else item).items():
                if name in chosen:
                    findings.add(where, f"the filter '{name}' stands here a second time; keep one of them")
                    continue
                chosen.add(name)
                inner = (*where, name) if isinstance(item, dict) else where
                _put(entries, name, options, inner, reading)
        else:
            findings.add(where, f"must be the name of a filter, not {shown(item)}")
    return tuple(entries.values())


def place_of_filter(raw: Any, name: str) -> KeyPath:
    """Where a filter stands under `filters`; the section itself where `default` put it in."""
    for at, item in enumerate(raw if isinstance(raw, list) else ()):
        if item == name:
            return ("filters", at)
        if isinstance(item, dict) and name in item:
            return ("filters", at, name)
    return ("filters",)


def _put(entries: dict[str, FilterEntry], name: str, options: Any, path: KeyPath, reading: Reading) -> None:
    plugin = reading.findings.plugin(reading.registry.filters, name, path, [DEFAULT])
    if plugin is None:
        return
    read = reading.findings.model(plugin.Options, options, path, context={"folder": reading.folder})
    if read is not None:
        entries[name] = FilterEntry(name=name, options=read)


def _not_there(name: str, there: list[str], path: KeyPath, reading: Reading) -> None:
    close = nearest(name, there)
    if close:
        hint = f"did you mean '-{close}'?"
    elif there:
        hint = "before it there are: " + ", ".join(there)
    else:
        hint = "nothing stands before it; begin the list with default"
    reading.findings.add(path, f"'-{name}' takes out a filter that is not in the list; {hint}")
