"""`seedbed loop`: run, train, score on dev, ask for what is weak, and run again, in one run folder.

Dev rows alone steer it. The eval is opened once, after the last round.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seedbed.core.errors import InputError, SeedbedError
from seedbed.recipe import StudentEntry
from seedbed.run.binding import BoundRecipe
from seedbed.run.loading import load_bound
from seedbed.run.loop_state import Ended, LoopRound, LoopState, key_of
from seedbed.run.manifest import Manifest
from seedbed.run.mixing import examined_on_dev, student_on_dev
from seedbed.run.pipeline import Pipeline
from seedbed.run.progress import Progress
from seedbed.run.proof import prove
from seedbed.run.registry import registry
from seedbed.run.session import RunResult, run_recipe
from seedbed.run.student_facts import student_plugin
from seedbed.run.training import Trainer, arms_of, material_of
from seedbed.run.weak_spots import next_targets, weak_spots
from seedbed.store.atomic import write_bytes
from seedbed.store.folder import RunLock
from seedbed.student.arms import MIX
from seedbed.student.examine import Examined
from seedbed.student.problems import told_once
from seedbed.student.protocol import StudentError
from seedbed.student.targets import Targets

Note = Callable[[str], None]

STEP_SHARE = 5
"""Without a step of the user's, a round adds one record for so many of the first target."""
ALL_REAL_STAY = "mix.fixed=real"
_NOW, _BEFORE = "this round", "the last round"
_SHORT: tuple[Ended, ...] = ("budget", "endpoint", "interrupted")
"""What stops a loop on its way: the same command goes on."""


