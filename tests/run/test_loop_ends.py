"""Where `seedbed loop` ends, from what it finds on disk: after a kill, after Ctrl-C, with its budget gone."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from seedbed.recipe import read_lock, to_lock_yaml
from seedbed.run.loading import load_bound
from seedbed.run.loop import run_in_loop
from seedbed.run.loop_state import Ended, LoopRound, LoopState, key_of
from seedbed.run.looping import ALL_REAL_STAY, Loop, LoopResult, Stop, ends_here, loop
from seedbed.run.view import RunView
from seedbed.student.targets import Targets
from tests.cli.workspace import Workspace

WORSE = {"verdict": "worse", "difference": {"value": -0.2}}
NO_MORE = {"verdict": "no_material_difference", "difference": {"value": 0.001}}
FLAT = {"verdict": "undecided", "difference": {"value": 0.0}}
UP = {"verdict": "undecided", "difference": {"value": 0.01}}
SOURCES = {
    "real": {"path": "data/train.csv", "split": {"dev": 0.2}},
    "eval": {"path": "data/test.csv", "lock": True},
}


def make(folder: Path, *, locked: bool = False) -> Workspace:
    """A rehearsal of eight records, with an eval to open if `locked`."""
    return Workspace.make(
        folder,
        sources=SOURCES if locked else {"real": SOURCES["real"]},
        generate={"target": 8, "axes": {"tone": ["calm", "cross"]}},
        filters=["schema"],
        student="classifier",
    )


def scored(
    workspace: Workspace,
    gain: dict[str, Any],
    ended: Ended | None,
    *,
    stopped: str = "target",
    overrides: tuple[str, ...] = (),
) -> LoopState:
    """Two rounds that were scored, the second with this gain, as a call leaves them that got no further."""
    bound = load_bound(workspace.folder, (*overrides, ALL_REAL_STAY))
    first, second, third = (Targets(8 * number) for number in (1, 2, 3))
    rounds = [
        LoopRound(1, first, {"stopped": "target", "arms": []}, None, [], second),
        LoopRound(2, second, {"stopped": stopped, "arms": []}, gain, [], third),
    ]
    LoopState(bound.folder.loop, key_of(bound), rounds, ended).write()
    state, of_another = LoopState.open(bound.folder.loop, key_of(bound))
    assert not of_another
    return state


def go_on(workspace: Workspace, *overrides: str, stop: bool = False, rounds: int = 4) -> LoopResult:
    asked = Loop(
        workspace.folder, overrides, rounds, None, lambda note: None, lambda shown: nullcontext(), Stop(stop)
    )
    return run_in_loop(loop(asked))


def on_disk(workspace: Workspace) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((workspace.run_folder / "loop" / "rounds.json").read_text("utf-8"))
    return value


def openings(workspace: Workspace) -> list[str]:
    lock = json.loads((workspace.run_folder / "eval.lock.json").read_text("utf-8"))
    return [each["purpose"] for each in lock["openings"]]


@pytest.mark.parametrize(
    ("gain", "stopped", "ended", "kept"),
    [
        (WORSE, "target", "no_gain", 1),
        (WORSE, "variety", "no_gain", 1),
        (NO_MORE, "target", "no_gain", 2),
        (FLAT, "target", "no_gain", 2),
        (UP, "variety", "variety", 2),
        (UP, "cells", "cells", 2),
        (UP, "target", None, None),
    ],
)
def test_what_is_on_disk_says_where_it_ends(
    tmp_path: Path, gain: dict[str, Any], stopped: str, ended: Ended | None, kept: int | None
) -> None:
    workspace = make(tmp_path)
    state = scored(workspace, gain, None, stopped=stopped)
    assert ends_here(state) == (ended is not None)
    assert (state.ended, state.kept) == (ended, kept)
    assert [on_disk(workspace)[key] for key in ("ended", "kept")] == [ended, kept]


def test_a_round_that_is_not_scored_ends_nothing(tmp_path: Path) -> None:
    state = scored(make(tmp_path), UP, None)
    state.rounds.append(LoopRound(3, Targets(24)))
    assert not ends_here(state)
    assert not ends_here(LoopState(tmp_path, "new"))


@pytest.mark.parametrize("before", ["interrupted", None], ids=["after Ctrl-C", "after a kill"])
def test_a_worse_round_is_given_up_by_the_next_call(tmp_path: Path, before: Ended | None) -> None:
    """The call that scored it was stopped before it could say so: no third round comes of it."""
    workspace = make(tmp_path)
    scored(workspace, WORSE, before)
    state = go_on(workspace).state
    assert (state.ended, state.kept, len(state.rounds)) == ("no_gain", 1, 2)
    assert on_disk(workspace)["proven"]
    assert len(list(RunView.open(tmp_path).ledger().accepted())) == 8


@pytest.mark.parametrize(
    ("stop", "overrides", "ended"),
    [(True, (), "interrupted"), (False, ("budget.requests=1",), "budget")],
    ids=["Ctrl-C", "budget"],
)
def test_a_way_back_that_is_cut_short_is_not_proven(
    tmp_path: Path, stop: bool, overrides: tuple[str, ...], ended: Ended
) -> None:
    workspace = make(tmp_path, locked=True)
    scored(workspace, WORSE, None)
    short = go_on(workspace, *overrides, stop=stop)
    assert (short.state.ended, short.state.kept, short.proof) == (ended, None, None)
    assert not on_disk(workspace)["proven"]
    assert "evaluate" not in openings(workspace)
    assert not (tmp_path / "recipe.loop.yaml").exists()


def test_asked_to_stop_before_the_proof_it_stays_closed(tmp_path: Path) -> None:
    workspace = make(tmp_path)
    scored(workspace, NO_MORE, None)
    assert go_on(workspace, stop=True).state.ended == "interrupted"
    assert not on_disk(workspace)["proven"]


def test_the_recipes_hold_what_was_set_for_the_loop(tmp_path: Path) -> None:
    """Sections that `--set` replaced as a whole, or took away, and values that look like numbers."""
    workspace = make(tmp_path)
    overrides = (
        "generate.seed=7",
        "generate.axes={length: [010, 1.50]}",
        "generate.temperature=0.5",
        "task.description='Mind this: a colon'",
        "generate.cover={length: even}",
        "student={classifier: {features: word+char}}",
        "filters=null",
        "budget.requests=500",
        "budget.tokens=900000",
    )
    scored(workspace, UP, None, overrides=overrides)
    done = go_on(workspace, *overrides, rounds=2)
    assert done.state.proven
    made = load_bound(tmp_path / "recipe.loop.yaml", ())
    assert made.signature() == done.bound.signature()
    assert made.signature() != load_bound(tmp_path, done.state.rounds[1].targets.overrides).signature()
    assert made.axes["length"] == ("010", "1.50")
    assert "tone" not in made.axes
    assert (made.quotas.target, made.quotas.by_field) == (16, done.bound.quotas.by_field)
    assert made.recipe.budget.requests is None
    own, said = (read_lock(to_lock_yaml(each.loaded)) for each in (made, done.bound))
    assert {**own, "budget": {}} == {**said, "budget": {}}
    further = load_bound(tmp_path / "recipe.next.yaml", ())
    assert further.quotas.target == 24
    assert further.signature() == made.signature()
