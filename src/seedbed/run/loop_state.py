"""What a loop knows after each step, on disk: `loop/rounds.json`, and what each round's student said to dev.

It is written before a round asks anything and after it was scored, whole or not at all, so that the same
command goes on after a kill wherever it hit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seedbed.core.hashing import short_id
from seedbed.recipe import read_lock, to_lock_yaml
from seedbed.run.binding import BoundRecipe
from seedbed.store.atomic import read_json, write_json
from seedbed.student.targets import Targets

VERSION = 1

Ended = Literal["rounds", "no_gain", "variety", "cells", "budget", "endpoint", "interrupted"]

# What a loop may find changed and still go on: how much it may spend, what is written in the end, and where
# and how its models are asked. Which models these are stands beside it.
_OPEN = ("budget", "export", "roles")


@dataclass
class LoopRound:
    """One round. `scored` is what it came to, None until then; `next` what its weak spots ask for.

    `gain` is the difference of this round's mix to the last one's, None in the first round.
    """

    number: int
    targets: Targets
    scored: dict[str, Any] | None = None
    gain: dict[str, Any] | None = None
    weaknesses: list[dict[str, Any]] = field(default_factory=list)
    next: Targets | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "round": self.number,
            "targets": self.targets.to_json(),
            "scored": self.scored,
            "gain": self.gain,
            "weaknesses": self.weaknesses,
            "next": self.next.to_json() if self.next is not None else None,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> LoopRound:
        return cls(
            value["round"],
            Targets.from_json(value["targets"]),
            value["scored"],
            value["gain"],
            value["weaknesses"],
            Targets.from_json(value["next"]) if value["next"] is not None else None,
        )


@dataclass
class LoopState:
    """All rounds so far. `ended` says why the loop stopped, None while it is on its way.

    `kept` is the number of the round that the run folder holds in the end; `proven`, whether the eval was
    opened for it.
    """

    folder: Path
    key: str
    rounds: list[LoopRound] = field(default_factory=list)
    ended: Ended | None = None
    kept: int | None = None
    proven: bool = False

    @classmethod
    def open(cls, folder: Path, key: str) -> tuple[LoopState, bool]:
        """The state on disk, or a new one; and whether there is one of another loop, which is given up."""
        path = folder / "rounds.json"
        if not path.is_file():
            return cls(folder, key), False
        value = read_json(path)
        if value["version"] != VERSION or value["key"] != key:
            return cls(folder, key), True
        rounds = [LoopRound.from_json(each) for each in value["rounds"]]
        return cls(folder, key, rounds, value["ended"], value["kept"], value["proven"]), False

    @property
    def scored(self) -> list[LoopRound]:
        return [each for each in self.rounds if each.scored is not None]

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "rounds.json", self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "key": self.key,
            "ended": self.ended,
            "kept": self.kept,
            "proven": self.proven,
            "rounds": [each.to_json() for each in self.rounds],
        }

    def write_answers(self, number: int, rows: Sequence[str], answers: Sequence[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / f"answers-{number}.json", {"rows": list(rows), "answers": list(answers)})

    def answers(self, number: int) -> tuple[str, ...]:
        """What the student of a round said to the dev rows, in their order."""
        return tuple(read_json(self.folder / f"answers-{number}.json")["answers"])


def key_of(bound: BoundRecipe) -> str:
    """What the rounds of a loop must have in common for their scores to be comparable: recipe and dev rows.

    Train rows may come on top in between: real data accumulates.
    """
    recipe = read_lock(to_lock_yaml(bound.loaded))
    models = {name: part for name, part in bound.signature().items() if name in bound.recipe.roles.bound}
    dev = [[row.id, dict(row.fields)] for row in bound.dev]
    declared = {name: recipe[name] for name in recipe if name not in _OPEN}
    return short_id("loop", [VERSION, declared, models, dev])
