"""The measures of a run's accepted records, or of any texts, beside the real train rows."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from seedbed.core.child_process import end_child
from seedbed.core.field_text import as_string
from seedbed.core.hashing import short_id
from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.metrics import METRICS
from seedbed.metrics.axes import axis_coverage
from seedbed.metrics.protocol import Embedder, Vectors
from seedbed.metrics.sample import FEWEST, POOL, SAMPLE, Pool, Sample, draw_sample
from seedbed.sources.sealed import answer_of, start_sealed
from seedbed.store.atomic import file_hash, read_json, write_json
from seedbed.store.folder import RunFolder
from seedbed.store.ledger import Ledger
from seedbed.store.rounds import Rounds
from seedbed.tasks.fields import text_of
from seedbed.text.lexical import NAME as LEXICAL
from seedbed.text.lexical import VERSION as LEXICAL_VERSION

if TYPE_CHECKING:
    from seedbed.run.binding import BoundRecipe


@dataclass
class Gathered:
    """One side as it comes by: a bounded pool of its texts, and how often each axis has each value."""

    pool: Pool
    counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, identity: str, text: str, values: Mapping[str, str]) -> None:
        self.pool.add(identity, text)
        for axis, value in values.items():
            self.counts[axis][value] += 1


async def measure_run(bound: BoundRecipe, embedder: Embedder | None = None) -> dict[str, Any]:
    """Measure the accepted records and keep the figures in the run folder.

    What is there already stays, where records, real rows, measures and embedder are the same.
    """
    folder = bound.folder
    rounds, key = _rounds_key(folder), _key(bound, embedder)
    if folder.measures.is_file() and (known := read_json(folder.measures)).get("key") == key:
        result: dict[str, Any] = known["measures"]
        return result
    seed, asked = bound.recipe.generate.seed, _asked(bound)
    generated = await asyncio.to_thread(_accepted, bound, asked, seed)
    real = real_side(bound.task, bound.train, asked, seed)
    loop = asyncio.get_running_loop()

    def embed(texts: list[str]) -> Vectors:
        assert embedder is not None
        return asyncio.run_coroutine_threadsafe(embedder.embed(texts), loop).result()

    result = await asyncio.to_thread(
        measure_sides,
        generated,
        real,
        asked,
        folder.measures,
        seed=seed,
        embedder=(embedder.name, embed) if embedder is not None else None,
    )
    write_json(folder.measures, {"key": key, "rounds": rounds, "measures": result})
    return result


def read_measures(folder: RunFolder) -> dict[str, Any] | None:
    """The figures, if they are those of the records that there are now."""
    if not folder.measures.is_file():
        return None
    known = read_json(folder.measures)
    if known.get("rounds") != _rounds_key(folder):
        return None
    measures: dict[str, Any] = known["measures"]
    return measures


def _rounds_key(folder: RunFolder) -> str:
    """Hash of the commit files, which hold the hashes of every file of their rounds."""
    return short_id("measured rounds", [[p.name, file_hash(p)] for p in sorted(folder.rounds.glob("*.json"))])


def _key(bound: BoundRecipe, embedder: Embedder | None) -> str:
    signature = bound.signature()
    made_by = [embedder.name] if embedder is not None else [LEXICAL, LEXICAL_VERSION]
    measures = [[name, METRICS.get(name).version] for name in METRICS]
    asked = {axis: list(values) for axis, values in _asked(bound).items()}
    return short_id(
        "measures",
        [
            _rounds_key(bound.folder),
            [signature["task"], signature["real data"]],
            [asked, bound.recipe.generate.seed],
            [measures, made_by, POOL, SAMPLE],
        ],
    )


def _asked(bound: BoundRecipe) -> dict[str, Sequence[str]]:
    label = {bound.task.label_field: bound.labels} if bound.task.label_field else {}
    return {**label, **bound.axes}


def _accepted(bound: BoundRecipe, asked: Mapping[str, Sequence[str]], seed: int) -> Gathered:
    side = Gathered(Pool(seed=seed))
    for record, fields, slots in Ledger(Rounds(bound.folder.rounds)).accepted_fields():
        values = {axis: slots[axis] for axis in asked if axis in slots}
        side.add(record, bound.task.as_text(fields), values)
    return side


def real_side(task: Task, rows: Iterable[Record], asked: Iterable[str], seed: int) -> Gathered:
    """Real rows, which have a value on an axis where the axis is one of their fields."""
    side = Gathered(Pool(seed=seed))
    axes = [axis for axis in asked if axis in task.fields]
    for row in rows:
        side.add(
            row.id, task.as_text(row.fields), {axis: as_string(row.fields.get(axis, "")) for axis in axes}
        )
    return side


class FileMeasures:
    """Takes up the rows of a file one by one, and measures them, with a recipe beside its real train rows.

    Where the file has all text fields of the recipe's task, those are compared; else the column, with
    the task's first text field.
    """

    def __init__(self, file: Path, column: str, columns: Collection[str], recipe: BoundRecipe | None) -> None:
        self._file = file
        self._recipe = recipe
        self._seed = recipe.recipe.generate.seed if recipe is not None else 0
        self._rows = Gathered(Pool(seed=self._seed))
        self._column = column
        self._as_task = recipe is not None and set(columns) >= set(recipe.task.text_fields)
        self._asked = (
            {axis: values for axis, values in _asked(recipe).items() if axis in columns} if recipe else {}
        )

    def add(self, index: int, row: Mapping[str, Any]) -> None:
        text = (
            self._recipe.task.as_text(row)
            if self._recipe and self._as_task
            else text_of(row, (self._column,))
        )
        self._rows.add(str(index), text, {axis: as_string(row[axis]) for axis in self._asked})

    def figures(self) -> dict[str, Any]:
        real = Gathered(Pool(seed=self._seed))
        if self._recipe is not None and self._as_task:
            real = real_side(self._recipe.task, self._recipe.train, self._asked, self._seed)
        elif self._recipe is not None:
            for record in self._recipe.train:
                real.add(record.id, text_of(record.fields, self._recipe.task.text_fields[:1]), {})
        return measure_sides(self._rows, real, self._asked, self._file, seed=self._seed)


def measure_sides(
    generated: Gathered,
    real: Gathered,
    asked: Mapping[str, Sequence[str]],
    file: Path,
    *,
    seed: int = 0,
    embedder: tuple[str, Callable[[list[str]], Vectors]] | None = None,
) -> dict[str, Any]:
    """The plain result that reports print. `file` is what the figures are of, for an error to name.

    `embedder`: a name, and a function that gives vectors of shape (texts, dimensions).
    """
    counted = {"generated": generated.pool.count, "real": real.pool.count}
    notes, metrics, rows = [], [], 0
    few = [f"{n:,} {side} rows" for side, n in counted.items() if n < FEWEST and (n or side == "generated")]
    if few:
        notes.append(f"too few to measure: {' and '.join(few)}; a figure wants at least {FEWEST}")
    else:
        if not counted["real"]:
            notes.append("no real rows: nothing says how varied such texts are, and topics are not measured")
        sample = draw_sample(generated.pool.texts(), real.pool.texts())
        rows = len(sample.generated)
        notes += sample.notes
        metrics = _in_a_process(sample, embedder[1] if embedder else None, file, seed)
        if less := [entry["label"] for entry in metrics if entry["verdict"] == "less varied"]:
            notes.append(
                f"less varied than the real data in {len(less)} of {len(metrics)}: {', '.join(less)}"
            )
    return {
        "embedder": embedder[0] if embedder else LEXICAL,
        "rows": {**counted, "sample": rows},
        "metrics": metrics,
        "axes": axis_coverage(asked, generated.counts, real.counts),
        "notes": notes,
    }


def _of_length_1(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit


def _in_a_process(
    sample: Sample, embed: Callable[[list[str]], Vectors] | None, file: Path, seed: int
) -> list[dict[str, Any]]:
    with ExitStack() as stack:
        vectors = None
        if embed is not None:
            vectors = Path(stack.enter_context(TemporaryDirectory(prefix="seedbed-"))) / "vectors.npy"
            found = embed([*sample.generated, *sample.real])
            np.save(vectors, _of_length_1(np.asarray(found, dtype=np.float32)))
        request = {
            "generated": list(sample.generated),
            "real": list(sample.real),
            "twins": list(sample.twins),
            "vectors": str(vectors) if vectors is not None else None,
            "seed": seed,
        }
        process = start_sealed("seedbed.run.measures_process", request, numpy_alone=True)
        stack.callback(end_child, process)
        metrics: list[dict[str, Any]] = answer_of(process, file)["metrics"]
        return metrics
