"""A run's mix as a file, the search for its share, and what filters, methods and templates were worth.

All of it learns from train rows and accepted records and is scored on dev rows; the eval stays closed.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seedbed.core.errors import InputError, Problem
from seedbed.core.record import Record
from seedbed.core.verdict import OVER_TARGET
from seedbed.publish.exporter import Changes
from seedbed.recipe import Mix, StudentEntry, roles_of_student
from seedbed.run.binding import BoundRecipe
from seedbed.run.loading import load_bound
from seedbed.run.manifest import Manifest
from seedbed.run.mix_results import ABLATE, SEARCH, keep
from seedbed.run.refilter import Unasked
from seedbed.run.registry import registry
from seedbed.run.specimens import WITHHELD
from seedbed.run.student_facts import described, student_facts, student_plugin
from seedbed.run.training import (
    Answered,
    Material,
    Trainer,
    arms_of,
    has_fields,
    material_of,
    mixture_of,
    remove_left_jobs,
    row_from,
)
from seedbed.store.folder import RunLock
from seedbed.store.ledger import Ledger
from seedbed.store.rounds import Rounds
from seedbed.student.ablation import BASE, ablate
from seedbed.student.arms import MIX, Arm, in_order
from seedbed.student.examine import Examined
from seedbed.student.protocol import StudentError
from seedbed.student.repeated import Tried, Try
from seedbed.student.rows import Row
from seedbed.student.scores import metrics_of
from seedbed.student.search import Question, search

Tell = Callable[[str], None]
Part = Literal["filters", "methods", "templates"]

LEAST_DEV = 20
"""Dev rows below which no score is taken for one."""


def student_on_dev(bound: BoundRecipe, to: str) -> StudentEntry:
    """The recipe's student, made sure that there is something to score it on. Raises InputError."""
    recipe = bound.recipe
    problems = []
    if recipe.student is None:
        message = f"{to} needs a student: add student: classifier, or another one"
        problems.append(bound.loaded.problem(("student",), message))
    elif roles_of_student(recipe.student) and to != "train":
        message = f"{to} needs a student that learns; what is served is asked by seedbed train and evaluate"
        problems.append(bound.loaded.problem(("student",), message))
    if not bound.train:
        problems.append(bound.loaded.problem(("sources",), f"{to} needs real rows to compare with"))
    elif len(bound.dev) < LEAST_DEV:
        message = (
            f"{to} goes by dev rows, which no student learns from and which are no eval; there are "
            f"{len(bound.dev):,} of them. Write split: {{dev: 0.2}} into a real source; at least {LEAST_DEV} "
            "rows are wanted"
        )
        problems.append(bound.loaded.problem(("sources",), message))
    if problems:
        raise InputError(problems)
    assert recipe.student is not None
    return recipe.student


@contextmanager
def opened_run(recipe: Path, overrides: Sequence[str], *, asks: bool = False) -> Iterator[BoundRecipe]:
    """A recipe and its run, whose folder nobody else works on meanwhile.

    Unless it `asks`, no address or key of an endpoint needs to be there.

    Raises InputError where recipe or data are not sound or there is no run yet.
    """
    bound = load_bound(recipe, overrides, env=os.environ if asks else Unasked())
    if not bound.folder.manifest.is_file():
        raise InputError(
            [Problem(f"no run here; start one with `seedbed run {recipe}`", str(bound.folder.path))]
        )
    with RunLock(bound.folder):
        remove_left_jobs(bound)
        yield bound


