"""The Python API: what a notebook or script imports from `seedbed`, on the same paths as the commands."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.core.fate import Stopped
from seedbed.run.apart import run_apart
from seedbed.run.audit import Audit
from seedbed.run.audit import audit as audit_file
from seedbed.run.binding import BoundRecipe
from seedbed.run.loading import load_bound
from seedbed.run.pipeline import Pipeline
from seedbed.run.preview import Preview, preview_recipe
from seedbed.run.progress import Progress
from seedbed.run.registry import registry
from seedbed.run.session import RunResult, run_recipe
from seedbed.run.view import RunView

if TYPE_CHECKING:
    import pyarrow as pa

# What the commands print as notes goes here, at level INFO.
log = logging.getLogger("seedbed")


@dataclass(frozen=True)
class Recipe:
    """A valid recipe with its data. `set` are the overrides it was loaded with."""

    path: Path
    set: Mapping[str, Any] = field(default_factory=dict)
    _bound: BoundRecipe | None = field(default=None, repr=False, compare=False)

    @classmethod
    def load(cls, path: str | Path, set: Mapping[str, Any] | None = None) -> Recipe:  # noqa: A002
        """Read and validate a recipe's folder or file; `set` is what `--set` is to the commands.

        Raises RecipeError (or another InputError) with every problem, each at its file and line.
        """
        overrides = dict(set or {})
        shown = [f"{key}={json.dumps(value)}" for key, value in overrides.items()]
        return cls(Path(path), overrides, load_bound(Path(path), shown))

    @property
    def name(self) -> str:
        return self.bound.recipe.name

    @property
    def target(self) -> int:
        return self.bound.quotas.target

    @property
    def bound(self) -> BoundRecipe:
        if self._bound is None:
            return Recipe.load(self.path, self.set).bound
        return self._bound

    def _with(self, **overrides: Any) -> Recipe:
        changed = {key.replace("__", "."): value for key, value in overrides.items() if value is not None}
        return Recipe.load(self.path, {**self.set, **changed})


@dataclass(frozen=True)
class Run:
    """A run, read from its folder."""

    view: RunView = field(repr=False)

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """A run folder, or a recipe's folder with one run in it. Raises InputError, StoreError."""
        return cls(RunView.open(Path(path)))

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, stopped={self.stopped!r})"

    @property
    def path(self) -> Path:
        return self.view.folder.path

    @property
    def stopped(self) -> Stopped | None:
        """`target`, or why the run stopped short; None where it was killed or is at work."""
        stopped: Stopped | None = self.view.manifest["stopped"]
        return stopped

    def records(self, accepted: bool | None = True) -> pa.Table:
        """The accepted drafts as an Arrow table; False for the others, None for all of them."""
        from seedbed.run.records_table import records_table

        return records_table(self.view, self.view.task(registry()), accepted)

    def summary(self) -> dict[str, Any]:
        """What `seedbed report --json` prints."""
        from seedbed.run.summary import summarise

        return summarise(self.view)

    def report(self) -> str:
        """What `seedbed report` prints."""
        from seedbed.publish.report import render_text

        return render_text(self.summary())

    def _repr_html_(self) -> str:
        from seedbed.publish.notebook_html import run_html

        return run_html(self.summary())


def run(
    recipe: Recipe | str | Path,
    *,
    target: int | None = None,
    max_requests: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Generate, filter and prove up to the target; called again, it goes on where it stopped.

    `on_progress` gets a Progress about twice a second. An interrupt waits for what is in flight, a second
    one does not; both leave a run that goes on. Raises SeedbedError before any request for what makes the
    run impossible, and EndpointError where the endpoint failed; how else it stopped tells `stopped`.
    """
    given = recipe if isinstance(recipe, Recipe) else Recipe(Path(recipe))
    bound = given._with(generate__target=target, budget__requests=max_requests).bound
    progress = Progress(bound.quotas.target)
    stop = _Stop()

    async def work() -> RunResult:
        stop.begin()
        return await run_recipe(bound, registry(), log.info, progress, on_start=stop.on_start)

    def tell() -> None:
        if on_progress is not None:
            on_progress(replace(progress, rejected=dict(progress.rejected), falling=progress.falling.copy()))

    result = run_apart(work, interrupt=stop, every=tell)
    tell()
    if result.stopped == "endpoint" and result.error is not None:
        raise result.error
    return Run.open(result.folder.path)


def preview(recipe: Recipe | str | Path, n: int = 10) -> Preview:
    """Ask the first `n` cells of the plan; a run that follows asks none of it again.

    Raises what `run` raises, and BudgetReached or EndpointError where no cell could be asked.
    """
    bound = (recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)).bound
    stop = _Stop()

    async def work() -> Preview:
        stop.begin()
        return await preview_recipe(bound, n, log.info)

    found = run_apart(work, interrupt=stop)
    if found.error is not None and not found.cells:
        raise found.error
    return found


def audit(
    file: str | Path,
    *,
    against: str | Path | None = None,
    text: str | None = None,
    ignore_after: str | None = None,
    recipe: Recipe | str | Path | None = None,
    filters: Sequence[str] = (),
) -> Audit:
    """Check a file with the default filters or a recipe's, and for leaks of the eval file `against`.

    `filters` adds some by name (`pii`) or with options in YAML (`{language: {languages: [en]}}`).
    """
    eval_file = Path(against) if against is not None else None
    given = Recipe.load(recipe) if isinstance(recipe, str | Path) else recipe
    return audit_file(
        Path(file),
        against=eval_file,
        text=text,
        ignore_after=ignore_after,
        recipe=given.bound if given is not None else None,
        filters=filters,
    )


class _Stop:
    """Called from another thread: first drains the pipeline, then cancels what is under way."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._pipeline: Pipeline | None = None
        self._draining = False

    def begin(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()

    def on_start(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def __call__(self) -> None:
        if self._loop is None or self._task is None or self._loop.is_closed():
            return
        if self._pipeline is not None and not self._draining:
            self._draining = True
            self._loop.call_soon_threadsafe(self._pipeline.stop, "interrupted")
        else:
            self._loop.call_soon_threadsafe(self._task.cancel)
