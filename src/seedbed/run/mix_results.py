"""What was tried of a run's mix, kept beside the run: a search, and ablations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.run.view import RunView
from seedbed.store.atomic import read_json, write_json
from seedbed.store.folder import RunFolder
from seedbed.store.rounds import Rounds

SEARCH, ABLATE = "search", "ablate-"


def keep(folder: RunFolder, name: str, result: Mapping[str, Any]) -> None:
    """Keep a result with what it is of."""
    folder.mix.mkdir(parents=True, exist_ok=True)
    of = _state(folder, len(read_json(folder.manifest)["versions"]))
    write_json(folder.mix / f"{name}.json", {**result, "of": of})


def mix_results(view: RunView) -> dict[str, Any]:
    """`search`, or None, and `ablations` by part: those alone that are of the run as it is now."""
    now = _state(view.folder, len(view.manifest["versions"]))
    found: dict[str, Any] = {}
    for path in sorted(view.folder.mix.glob("*.json")):
        value = read_json(path)
        if isinstance(value, dict) and value.get("of") == now:
            found[path.stem] = value
    ablations = {name.removeprefix(ABLATE): value for name, value in found.items() if name.startswith(ABLATE)}
    return {"search": found.get(SEARCH), "ablations": ablations}


def _state(folder: RunFolder, versions: int) -> dict[str, int]:
    """What tells whether records have changed since: the recipe's version, the rounds, the accepted."""
    committed = Rounds(folder.rounds).committed()
    return {
        "version": versions,
        "rounds": len(committed),
        "accepted": sum(entry.measures["accepted"] for entry in committed),
    }
