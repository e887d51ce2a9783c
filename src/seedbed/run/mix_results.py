"""What was tried of a run's mix, kept beside the run: a search, and ablations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.run.view import RunView
from seedbed.store.atomic import read_json, write_json
from seedbed.store.folder import RunFolder
from seedbed.store.rounds import Rounds

SEARCH, ABLATE = "search", "ablate-"
# Keys of `mix` that decide nothing of a result. The share is what a search was made to change.
_NOT_OF_A_SEARCH = frozenset({"synthetic"})
_NOT_OF_AN_ABLATION = frozenset({"search", "tolerance"})


def keep(folder: RunFolder, name: str, result: Mapping[str, Any], decided_by: Mapping[str, Any]) -> None:
    """Keep a result with what it is of: the records, and the student and mix of `student_facts`."""
    folder.mix.mkdir(parents=True, exist_ok=True)
    of = {**_state(folder, len(read_json(folder.manifest)["versions"])), **decided_by}
    write_json(folder.mix / f"{name}.json", {**result, "of": of})


def mix_results(view: RunView) -> dict[str, Any]:
    """`search`, or None, and `ablations` by part: those alone that are of the run as it is now.

    That is of its records, and of the student and the mix that the recipe had when it was last at work on the
    run. A search whose share the recipe has taken since is one still, and has `taken`.
    """
    decided_by = view.facts.get("decided_by")
    found: dict[str, Any] = {"search": None, "ablations": {}}
    if decided_by is None:  # a run of before this was noted
        return found
    now = {**_state(view.folder, len(view.manifest["versions"])), **decided_by}
    share = decided_by["mix"]["synthetic"]
    for path in sorted(view.folder.mix.glob("*.json")):
        value = read_json(path)
        if not isinstance(value, dict) or not isinstance(of := value.get("of"), dict):
            continue
        if path.stem == SEARCH and _same(of, now, _NOT_OF_A_SEARCH):
            if share in (value["prior"], value["chosen"]):
                found["search"] = {**value, "taken": share != value["prior"]}
        elif path.stem.startswith(ABLATE) and _same(of, now, _NOT_OF_AN_ABLATION):
            found["ablations"][path.stem.removeprefix(ABLATE)] = value
    return found


def _same(of: Mapping[str, Any], now: Mapping[str, Any], but: frozenset[str]) -> bool:
    """Whether two states differ in no more than some keys of the mix."""

    def told(state: Mapping[str, Any]) -> dict[str, Any]:
        mix = state.get("mix")
        kept = {key: value for key, value in mix.items() if key not in but} if mix else None
        return {**state, "mix": kept}

    return told(of) == told(now)


def _state(folder: RunFolder, versions: int) -> dict[str, int]:
    """What tells whether records have changed since: the recipe's version, the rounds, the accepted."""
    committed = Rounds(folder.rounds).committed()
    return {
        "version": versions,
        "rounds": len(committed),
        "accepted": sum(entry.measures["accepted"] for entry in committed),
    }