def search_mix(bound: BoundRecipe, tell: Tell) -> dict[str, Any]:
    """Search the share of generated rows, and keep what came of it in the run's `mix/search.json`."""
    entry, mix = student_on_dev(bound, "mix --search"), bound.recipe.mix or Mix()
    if mix.slices and not student_plugin(entry).answers:
        message = (
            f"slices are looked at dev row by dev row, and the student {entry.name} cannot be asked; give it "
            "predict, or leave slices out of the search"
        )
        raise InputError([bound.loaded.problem(("mix", "slices"), message)])
    material = material_of(bound)
    question = Question(
        real=material.real,
        synthetic=material.synthetic,
        mixture=mixture_of(mix),
        shares=mix.search,
        critical=tuple(mix.slices),
        tolerance=mix.tolerance,
        seed=bound.recipe.generate.seed,
        rank=material.rank,
    )
    found = search(question, trying(bound, entry, material, tell), tell)
    result = {"student": described(entry), **found}
    _keep(bound, SEARCH, result)
    return result


def ablate_run(bound: BoundRecipe, part: Part, tell: Tell) -> dict[str, Any]:
    """What each filter, method or template was worth, kept in the run's `mix/ablate-….json`."""
    entry, mix = student_on_dev(bound, f"mix --ablate {part}"), bound.recipe.mix or Mix()
    material = material_of(bound)
    left_out: dict[str, str] = {}
    if part == "filters":
        pools, left_out = _without_filters(bound, material)
    else:
        pools = _without(bound, material, part)
    if len(pools) == 1:
        what = {
            "filters": "no filter turned a readable draft away",
            "methods": "the records are of one method",
            "templates": "the records are of one template",
        }[part]
        raise InputError([Problem(f"there is nothing to take out: {what}", str(bound.folder.path))])
    attempt = trying(bound, entry, material, tell)
    seed = bound.recipe.generate.seed
    found = ablate(material.real, pools, mixture_of(mix), attempt, seed=seed, tell=tell)
    result = {
        "student": described(entry),
        **found,
        "part": part,
        "left_out": {**left_out, **found["left_out"]},
    }
    _keep(bound, f"{ABLATE}{part}", result)
    return result


def _keep(bound: BoundRecipe, name: str, result: Mapping[str, Any]) -> None:
    """Keep a result, and note in the run which student and mix are in force now."""
    decided_by = student_facts(bound)
    keep(bound.folder, name, result, decided_by)
    Manifest.read(bound.folder).set_decided_by(decided_by)


def _without_filters(
    bound: BoundRecipe, material: Material
) -> tuple[dict[str, Sequence[Row]], dict[str, str]]:
    """The accepted rows, and with them the readable drafts of each filter; and which filters are left out.

    A draft is that filter's which was the first to turn it away. What later ones would have said nobody
    knows. Of the good drafts some are no part of the arms (held out, above the target): of what was turned
    away as large a share is left aside, so that a pool has both as they came. What may be text of the eval, a
    secret or somebody's data teaches no student.
    """
    accepted = {row.id for row in (*material.synthetic, *material.held_out)}
    turned_away: defaultdict[str, list[Row]] = defaultdict(list)
    good = len(accepted)
    for record, verdicts in Ledger(Rounds(bound.folder.rounds)).with_verdicts():
        if record.id in accepted:
            continue
        first = next((verdict for verdict in verdicts if not verdict.keep), None)
        if first is not None and first.reason == OVER_TARGET:
            good += 1
        elif first is not None and _is_whole(bound, record):
            turned_away[first.filter.partition("@")[0]].append(row_from(bound, record))
    share = len(material.synthetic) / max(1, good)
    left_out = {
        name: "what it turned away may be text of the eval, a secret or somebody's data, and teaches nobody"
        for name in WITHHELD
        if turned_away.pop(name, None)
    }
    seed = bound.recipe.generate.seed
    drawn = {
        name: in_order(rows, seed)[: max(1, round(share * len(rows)))]
        for name, rows in sorted(turned_away.items())
    }
    pools: dict[str, Sequence[Row]] = {BASE: material.synthetic}
    for name, rows in drawn.items():
        pools[name] = (*material.synthetic, *rows)
    if len(drawn) > 1:
        pools["all of these"] = (*material.synthetic, *(row for rows in drawn.values() for row in rows))
    return pools, left_out


