"""`docs/evidence.md` and its charts: one section a demonstration, each rewritten when that one is run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import REPOSITORIES, commit
from benchmarks.evidence.demonstration import Demonstration, Figures
from benchmarks.evidence.expected import Expected
from benchmarks.evidence.plot import Plot

_HEAD = """\
# Evidence

Written by `make evidence`, which runs the demonstrations on public data, holds their figures against
`benchmarks/evidence/expected.toml` and prints one JSON line for each. `make evidence D=D1` runs one and
rewrites its section, `PART=banking77` beside it one part, whose figures it only prints; `BREAK=1` disables
the part under proof, and the demonstration must then fail; `FULL=1` runs the long form. Nothing is tuned to
these sets, and no row of them is in this repository.
"""
_SECTION = re.compile(r"^## (?P<id>\S+): ", re.MULTILINE)


def write_section(path: Path, text: str, order: Sequence[str]) -> None:
    """Put one demonstration's section in its place; the sections of the others stay as they are."""
    sections = _sections(path.read_text(encoding="utf-8")) if path.is_file() else {}
    sections |= _sections(text)
    known = [sections[name] for name in order if name in sections]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([_HEAD, *known]), encoding="utf-8")


def write_plots(path: Path, plots: Sequence[Plot]) -> None:
    """Put charts in the folder that is called as the document."""
    for plot in plots:
        file = path.with_suffix("") / f"{plot.name}.svg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(plot.svg, encoding="utf-8")


def _sections(text: str) -> dict[str, str]:
    starts = list(_SECTION.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {
        match["id"]: text[match.start() : end].rstrip() + "\n"
        for match, end in zip(starts, ends, strict=True)
    }


def section(
    demonstration: Demonstration, figures: Figures, expected: Expected, missed: Sequence[str], *, full: bool
) -> str:
    """What was shown, on which data, the figures with what was expected of them, and the command."""
    command = f"make evidence D={demonstration.id}" + (" FULL=1" if full else "")
    outcome = f"It does not hold: {'; '.join(missed)}." if missed else "It holds."
    lines = [
        f"## {demonstration.id}: {demonstration.title}",
        "",
        demonstration.shows,
        "",
        f"{outcome} Command: `{command}`. With `BREAK=1`: {demonstration.broken}.",
        "",
        "Data: "
        + "; ".join(f"{REPOSITORIES[name]} at `{commit(name)}`" for name in demonstration.sets)
        + ".",
        "",
        *(
            line
            for plot in demonstration.plots(figures)
            for line in (f"![{plot.alt}](evidence/{plot.name}.svg)", "")
        ),
        "| figure | measured | expected |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | {_shown(value)} | {_wanted(expected.get(name, {}))} |"
        for name, value in _leaves(figures)
    ]
    return "\n".join(lines) + "\n"


def _leaves(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value)
    return text.replace("|", "\\|")


def _wanted(conditions: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_bound(name, bound)}" for name, bound in conditions.items())


def _bound(condition: str, bound: Any) -> str:
    if condition == "within":
        return f"{bound[1]} of {bound[0]}"
    return _shown(bound) if bound else json.dumps(bound)
