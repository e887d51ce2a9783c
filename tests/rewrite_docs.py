"""Rewrites the pages of the documentation to what commands really print.

`python -m tests.rewrite_docs [PAGE ...]`; without PAGE it goes through all of them, as
`tests/test_docs_sessions.py` does. An output that is still right stays as it is. In another each shown line
is replaced by the real line of its shape, the `…` of a page stays where it is, and an id of the old output is
replaced in later commands of the page by the new one. What a person must mend is printed with its page and
line: lines that have no counterpart any more, and commands that end otherwise than the page says. The
sentences around a changed output are a person's in any case.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path

from seedbed.core.errors import SeedbedError
from tests.docs_pages import FirstRun, Reader, Servers, Typed, same
from tests.test_docs_sessions import PAGES, ROOT, to_go_through

_TOKEN = re.compile(r"[0-9a-f]{12,}|\d[\d,.]*|\w+|\s+|…|[^\w\s]")
_ID = re.compile(r"\b[0-9a-f]{24,32}\b")
_ID_OR_BEGINNING = re.compile(r"\b[0-9a-f]{6,32}\b")
_CUT = "…"
# Costs of an alignment. A pair costs 0 (alike) to 1, so that two lines of one shape make a pair, and two
# that have hardly anything in common do not.
_GONE, _NEW = 0.6, 0.3


def _shape(line: str) -> list[str]:
    """Its words and signs: ids and numbers count as alike."""
    numberless = re.sub(r"\d[\d,.]*", "0", _ID.sub("#", line))
    return [token for token in _TOKEN.findall(numberless) if not token.isspace()]


def _unlike(shown: str, real: str) -> float:
    if shown == real or same((shown,), real):
        return 0.0
    one, other = _shape(shown), _shape(real)
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return 1 - 0.6 * ratio - 0.4 * (one[:1] == other[:1])


def aligned(shown: Sequence[str], real: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Pairs of an index into `shown` and one into `real`, in order; None on the side that lacks the line.

    A `…` alone on its line stands in a pair without a real line, and what it covers stands in none.
    """
    wide = len(real) + 1
    cost = [[0.0] * wide for _ in range(len(shown) + 1)]
    step = [["new"] * wide for _ in range(len(shown) + 1)]
    for j in range(1, wide):
        cost[0][j] = j * _NEW
    for i, line in enumerate(shown, start=1):
        cut = line.strip() == _CUT
        for j in range(wide):
            ways = [(cost[i - 1][j] + (0 if cut else _GONE), "gone")]
            if j and cut:
                ways.append((cost[i][j - 1], "covered"))
            elif j:
                ways.append((cost[i - 1][j - 1] + _unlike(line, real[j - 1]), "pair"))
                ways.append((cost[i][j - 1] + _NEW, "new"))
            cost[i][j], step[i][j] = min(ways)
    pairs: list[tuple[int | None, int | None]] = []
    i, j = len(shown), len(real)
    while i or j:
        match step[i][j]:
            case "gone":
                i -= 1
                pairs.append((i, None))
            case "pair":
                i, j = i - 1, j - 1
                pairs.append((i, j))
            case "covered":
                j -= 1
            case _:
                j -= 1
                pairs.append((None, j))
    return pairs[::-1]


def cut_alike(shown: str, real: str) -> str:
    """The real line with the `…` of the shown one: as many words before the first and after the last."""
    if _CUT not in shown:
        return real
    if same((shown,), real):
        return shown
    head, *_, tail = shown.split(_CUT)
    tokens: list[str] = _TOKEN.findall(real)
    before, after = len(_TOKEN.findall(head)), len(_TOKEN.findall(tail))
    if before + after >= len(tokens):
        return real
    return "".join(tokens[:before]) + _CUT + "".join(tokens[len(tokens) - after :])


@dataclass
class Rewriter(Reader):
    """A reader that does not object, but keeps what the page should say: `lines` are those of the page."""

    lines: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    edits: list[tuple[int, int, list[str]]] = field(default_factory=list)
    to_mend: list[tuple[int, str]] = field(default_factory=list)

    def _type(self, command: Typed) -> None:
        words = tuple(self._with_new_ids(word) for word in command.words)
        if words != command.words:
            at = command.line - 1
            self.edits.append((at, at + 1, [self._with_new_ids(self.lines[at])]))
        try:
            super()._type(replace(command, words=words))
        except AssertionError as wrong:
            self.to_mend.append((command.line, str(wrong)))

    def _with_new_ids(self, text: str) -> str:
        def new(match: re.Match[str]) -> str:
            found = (now for old, now in self.ids.items() if old.startswith(match[0]))
            return next(found, match[0])[: len(match[0])]

        return _ID_OR_BEGINNING.sub(new, text)

    def _compare(self, command: Typed, printed: str) -> None:
        if command.shown is None or same(command.shown, printed):
            return
        start = command.line
        while self.lines[start - 1].endswith("\\"):
            start += 1
        indent = re.match(" *", self.lines[command.line - 1])
        real = [line.rstrip() for line in printed.rstrip().splitlines()]
        made: list[str] = []
        for ours, theirs in aligned(command.shown, real):
            if ours is None and theirs is not None:
                made.append(real[theirs])
            elif ours is not None and theirs is not None:
                made.append(cut_alike(command.shown[ours], real[theirs]))
                self.ids |= zip(_ID.findall(command.shown[ours]), _ID.findall(real[theirs]), strict=False)
            elif ours is not None and command.shown[ours].strip() == _CUT:
                made.append(command.shown[ours])
            elif ours is not None:
                self.to_mend.append((start + ours + 1, f"nothing like it is printed: {command.shown[ours]}"))
        inside = indent[0] if indent else ""
        new = [(inside + line).rstrip() for line in made]
        self.edits.append((start, start + len(command.shown), new))


def rewrite(page: Path, first_run: FirstRun, servers: Servers, folder: Path) -> list[tuple[int, str]]:
    """Rewrite the page; `folder` is empty, and the working directory.

    Returns the lines to mend, as they were numbered, with why.
    """
    text = page.read_text("utf-8")
    steps = to_go_through(page)
    first_run.prepare(text, steps, folder)
    rewriter = Rewriter(folder, servers, first_run, lines=text.splitlines())
    for block in steps:
        try:
            rewriter.go_through(block)
        except (AssertionError, SeedbedError) as wrong:
            rewriter.to_mend.append((block.line, str(wrong)))
    lines = list(rewriter.lines)
    for start, end, new in reversed(rewriter.edits):
        lines[start:end] = new
    if rewriter.edits:
        page.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return rewriter.to_mend


@contextlib.contextmanager
def _empty_folder() -> Iterator[Path]:
    """A new working directory; what a page exports is taken back."""
    before = dict(os.environ)
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "JUDGE_URL"):
        os.environ.pop(name, None)
    os.environ["COLUMNS"] = "100"
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield Path(folder)
    os.environ.clear()
    os.environ.update(before)


def main(pages: Sequence[Path]) -> None:
    with tempfile.TemporaryDirectory() as base:
        first_run = FirstRun(Path(base))
        with _empty_folder():
            first_run.make()
        for page in pages:
            with _empty_folder() as folder, Servers() as servers:
                to_mend = rewrite(page, first_run, servers, folder)
            for line, why in to_mend:
                print(f"{page.relative_to(ROOT)}:{line}: {why}")


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]] or [page for page in PAGES if to_go_through(page)])