@dataclass
class Stop:
    """How a loop is stopped from outside: `asked` between steps, and the run that is under way."""

    asked: bool = False
    pipeline: Pipeline | None = None

    def ask(self) -> None:
        self.asked = True
        if self.pipeline is not None:
            self.pipeline.stop("interrupted")

    def on_start(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        if self.asked:
            pipeline.stop("interrupted")


@dataclass(frozen=True)
class Loop:
    """What a loop works with. `overrides` are the user's, `watch` shows a run's progress."""

    recipe: Path
    overrides: tuple[str, ...]
    rounds: int
    step: int | None
    note: Note
    watch: Callable[[Progress], AbstractContextManager[None]]
    stop: Stop


@dataclass(frozen=True)
class LoopResult:
    """How it ended. `error` is what stopped a run, where something did; `proof` is that of the end."""

    state: LoopState
    bound: BoundRecipe
    proof: dict[str, Any] | None
    error: SeedbedError | None = None

    def to_json(self) -> dict[str, Any]:
        value = self.state.to_json()
        return {
            "recipe": self.bound.recipe.name,
            "rehearsal": self.bound.rehearsal,
            "folder": str(self.state.folder),
            "ended": value["ended"],
            "kept": value["kept"],
            "rounds": value["rounds"],
            "proof": self.proof,
        }


async def loop(asked: Loop) -> LoopResult:
    """Go round until there is no gain, a run stops short, or the rounds are done; prove what is kept.

    Raises InputError where there is nothing to train or to score on, before any request.
    """
    asked = replace(asked, overrides=_with_all_real_rows(asked))
    bound = load_bound(asked.recipe, asked.overrides)
    entry = student_on_dev(bound, "loop")
    if not student_plugin(entry).answers:
        message = (
            f"the loop asks the student each dev row, and {entry.name} cannot be asked; give it predict:"
        )
        raise InputError([bound.loaded.problem(("student",), message)])
    state, of_another = LoopState.open(bound.folder.loop, key_of(bound))
    if of_another:
        asked.note("the recipe or the dev rows changed since the last loop: it begins again with round 1")
    if state.ended in _SHORT or (state.ended == "rounds" and len(state.scored) < asked.rounds):
        state.ended, state.kept, state.proven = None, None, False
    error = None
    while state.ended is None:
        error = await _go_on(asked, bound, entry, state)
    if state.kept is None:  # stopped within a round
        return LoopResult(state, bound, None, error)
    bound = load_bound(asked.recipe, (*asked.overrides, *_kept(state).targets.overrides))
    return await _finish(asked, bound, state)


def _with_all_real_rows(asked: Loop) -> tuple[str, ...]:
    """The overrides, with a mix in which every real row stays, unless the recipe says otherwise.

    Generated rows that took the place of real ones would be a loop on its own output.
    """
    bound = load_bound(asked.recipe, asked.overrides)
    mix = bound.recipe.mix
    if mix is not None and mix.model_fields_set & {"fixed", "size"}:
        if mix.fixed == "total":
            asked.note(
                "mix.fixed is total: generated rows take the place of real ones; `fixed: real` keeps every "
                "real row in the mix"
            )
        return asked.overrides
    return (*asked.overrides, ALL_REAL_STAY)


async def _go_on(
    asked: Loop, bound: BoundRecipe, entry: StudentEntry, state: LoopState
) -> SeedbedError | None:
    """The next round, or what is left of one. Returns the error that stopped its run."""
    # A kill or Ctrl-C may have come between the score of the last round and what follows from it.
    if ends_here(state):
        return None
    if len(state.scored) >= asked.rounds:
        _end(state, "rounds", len(state.scored))
        return None
    if len(state.rounds) == len(state.scored):
        last = state.rounds[-1] if state.rounds else None
        targets = Targets(bound.quotas.target) if last is None else last.next
        assert targets is not None
        state.rounds.append(LoopRound(len(state.rounds) + 1, targets))
        state.write()
    this = state.rounds[-1]
    asked.note(f"round {this.number} of {asked.rounds}: {this.targets.target:,} accepted records wanted")
    overrides = (*asked.overrides, *_overrides(this))
    bound = load_bound(asked.recipe, overrides)
    result = await _run(asked, bound)
    if result.stopped in _SHORT:
        _stop_short(state, result.stopped)
        return result.error
    if not asked.stop.asked:
        with RunLock(bound.folder):
            await asyncio.to_thread(_score, asked, bound, overrides, entry, state, result)
    if not ends_here(state) and asked.stop.asked:
        _stop_short(state, "interrupted")
    return None


def ends_here(state: LoopState) -> bool:
    """End the loop if its last round was scored and is to be the last; whether it is, by what is on disk."""
    last = state.rounds[-1] if state.rounds else None
    if last is None or last.scored is None:
        return False
    if last.gain is not None and _is_no_gain(last.gain):
        # What made it worse is not kept; what made no difference harms nobody.
        _end(state, "no_gain", last.number - (last.gain["verdict"] == "worse"))
    elif last.scored["stopped"] in ("variety", "cells"):
        _end(state, last.scored["stopped"], last.number)
    return state.ended is not None


def _overrides(this: LoopRound) -> tuple[str, ...]:
    """Those of the round; the first one is the recipe as it stands."""
    return this.targets.overrides if this.number > 1 else ()


def _kept(state: LoopState) -> LoopRound:
    assert state.kept is not None
    return state.rounds[state.kept - 1]


def _end(state: LoopState, why: Ended, kept: int) -> None:
    state.ended, state.kept = why, kept
    state.write()


def _stop_short(state: LoopState, why: Ended) -> None:
    """Nothing is kept yet. The rounds say what they came to, so that the next call finds the same end."""
    state.ended, state.kept = why, None
    state.write()


def _is_no_gain(gain: dict[str, Any]) -> bool:
    """An undecided difference is followed as long as it points upwards."""
    if gain["verdict"] == "undecided":
        return bool(gain["difference"]["value"] <= 0)
    return gain["verdict"] in ("worse", "no_material_difference")


async def _run(asked: Loop, bound: BoundRecipe) -> RunResult:
    progress = Progress(target=bound.quotas.target)
    try:
        with asked.watch(progress):
            return await run_recipe(
                bound, registry(), asked.note, progress, proving=False, on_start=asked.stop.on_start
            )
    finally:
        asked.stop.pipeline = None


def _score(
    asked: Loop,
    bound: BoundRecipe,
    overrides: Sequence[str],
    entry: StudentEntry,
    state: LoopState,
    result: RunResult,
) -> None:
    """Train on what the round made, score it on dev, and say what the next one is to ask for."""
    this = state.rounds[-1]
    material = material_of(bound)
    # What was learnt is kept until it is known which round is: the proof of that one learns nothing again.
    trainer = Trainer(bound, entry, material.dev, asked.note)
    found = trainer.answers(arms_of(bound, material), keep=True)
    examined = examined_on_dev(bound, material, found)
    if MIX not in examined.answers:
        problems = {each.arm.name: each.problem or each.arm.note for each in found}
        raise StudentError(
            "nothing was learnt from the mix, so that there is nothing to go by\n"
            + "\n".join(told_once(problems))
        )
    this.scored = {
        "stopped": result.stopped,
        "accepted": result.accounts.drafts.accepted,
        "dev_rows": len(material.dev),
        "metric": examined.metric,
        "metrics": list(examined.metrics),
        "arms": [
            {
                **each.arm.to_json(),
                "key": each.arm.key,
                "problem": each.problem,
                "scores": examined.scores(each.arm.name) if each.answers is not None else None,
                "per_class": examined.per_class(each.arm.name) if each.answers is not None else {},
            }
            for each in found
        ],
    }
    taken = next(each.arm for each in found if each.arm.name == MIX)
    if taken.synthetic < len(material.synthetic):
        asked.note(
            f"the mix of round {this.number} took {taken.synthetic:,} of {len(material.synthetic):,} "
            f"generated rows: at its share {taken.real:,} real rows leave room for no more, and a larger "
            "mix.synthetic does"
        )
    if this.number > 1:
        pair = {_NOW: examined.answers[MIX], _BEFORE: state.answers(this.number - 1)}
        seed = bound.recipe.generate.seed
        paired = Examined("dev", bound.task, material.dev, pair, seed=seed)
        this.gain = paired.difference(_NOW, _BEFORE)
    weaknesses = weak_spots(bound, material, examined)
    this.weaknesses = [each.to_json() for each in weaknesses]
    step = asked.step or max(1, state.rounds[0].targets.target // STEP_SHARE)
    this.next = next_targets(bound, overrides, examined, weaknesses, step)
    _forget_models(bound, state.rounds[:-2], state.rounds[-2:])
    state.write_answers(this.number, [row.id for row in material.dev], examined.answers[MIX])
    state.write()


def _forget_models(bound: BoundRecipe, rounds: Sequence[LoopRound], kept: Sequence[LoopRound]) -> None:
    """Remove what students keep of the arms of rounds, but for those that a kept one has too."""
    needed = {arm["key"] for each in kept for arm in (each.scored or {"arms": ()})["arms"]}
    for each in rounds:
        for arm in each.scored["arms"] if each.scored is not None else ():
            if arm["key"] and arm["key"] not in needed:
                shutil.rmtree(bound.folder.trained / arm["key"], ignore_errors=True)


async def _finish(asked: Loop, bound: BoundRecipe, state: LoopState) -> LoopResult:
    """Make the run folder hold the round that is kept, open the eval for it, and write the recipes.

    What stops before the eval is opened leaves it closed: a run that was cut short is not the round kept.
    """
    kept, last = _kept(state), state.scored[-1]
    if kept is not last and not state.proven:
        asked.note(f"round {last.number} was worse: going back to round {kept.number}, from the reply log")
        result = await _run(asked, bound)
        if result.stopped in _SHORT:
            _stop_short(state, result.stopped)
            return LoopResult(state, bound, None, result.error)
    if asked.stop.asked and not state.proven:
        _stop_short(state, "interrupted")
        return LoopResult(state, bound, None)
    with RunLock(bound.folder):
        # The same proof again, without opening the eval, where nothing changed since.
        proof = await prove(bound, asked.note, by=f"seedbed loop {bound.recipe.name}", slow=True)
        if proof is not None:
            Manifest.read(bound.folder).set_proof_of_earlier(False)
    if not state.proven:
        _write_recipes(asked, bound, kept, last)
        _forget_models(bound, state.scored, [kept])
        state.proven = True  # last: killed before it, the same command does all of this again
        state.write()
    return LoopResult(state, bound, proof)


def _write_recipes(asked: Loop, bound: BoundRecipe, kept: LoopRound, last: LoopRound) -> None:
    """`….loop.yaml`, by which the run is what it is now, and `….next.yaml`, what the last round asks for.

    The user's overrides stand in both, but for the budget, which is that of a call: without them it would be
    another recipe.
    """
    base = bound.loaded.path
    more = load_bound(base, asked.overrides).loaded.overridden()
    more.pop("budget", None)
    for suffix, targets, heading in (
        ("loop", kept.targets, f"What round {kept.number} of `seedbed loop` was made by."),
        ("next", last.next, f"What the weak spots of round {last.number} of `seedbed loop` ask for."),
    ):
        if targets is not None:
            path = base.with_name(f"{base.stem}.{suffix}.yaml")
            write_bytes(path, targets.to_yaml(base.name, [heading], more).encode())
            asked.note(f"as a recipe: {path}")
