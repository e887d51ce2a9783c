"""A recipe whose teachers answer what a test says: cells go through a real endpoint, log and bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from seedbed.core.record import Record
from seedbed.run.loading import load_bound
from seedbed.run.planner import plan_from_scratch
from tests.fake_endpoint import Answer, FakeEndpoint
from tests.generate.bench import CLEAN, Bench


@dataclass(frozen=True)
class Question:
    """What an endpoint was asked: `model` is the role's name, `choice` which of several draws."""

    model: str
    system: str
    user: str
    choice: int = 0


Say = Callable[[Question], str | Answer]


@dataclass
class Scripted:
    """Writes a recipe and its files, and makes its cells with the replies of `say`."""

    folder: Path
    say: Say
    roles: Sequence[str] = ("teacher",)
    asked: list[Question] = field(default_factory=list)

    def records(self, recipe: Mapping[str, Any], files: Mapping[str, str], cells: int = 1) -> list[Record]:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        with ExitStack() as endpoints:
            urls = {
                role: endpoints.enter_context(FakeEndpoint(self._reply, model=role)).url
                for role in self.roles
            }
            roles = {role: {"model": role, "endpoint": url, "licence": "mit"} for role, url in urls.items()}
            with (self.folder / "recipe.yaml").open("w", encoding="utf-8") as file:
                YAML(typ="safe", pure=True).dump({"name": "scripted", **recipe, "roles": roles}, file)
            bench = Bench(load_bound(self.folder, CLEAN), self.folder)
            return [
                record
                for done in bench.make(plan_from_scratch(bench.bound.space, bench.bound.quotas, cells))
                for record in done.records
            ]

    def _reply(self, body: dict[str, Any]) -> str | Answer:
        said = {message["role"]: message["content"] for message in body["messages"]}
        question = Question(body["model"], said.get("system", ""), said["user"], body["choice"])
        self.asked.append(question)
        return self.say(question)
