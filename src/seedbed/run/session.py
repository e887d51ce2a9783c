"""One `seedbed run`: open the folder, lock the eval, generate to the target, prove, export, account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from seedbed.core.errors import BudgetReached, EndpointError, NoAnswer
from seedbed.core.fate import Accounts, Stopped
from seedbed.core.hashing import short_id
from seedbed.core.registry import Registry
from seedbed.models.budget import Budget
from seedbed.run.accounts import read_accounts
from seedbed.run.asked_axes import ask_axes
from seedbed.run.asking import AskingSpace
from seedbed.run.assembling import judge_first, pipeline_of
from seedbed.run.beginning import begin
from seedbed.run.binding import BoundRecipe
from seedbed.run.built_filters import calibration_rows, open_filters
from seedbed.run.closing import retarget
from seedbed.run.embedding import open_embedder
from seedbed.run.leak_check import refuse_leaks
from seedbed.run.manifest import Manifest, facts_of, parts_of
from seedbed.run.measuring import measure_run
from seedbed.run.pipeline import Pipeline
from seedbed.run.pricing import price_of
from seedbed.run.progress import Progress
from seedbed.run.proof import prove
from seedbed.run.quotas import Quotas
from seedbed.run.real_keys import real_keys
from seedbed.run.real_rows import needed_of_eval
from seedbed.run.rehearsing import eval_decoys
from seedbed.run.rendering import asking_space
from seedbed.run.reopening import reopen_failed
from seedbed.run.roles import Teachers, bind_roles
from seedbed.run.spending import Spending, kept, open_budget
from seedbed.run.trials import Trials, open_trials
from seedbed.run.view import RunView, export_run
from seedbed.sources.eval_lock import EvalInfo, EvalLockServer
from seedbed.sources.eval_lock_file import EvalLockFile
from seedbed.sources.marks import text_hash
from seedbed.store.folder import RunFolder, RunLock, workspace_log
from seedbed.store.ledger import Ledger
from seedbed.store.replies import ReplyLog
from seedbed.store.rounds import Rounds
from seedbed.store.successor import Successor, settle
from seedbed.student.mixture import MixtureError

Note = Callable[[str], None]
Command = Literal["run", "refilter"]


@dataclass(frozen=True)
class RunResult:
    """How a run ended. `error` is what stopped it, where something did."""

    stopped: Stopped
    accounts: Accounts
    folder: RunFolder
    error: EndpointError | BudgetReached | None


@contextmanager
def locked_eval(bound: BoundRecipe, note: Note, by: str) -> Iterator[EvalLockServer | None]:
    """Start the eval's own process and refuse whatever the teacher would see of the eval.

    The first time it is locked an eval made of this workspace's drafts is refused too. Where the
    run has a lock already, the opening (`by` whom) is on record before it happens. Raises
    ContaminationError before any request, EvalLockError, SourceError.
    """
    if bound.eval_spec is None:
        yield None
        return
    spec = bound.eval_spec
    locked = bound.folder.eval_lock.exists()
    if locked:
        EvalLockFile.read(bound.folder.eval_lock).record_opening("check", by)
    hashes = iter(()) if locked else _draft_hashes(bound)
    needs = needed_of_eval(spec, bound.task, tested=bound.recipe.student is not None)
    optional = [spec.column(name) for name in bound.task.optional_fields]
    common = [bound.compared_text(row) for row in calibration_rows(bound)]
    with EvalLockServer.start(
        spec,
        needs=needs,
        may_be_empty=optional,
        common=common,
        own_hashes=hashes,
        decoys=eval_decoys(bound.loaded),
    ) as server:
        refuse_leaks(bound, server, note)
        yield server


def _draft_hashes(bound: BoundRecipe) -> Iterator[bytes]:
    """Hashes of every draft of the workspace, whichever run made it."""
    for rounds in sorted(bound.folder.path.parent.glob("*/rounds")):
        ledger = Ledger(Rounds(rounds))
        for record, _ in ledger.with_fates():
            if all(name in record.fields for name in bound.compare):
                yield text_hash(bound.compared_text(record))


@dataclass(frozen=True)
class Opened:
    """What asks: the folder is locked, the log open, the eval behind its own process, the roles bound."""

    bound: BoundRecipe
    log: ReplyLog
    server: EvalLockServer | None
    teachers: Teachers
    budget: Budget
    spending: Spending
    info: EvalInfo | None
    trials: Trials | None

    @property
    def folder(self) -> RunFolder:
        return self.bound.folder


@dataclass(frozen=True)
class Session(Opened):
    """An open run, with what it has on disk."""

    rounds: Rounds
    manifest: Manifest
    asking: AskingSpace

    @property
    def wanted(self) -> str:
        """Identity of the target and its shares, which the rounds on disk may or may not be fitted to."""
        quotas = self.bound.quotas
        return short_id("quotas", [quotas.target, {k: dict(v) for k, v in quotas.by_field.items()}])

    def take_over(self, successor: Successor, *, accepted_changed: bool) -> None:
        """Make rounds with new verdicts those of the run, as made by the recipe in force."""
        manifest = self.manifest
        value = manifest.next_version(self.bound, parts_of(self.bound, self.info))
        stale = manifest.value["proof_of_earlier"] or (accepted_changed and self.folder.proof.is_file())
        accepted = sum(entry.measures["accepted"] for entry in successor.rounds.committed())
        met = manifest.value["stopped"] == "target" and accepted >= self.bound.quotas.target
        value |= {
            "facts": facts_of(self.bound),
            "quotas": self.wanted,
            "stopped": "target" if met else None,
            "proof_of_earlier": stale,
        }
        successor.take_over(value)
        manifest.replaced(self.bound)


@asynccontextmanager
async def open_roles(bound: BoundRecipe, note: Note) -> AsyncIterator[Opened]:
    """The log, the budget and the roles alone, without the eval: for whoever holds the lock of the folder."""
    folder = bound.folder
    with ReplyLog.open(workspace_log(bound.loaded.folder)) as log:
        spending = Spending.read(folder, rehearsal=bound.rehearsal)
        prices = {name: price_of(role) for name, role in bound.recipe.roles.priced.items()}
        budget = open_budget(bound.recipe, folder, log, spending, prices, note)
        teachers = bind_roles(bound.loaded, log, budget, note)
        async with kept(spending, budget, teachers.replayed):
            try:
                yield Opened(bound, log, None, teachers, budget, spending, None, None)
            finally:
                await teachers.close()


@asynccontextmanager
async def open_to_ask(
    bound: BoundRecipe, note: Note, by: str, *, with_axes: bool = True
) -> AsyncIterator[Opened]:
    """Lock the folder and the eval (`by` whom is on record), bind the roles.

    Values of axes that the teacher has to give are asked for, unless `with_axes` is false.
    """
    with ExitStack() as stack:
        folder = bound.folder
        trials = open_trials(bound)
        # Leaks are refused before a folder is made, so that a refused run leaves nothing behind.
        known = folder.path.is_dir()
        if known:
            stack.enter_context(RunLock(folder))
        server = stack.enter_context(locked_eval(bound, note, by))
        folder.create()
        if not known:
            stack.enter_context(RunLock(folder))
        info = server.info if server else None
        if info is not None:
            first = not folder.eval_lock.exists()
            lock = EvalLockFile.create_or_verify(folder.eval_lock, info)
            if first:
                lock.record_opening("check", by)
        if settle(folder):
            note("carried out a change of the rounds that was cut short")
        async with AsyncExitStack() as later:
            opened = await later.enter_async_context(open_roles(bound, note))
            if trials is not None:
                later.push_async_callback(trials.close)
            if with_axes:
                lock_client = server.client if server else None
                bound = await ask_axes(bound, opened.teachers.roles["teacher"], lock_client, note)
            yield replace(opened, bound=bound, server=server, info=info, trials=trials)


@asynccontextmanager
async def open_session(
    bound: BoundRecipe,
    note: Note,
    *,
    allow_reask: bool = False,
    retry_failed: bool = False,
    command: Command = "run",
) -> AsyncIterator[Session]:
    """Open a run to ask, and verify what it has on disk.

    Only `run` asks, and writes into the folder, here. It raises WouldAskAgain where the recipe is the
    same and logged cells would be asked again all the same, unless `allow_reask`.
    """
    by = f"seedbed {command} {bound.recipe.name}"
    async with open_to_ask(bound, note, by, with_axes=command == "run") as opened:
        bound, folder = opened.bound, opened.folder
        rounds = Rounds(folder.rounds)
        rounds.verify()
        if retry_failed and folder.manifest.is_file():
            note(reopen_failed(folder, opened.log))
        manifest = Manifest.look(bound, opened.info)
        asking = asking_space(bound, opened.teachers.roles, opened.trials)
        session = Session(
            bound,
            opened.log,
            opened.server,
            opened.teachers,
            opened.budget,
            opened.spending,
            opened.info,
            opened.trials,
            rounds,
            manifest,
            asking,
        )
        if command == "run":
            await begin(session, note, allow_reask=allow_reask)
        yield session


async def run_recipe(
    bound: BoundRecipe,
    registry: Registry,
    note: Note,
    progress: Progress,
    *,
    allow_reask: bool = False,
    retry_failed: bool = False,
    proving: bool = True,
    on_start: Callable[[Pipeline], None] = lambda pipeline: None,
) -> RunResult:
    """Generate until the target is met or a reason to stop; prove and export what there is then.

    Unless `proving` the eval is opened for no student: whoever goes on from here proves in the end.

    `note` is told what a user should know on the way; `on_start` gets the pipeline, to stop it.
    `retry_failed` asks again what failed for good, `allow_reask` what other software asks otherwise.
    Raises SeedbedError before any request for whatever makes the run impossible.
    """
    async with open_session(bound, note, allow_reask=allow_reask, retry_failed=retry_failed) as session:
        bound = session.bound
        progress.spent, progress.budget = session.teachers.spent, session.budget
        progress.in_flight = session.teachers.in_flight
        async with open_filters(session, note) as pool:
            keys = await real_keys(session, pool)
            if session.manifest.change:
                await judge_first(session, pool, keys, note, allow_reask=allow_reask)
            quotas = _quotas_so_far(session)
            pipeline = pipeline_of(session, pool, keys, quotas, progress)
            on_start(pipeline)
            stopped, error = await pipeline.run()
        if session.server is not None:
            session.server.close()  # its memory is gone before that of the measures comes
        await session.log.flush()
        accounts = read_accounts(
            session.rounds,
            Ledger(session.rounds),
            session.log,
            bound.recipe.asker,
            bound.quotas.target,
            stopped,
            session.manifest.value["replies_after"],
        )
        session.manifest.record_stop(stopped)
        if stopped in ("target", "variety", "cells", "budget"):
            await _measure(session, note)
        if not proving:
            session.manifest.set_proof_of_earlier(bound.folder.proof.is_file())
        elif stopped in ("target", "variety", "cells"):
            proof = None
            try:
                proof = await prove(bound, note, by=f"seedbed run {bound.recipe.name}")
            except MixtureError as cannot:
                # The records are there and sound: that no such mix can be made is no failed run.
                note(f"no proof: {cannot}")
            # Where nothing was proven, what is on disk is of other records, another mix or student.
            session.manifest.set_proof_of_earlier(proof is None and bound.folder.proof.is_file())
        _export(bound, registry, note)
        spent = session.teachers.spent()
        note(f"{spent.calls:,} requests sent, {spent.replayed:,} answers taken from the reply log")
    return RunResult(stopped, accounts, bound.folder, error)


async def _measure(session: Session, note: Note) -> None:
    """The measures by the role `embedder`, or by the offline one where there is none to be had.

    Its requests are part of the budget; one that is reached here stops nothing but them. A rehearsal, which
    is to cost nothing, sends none.
    """
    bound, spend = session.bound, session.spending.charge_embedder
    if bound.rehearsal:
        if bound.recipe.roles.embedder is not None:
            note("measured by the offline embedder: a rehearsal asks roles.embedder nothing")
        await measure_run(bound)
        return
    try:
        async with open_embedder(bound.loaded, session.budget, spend, note) as embedder:
            await measure_run(bound, embedder)
    except (BudgetReached, EndpointError, NoAnswer) as error:
        note(f"measured by the offline embedder instead of roles.embedder: {error}")
        await measure_run(bound)


def _quotas_so_far(session: Session) -> Quotas:
    """What closed rounds have taken; fits them to the target first where that has changed."""
    bound = session.bound
    quotas = bound.quotas.copy()
    wanted = session.wanted
    if session.manifest.quotas != wanted:
        # Cleared first: whoever dies in between comes here again, whatever target it then has.
        session.manifest.set_quotas(None)
        quotas = retarget(session.rounds, quotas, bound.space.cover, bound.ranking)
        session.manifest.set_quotas(wanted)
        return quotas
    for entry in session.rounds.committed(partial=False):
        quotas.accepted += entry.measures["accepted"]
        for name in quotas.by_field:
            for value, counts in entry.measures["cover"].get(name, {}).items():
                quotas.taken[name][value] += counts["accepted"]
    return quotas


def _export(bound: BoundRecipe, registry: Registry, note: Note) -> None:
    if bound.rehearsal and bound.recipe.export:
        note("nothing exported: a rehearsal is no training data (`seedbed export --allow-rehearsal`)")
        return
    view = RunView(bound.folder)
    for name in bound.recipe.export:
        done = export_run(view, registry, name)
        note(f"exported {done.rows:,} records to {done.path}")
        for line in done.notes:
            note(line)
