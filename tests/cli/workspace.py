"""A recipe folder for a test, and the command line run on it in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.cli.warm_start import Forked

Process = subprocess.Popen[str] | Forked
STARTER = Path(str(resources.files("seedbed") / "examples" / "support_tickets"))


@dataclass
class Workspace:
    """A folder with the starter's data and a recipe of the test's own."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    fresh: bool = False  # each command in an interpreter of its own, not forked from one that has imported

    @classmethod
    def make(cls, folder: Path, url: str | None = None, **changes: Any) -> Workspace:
        """`changes` replace sections of a small recipe; None removes one. `url` is the teacher's.

        Its 40 records take two rounds, and are too few to be measured.
        """
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(STARTER / "data", folder / "data", dirs_exist_ok=True)
        workspace = cls(folder)
        workspace.write(url, **changes)
        return workspace

    def write(self, url: str | None = None, **changes: Any) -> None:
        recipe: dict[str, Any] = {
            "name": "tickets",
            "task": {"kind": "classification", "input": "text", "label": "category"},
            "sources": {"real": {"path": "data/train.csv"}},
            "generate": {"target": 40, "axes": {"tone": ["calm", "cross"], "length": ["short", "long"]}},
        }
        if url is not None:
            recipe["roles"] = {
                "teacher": {"model": "fake", "endpoint": url, "timeout": 5.0, "licence": "mit"}
            }
        recipe.update(changes)
        recipe = {key: value for key, value in recipe.items() if value is not None}
        with (self.folder / "recipe.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(recipe, file)

    def start(self, *arguments: str) -> Process:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "SEEDBED_"))}
        env = {**clean, **self.env}
        if not self.fresh and sys.platform == "linux":
            return Forked(arguments, self.folder, env)
        return subprocess.Popen(
            [sys.executable, "-m", "seedbed.cli", *arguments],
            cwd=self.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, expect: int | None = 0) -> Done:
        """Run a command to its end; fails the test where it ends with another code than `expect`."""
        began = time.monotonic()
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        done = Done(process.wait(), out, err, time.monotonic() - began)
        assert expect is None or done.code == expect, f"exit {done.code}, not {expect}\n{out}\n{err}"
        return done

    @property
    def run_folder(self) -> Path:
        return self.folder / "runs" / "tickets"

    def shards(self) -> dict[str, bytes]:
        """Every committed file of the rounds, by name."""
        rounds = self.run_folder / "rounds"
        return {str(p.relative_to(rounds)): p.read_bytes() for p in sorted(rounds.rglob("*")) if p.is_file()}

    def accepted(self) -> list[str]:
        """Ids of the accepted records, in rank order."""
        rows = json.loads(self.run("show", ".", "-n", "100000", "--json").out)
        return [row["id"] for row in rows if row["accepted"]]


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def check_accounts(accounts: dict[str, Any]) -> None:
    cells, drafts = accounts["cells"], accounts["drafts"]
    assert cells["planned"] == cells["done"] + cells["failed"] + cells["pending"]
    rejected, failed = sum(drafts["rejected"].values()), sum(drafts["failed"].values())
    assert drafts["total"] == drafts["accepted"] + rejected + failed + drafts["pending"]


def kill_group(process: Process) -> None:
    """`kill -9` the command and every process it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
