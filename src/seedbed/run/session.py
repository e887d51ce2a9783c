"""One `seedbed run`: open the folder, lock the eval, generate to the target, prove, export, account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from seedbed.core.errors import BudgetReached, EndpointError, NoAnswer
from seedbed.core.fate import Accounts, Stopped
from seedbed.core.hashing import short_id
from seedbed.core.protocols import CorpusFilter, FilterContext, RecordFilter
from seedbed.core.record import Record
from seedbed.core.registry import Registry
from seedbed.filters import FILTERS
from seedbed.prompts.sampling import RowPool
from seedbed.run.accounts import read_accounts
from seedbed.run.asked_axes import ask_axes
from seedbed.run.asking import AskingSpace, scope_of
from seedbed.run.binding import BoundRecipe
from seedbed.run.closing import retarget
from seedbed.run.content_asking import content_space
from seedbed.run.embedding import open_embedder
from seedbed.run.filtering import FilterPool, FilterSet
from seedbed.run.judging import Judging
from seedbed.run.manifest import Manifest
from seedbed.run.measuring import measure_run
from seedbed.run.pipeline import Pipeline, Progress
from seedbed.run.pricing import price_of
from seedbed.run.proof import prove
from seedbed.run.quotas import Quotas
from seedbed.run.rehearsing import eval_decoys
from seedbed.run.rendering import asking_space
from seedbed.run.roles import Teachers, bind_roles
from seedbed.run.spending import Spending, kept, open_budget, room_left
from seedbed.run.view import RunView, export_run
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.eval_lock_file import EvalLockFile
from seedbed.sources.leaks import Kind, check_before_run, leak_error, suggestion_text
from seedbed.sources.marks import text_hash
from seedbed.store.asked import AskedContents
from seedbed.store.folder import RunFolder, RunLock, workspace_log
from seedbed.store.ledger import Ledger
from seedbed.store.replies import ReplyLog
from seedbed.store.rounds import Rounds
from seedbed.store.shards import write_keys

# Texts that calibrate filters and tell the eval lock which phrases are common.
CALIBRATION_ROWS = 2000

Note = Callable[[str], None]


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
    labels = [spec.column(bound.task.label_field)] if bound.task.label_field else []
    needs = [*labels, *(spec.column(name) for name in bound.task.text_fields)]
    optional = [spec.column(name) for name in bound.task.optional_fields]
    common = [bound.compared_text(row) for row in _calibration_rows(bound)]
    with EvalLockServer.start(
        spec,
        needs=needs,
        may_be_empty=optional,
        common=common,
        own_hashes=hashes,
        decoys=eval_decoys(bound.loaded),
    ) as server:
        _refuse_leaks(bound, server, note)
        yield server


def _draft_hashes(bound: BoundRecipe) -> Iterator[bytes]:
    """Hashes of every draft of the workspace, whichever run made it."""
    for rounds in sorted(bound.folder.path.parent.glob("*/rounds")):
        ledger = Ledger(Rounds(rounds))
        for record, _ in ledger.with_fates():
            if all(name in record.fields for name in bound.compare):
                yield text_hash(bound.compared_text(record))


def _calibration_rows(bound: BoundRecipe) -> list[Record]:
    """A sample of the train rows that one more row hardly changes, in the order of their ids."""
    by_id = {row.id: row for row in bound.train}
    chosen = RowPool(sorted(by_id)).pick(CALIBRATION_ROWS, "calibration")
    return [by_id[row] for row in sorted(chosen)]


def _refuse_leaks(bound: BoundRecipe, server: EvalLockServer, note: Note) -> None:
    rows = [*bound.train, *bound.dev]
    items: list[tuple[Kind, str, str]] = [
        ("seed", row.provenance.source, bound.compared_text(row)) for row in rows
    ]
    for axis, values in bound.axes.items():
        items += [("slot", axis, value) for value in values]
    items += [("template", t.name, t.text) for t in bound.templates.values()]
    leaks = check_before_run(server.client, items)
    seeds = [text for kind, _, text in items if kind == "seed"]
    suggestion = server.client.suggest_ignore_after(seeds) if seeds else None
    if leaks:
        files = {name: str(spec.path) for name, spec in bound.real_specs.items() if spec.matches() is None}
        raise leak_error(leaks, eval_path=server.info.path, files=files, suggestion=suggestion)
    if suggestion is not None:
        note(suggestion_text(suggestion))


def build_filters(bound: BoundRecipe, server: EvalLockServer | None) -> FilterSet:
    """The recipe's filters, calibrated on the real train rows."""
    texts = [bound.task.as_text(row.fields) for row in _calibration_rows(bound)]
    context = FilterContext(
        task=bound.task,
        real_texts=texts or None,
        eval_lock=server.client if server else None,
        compare=bound.compare,
        real=bound.train,
        prompts=(
            *(template.text for template in bound.templates.values()),
            bound.task_variables["description"],
        ),
    )
    record: list[RecordFilter] = []
    corpus: list[CorpusFilter] = []
    for entry in bound.recipe.filters:
        kind = FILTERS.get(entry.name)
        if kind.kind == "record":
            record.append(kind.build(entry.options, context))
        elif kind.kind == "corpus":
            corpus.append(kind.build(entry.options, context))
    return FilterSet(tuple(record), tuple(corpus), bound.ranking)


