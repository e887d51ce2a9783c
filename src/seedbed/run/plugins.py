"""Every plug-in there is, built in or offered by an installed package, as plain values."""

from __future__ import annotations

import inspect
import sys
from dataclasses import fields
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from seedbed.core.registry import Table
from seedbed.run.registry import registry


def list_plugins() -> dict[str, list[dict[str, Any]]]:
    """By kind, as the tables are called: {name, version, package, about, error}.

    `package` is `seedbed` for what is built in, else the distribution and its version. `error` says
    why an entry point cannot be loaded, or that its name is taken; otherwise it is None.
    """
    tables = registry()
    return {table.name: _entries(getattr(tables, table.name)) for table in fields(tables)}


def _entries(table: Table[Any]) -> list[dict[str, Any]]:
    own = [_entry(name, "seedbed", table.built_in[name]()) for name in table.built_in]
    offered = sorted(entry_points(group=table.group), key=lambda point: (point.name, _package(point)))
    seen = set(table.built_in)
    for point in offered:
        if point.name in seen:
            error = f"{point.name!r} is taken already; the package must offer it under another name"
            own.append(_broken(point, error))
        else:
            own.append(_offered(point))
        seen.add(point.name)
    return own


def _offered(point: EntryPoint) -> dict[str, Any]:
    try:
        return _entry(point.name, _package(point), point.load())
    except Exception as error:  # noqa: BLE001 - a package's own code may fail in any way, and is listed with it
        return _broken(point, f"{type(error).__name__}: {error} ({point.value})")


def _entry(name: str, package: str, plugin: Any) -> dict[str, Any]:
    version = getattr(plugin, "version", None)
    return {
        "name": name,
        "version": version if isinstance(version, int | str) else None,
        "package": package,
        "about": _about(plugin),
        "error": None,
    }


def _broken(point: EntryPoint, error: str) -> dict[str, Any]:
    return {"name": point.name, "version": None, "package": _package(point), "about": "", "error": error}


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "unknown package"


def _about(plugin: Any) -> str:
    """The first sentence of the class's docstring, or of its module's."""
    for thing in (plugin, sys.modules.get(getattr(plugin, "__module__", ""))):
        text = inspect.cleandoc(getattr(thing, "__doc__", None) or "").partition("\n\n")[0]
        if text:
            line = " ".join(text.split())
            return line.partition(". ")[0].removesuffix(".")
    return ""
