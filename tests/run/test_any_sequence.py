"""Whatever is run, forgotten, judged again and retried, in whatever order: the accounts hold."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.fate import Accounts
from seedbed.run.forgetting import forget_where
from seedbed.run.loading import load_bound
from seedbed.run.progress import Progress
from seedbed.run.refilter import recipe_of, refilter
from seedbed.run.registry import registry
from seedbed.run.session import run_recipe
from seedbed.run.summary import summarise
from seedbed.run.view import RunView
from tests.cli.test_run import sometimes_bad
from tests.cli.workspace import Workspace
from tests.fake_endpoint import Answer, FakeEndpoint, Fault

FILTERS: list[list[Any]] = [
    ["default"],
    ["default", {"length": {"max_chars": 81}}],
    ["default", "-refusal", "-near_duplicates"],
]


def reply(body: dict[str, Any]) -> str | Answer | Fault:
    dice = random.Random(str(body["messages"]) + str(body.get("seed")))
    return Fault.http(400, "never") if dice.random() < 0.1 else sometimes_bad(0.3)(body)


class Sequence:
    """One workspace, and steps in it as the commands take them."""

    def __init__(self, workspace: Workspace, url: str, dice: random.Random) -> None:
        self.workspace, self.url, self.dice = workspace, url, dice

    def run(self, *overrides: str, retry_failed: bool = False) -> None:
        target = self.dice.choice([30, 45])
        bound = load_bound(self.workspace.folder, (f"generate.target={target}", *overrides))
        progress = Progress(target)
        asyncio.run(run_recipe(bound, registry(), lambda line: None, progress, retry_failed=retry_failed))

    def run_a_little(self) -> None:
        sent = self.summary()["calls"]["requests"]
        self.run(f"budget.requests={sent + self.dice.randrange(1, 15)}")

    def retry(self) -> None:
        self.run(retry_failed=True)

    def forget(self) -> None:
        drafts = self.summary()["accounts"]["drafts"]
        where = [{"label": self.dice.choice(["billing", "access"])}]
        where += [{"reason": reason} for reason in drafts["rejected"] if reason != "over_target"]
        where += [{"cause": cause} for cause in drafts["failed"]]
        forget_where(self.workspace.folder, self.dice.choice(where))

    def judge_again(self) -> None:
        self.workspace.write(self.url, filters=self.dice.choice(FILTERS))
        recipe, target = recipe_of(self.workspace.folder)
        bound = load_bound(recipe, (f"generate.target={target}",))
        asyncio.run(refilter(bound, lambda line: None, Progress(target), dry_run=self.dice.random() < 0.3))

    def summary(self) -> dict[str, Any]:
        return summarise(RunView.open(self.workspace.folder))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_accounts_hold_after_any_sequence(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    with FakeEndpoint(reply) as endpoint:
        sequence = Sequence(Workspace.make(tmp_path, endpoint.url), endpoint.url, dice)
        sequence.run("budget.requests=30")
        for _ in range(6):
            step = dice.choice(["run", "run_a_little", "retry", "forget", "judge_again"])
            before = endpoint.stats().requests
            getattr(sequence, step)()
            summary = sequence.summary()  # both equations, and the verdicts against the counts
            Accounts.from_json(summary["accounts"]).check()
            assert summary["calls"]["requests"] == endpoint.stats().requests, step
            if step in ("forget", "judge_again"):
                assert endpoint.stats().requests == before, step
            fates = Counter(fate.accepted for _, fate in RunView.open(tmp_path).ledger().with_fates())
            assert fates[True] == summary["accounts"]["drafts"]["accepted"], step
        assert endpoint.stats().repeats_after_answered == 0