@dataclass(frozen=True)
class Session:
    """An open run: its folder is locked, its log open, its eval behind its own process."""

    bound: BoundRecipe
    rounds: Rounds
    log: ReplyLog
    manifest: Manifest
    server: EvalLockServer | None
    teachers: Teachers
    asking: AskingSpace

    @property
    def folder(self) -> RunFolder:
        return self.bound.folder


@asynccontextmanager
async def open_session(bound: BoundRecipe, note: Note) -> AsyncIterator[Session]:
    """Lock the folder and the eval, bind the roles, ask for axis values, verify what is on disk."""
    with ExitStack() as stack:
        folder = bound.folder
        # Leaks are refused before a folder is made, so that a refused run leaves nothing behind.
        known = folder.path.is_dir()
        if known:
            stack.enter_context(RunLock(folder))
        server = stack.enter_context(locked_eval(bound, note, f"seedbed run {bound.recipe.name}"))
        folder.create()
        if not known:
            stack.enter_context(RunLock(folder))
        info = server.info if server else None
        if info is not None:
            first = not folder.eval_lock.exists()
            lock = EvalLockFile.create_or_verify(folder.eval_lock, info)
            if first:
                lock.record_opening("check", f"seedbed run {bound.recipe.name}")
        log = stack.enter_context(ReplyLog.open(workspace_log(bound.loaded.folder)))
        spending, prices = (
            Spending.read(folder),
            [price_of(role) for role in bound.recipe.roles.bound.values()],
        )
        budget = open_budget(bound.recipe, folder, log, spending, prices, note)
        async with AsyncExitStack() as later:
            teachers = bind_roles(bound.loaded, log, budget, note)
            await later.enter_async_context(kept(spending, budget, teachers.replayed))
            later.push_async_callback(teachers.close)
            bound = await ask_axes(bound, teachers.roles["teacher"], server.client if server else None, note)
            manifest = Manifest.open(bound, info, log, note)
            manifest.snapshot(bound)
            rounds = Rounds(folder.rounds)
            rounds.verify()
            asking = asking_space(bound, teachers.roles)
            yield Session(bound, rounds, log, manifest, server, teachers, asking)