def _is_whole(bound: BoundRecipe, record: Record) -> bool:
    """Whether a draft has what a student learns from."""
    return record.unreadable is None and has_fields(bound, record)


def _without(bound: BoundRecipe, material: Material, part: Part) -> dict[str, Sequence[Row]]:
    """The accepted rows, and those of all methods (or templates) but one."""
    made_by: dict[str, str] = {}
    for record in Ledger(Rounds(bound.folder.rounds)).accepted():
        origin = record.provenance
        made_by[record.id] = (origin.method if part == "methods" else origin.template) or ""
    names = sorted({made_by[row.id] for row in material.synthetic})
    pools: dict[str, Sequence[Row]] = {BASE: material.synthetic}
    if len(names) > 1:
        for name in names:
            pools[name] = [row for row in material.synthetic if made_by[row.id] != name]
    return pools


def trying(bound: BoundRecipe, entry: StudentEntry, material: Material, tell: Tell) -> Try:
    """How a search has a student learn from arms: in the trainer's process, on the run's dev rows."""
    trainer = Trainer(bound, entry, material.dev, tell)

    def attempt(arms: Sequence[Arm]) -> Tried:
        found = trainer.answers(arms)
        problems = {each.arm.name: each.problem for each in found if each.problem}
        if student_plugin(entry).answers:
            return Tried(examined_on_dev(bound, material, found), {}, metrics_of(bound.task)[0], problems)
        metric, reported = reported_by(entry, found)
        return Tried(None, reported, metric, problems)

    return attempt


def reported_by(entry: StudentEntry, found: Sequence[Answered]) -> tuple[str, dict[str, float]]:
    """The figure that decides among those that a trainer reports, and what each arm has of it.

    It is the student's `metric`, or the first figure of the first arm; it is taken as 0..1. An arm that lacks
    it, where another has it, raises StudentError.
    """
    learnt = [each for each in found if not each.problem]
    metric = getattr(entry.options, "metric", None) or next((next(iter(e.reported)) for e in learnt), "score")
    for each in learnt:
        if metric not in each.reported:
            there = ", ".join(each.reported)
            raise StudentError(f"arm {each.arm.name}: its trainer reports no {metric!r}, only {there}")
    return metric, {each.arm.name: each.reported[metric] for each in learnt}


def examined_on_dev(bound: BoundRecipe, material: Material, found: Iterable[Answered]) -> Examined:
    """What students said to the dev rows, scored."""
    answers = {each.arm.name: each.answers for each in found if each.answers is not None}
    return Examined("dev", bound.task, material.dev, answers, seed=bound.recipe.generate.seed)


@dataclass(frozen=True, slots=True)
class MixFile:
    """A mix that was written. `note` says what it lacks of what was asked for."""

    path: Path
    real: int
    synthetic: int
    note: str
    notes: tuple[str, ...]


def write_mix(bound: BoundRecipe, name: str, out: Path | None) -> MixFile:
    """The mix arm as a training file in a format: the very rows that a proof learns from.

    Raises MixtureError where it cannot be made, InputError where the task does not fit the format.
    """
    material = material_of(bound)
    arm = next(arm for arm in arms_of(bound, material) if arm.name == MIX)
    plugin = registry().exporters.get(name)
    exporter = plugin(plugin.Options())
    path = out or bound.folder.mix / f"{name}{exporter.suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    changes = Changes()
    records = _records(bound, arm.rows)
    exporter.write(records, bound.task, path, rehearsal=bound.rehearsal, changes=changes)
    return MixFile(path, arm.real, arm.synthetic, arm.note, tuple(changes.notes()))


def _records(bound: BoundRecipe, rows: Sequence[Row]) -> list[Record]:
    """The records behind the rows, in their order."""
    known = {record.id: record for record in bound.train}
    known |= Ledger(Rounds(bound.folder.rounds)).records(row.id for row in rows if row.id not in known)
    return [known[row.id] for row in rows]
