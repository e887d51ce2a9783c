"""What a demonstration is: a measurement, the sets it reads, and how the part under proof is disabled."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.evidence.plot import Plot

# Plain JSON: what was measured, in nested maps whose leaves `expected.toml` names with dots.
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how a demonstration is measured.

    `folder` is its own to write in. `broken` disables the part under proof, so that the
    demonstration must fail. `full` asks for the long form, whose finished steps are found again
    in the same folder. `part` names the only part that is measured, where a demonstration has parts.
    """

    folder: Path
    broken: bool = False
    full: bool = False
    part: str | None = None

    def steps(self, measures: Mapping[str, Callable[[Path], dict[str, Any]]]) -> dict[str, Any]:
        """The figures of each part by its name, a step each: of all, or of `part` alone."""
        return {
            name: self.step(name, measure) for name, measure in measures.items() if self.part in (None, name)
        }

    def step(self, name: str, measure: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
        """The figures of one step, measured in an empty folder of its own; in the long form only once.

        Only the figures stay. A step that was interrupted is measured again from its beginning.
        """
        folder, result = self.folder / name, self.folder / f"{name}.json"
        if self.full and result.is_file():
            known: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
            return known
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        figures = measure(folder)
        shutil.rmtree(folder)
        temporary = result.with_suffix(".tmp")
        temporary.write_text(json.dumps(figures), encoding="utf-8")
        temporary.replace(result)
        return figures


def _no_plots(figures: Figures) -> Sequence[Plot]:
    return ()


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One claim about the product, and the code that puts it to the test.

    `shows` is a sentence for readers of the document, `broken` says what BREAK=1 takes away. Each of the
    `parts` can be measured alone; its figures and their bounds have its name in front. `plots` are drawn from
    the figures.
    """

    id: str
    title: str
    shows: str
    broken: str
    sets: tuple[str, ...]
    measure: Callable[[Setting], Figures]
    parts: tuple[str, ...] = ()
    plots: Callable[[Figures], Sequence[Plot]] = _no_plots