async def run_recipe(
    bound: BoundRecipe,
    registry: Registry,
    note: Note,
    progress: Progress,
    *,
    on_start: Callable[[Pipeline], None] = lambda pipeline: None,
) -> RunResult:
    """Generate until the target is met or a reason to stop; prove and export what there is then.

    `note` is told what a user should know on the way; `on_start` gets the pipeline, to stop it.
    Raises SeedbedError before any request for whatever makes the run impossible.
    """
    async with open_session(bound, note) as session:
        bound = session.bound
        filters = build_filters(bound, session.server)
        async with FilterPool(filters) as pool:
            real_keys = await _real_keys(session, filters, pool)
            quotas = _quotas_so_far(session)
            pipeline = Pipeline(
                space=bound.space,
                asking=session.asking,
                methods=bound.methods,
                filters=filters,
                pool=pool,
                rounds=session.rounds,
                quotas=quotas,
                real_keys=real_keys,
                kin={row.id: row for row in (*bound.train, *bound.dev)},
                round_cells=bound.recipe.generate.round,
                width=session.teachers.width,
                progress=progress,
                opens=lambda cells: session.log.look_ahead(
                    scope_of(bound.recipe.name, cell.id) for cell in cells
                ),
                room=room_left(bound.recipe, bound.folder, session.log.path),
                judging=_judging(session),
            )
            on_start(pipeline)
            stopped, error = await pipeline.run()
        await session.log.flush()
        accounts = read_accounts(
            session.rounds,
            session.rounds.committed(),
            session.log,
            bound.recipe.name,
            bound.quotas.target,
            stopped,
            session.manifest.value["replies_after"],
        )
        session.manifest.record_stop(stopped)
        if stopped in ("target", "variety", "cells", "budget"):
            await _measure(bound, note)
        if stopped in ("target", "variety", "cells"):
            await prove(bound, note)
        _export(bound, registry, note)
        spent = session.teachers.spent()
        note(f"{spent.calls:,} requests sent, {spent.replayed:,} answers taken from the reply log")
    return RunResult(stopped, accounts, bound.folder, error)


def _judging(session: Session) -> Judging | None:
    """The model filters of the recipe with what they ask through, if there are any."""
    bound = session.bound
    if not bound.model_filters:
        return None
    space = content_space(bound.task_variables, bound.labels, bound.task.fields, session.teachers.roles)
    width = max(session.teachers.most(each.role) for each in bound.model_filters)
    asked = AskedContents(bound.folder.asked_contents)
    return Judging(bound.model_filters, space, session.log, asked, width)


async def _measure(bound: BoundRecipe, note: Note) -> None:
    """The measures by the role `embedder`, or by the offline one where there is none to be had."""
    try:
        async with open_embedder(bound.loaded, note) as embedder:
            await measure_run(bound, embedder)
    except (EndpointError, NoAnswer) as error:
        note(f"measured by the offline embedder instead of roles.embedder: {error}")
        await measure_run(bound)


def _quotas_so_far(session: Session) -> Quotas:
    """What closed rounds have taken; fits them to the target first where that has changed."""
    bound = session.bound
    quotas = bound.quotas.copy()
    wanted = short_id("quotas", [quotas.target, {k: dict(v) for k, v in quotas.by_field.items()}])
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


async def _real_keys(session: Session, filters: FilterSet, pool: FilterPool) -> list[Path]:
    """Corpus keys of the real rows, computed once for these rows and filters."""
    bound = session.bound
    rows = [*bound.train, *bound.dev]
    if not rows or not filters.corpus:
        return []
    versions = [[f.name, f.version] for f in filters.corpus]
    signature = bound.signature()
    name = short_id("real keys", [versions, signature["real data"], signature["filters"]])
    path = session.folder.real / f"keys-{name}.parquet"
    if not path.is_file():
        for stale in session.folder.real.glob("keys-*.parquet"):
            stale.unlink()
        keys = [
            (filter_name, row.id, numbers)
            for row, found in zip(rows, await pool.keys(rows), strict=True)
            for filter_name, numbers in found.items()
        ]
        temporary = path.with_suffix(".tmp")
        await asyncio.to_thread(write_keys, temporary, keys)
        temporary.replace(path)
    return [path]


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
