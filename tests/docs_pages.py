"""What the pages of the documentation show, read as steps, and gone through as a reader would.

A page's blocks are gone through in their order, in one folder:

- `sh`: each line is typed. `console`: what stands after a `$` is typed. Lines below it are its output, in
  which `…` is any text, alone on a line any lines; without such lines only the exit code counts, 0 unless a
  comment says `# ends with N`. `export NAME=VALUE` sets a variable. What installs or serves (SKIPPED) is left
  out.
- `yaml`: a fragment is laid over the recipe of `tickets`, which the loader must then take. One that says the
  kind of its task stands alone: its recipe is that of nothing else. Files that a fragment's sources name and
  that no page has shown are made, empty: they are the reader's own.
- `python` is run; the blocks of a page share their names.

A page whose first command is `seedbed init` begins with an empty folder. Any other finds `tickets` there, as
FIRST_RUN leaves the starter recipe. It is run once; where a page begins with it, what it did is laid there.
Comments steer the rest, and no reader sees them: `<!-- start: init -->` says that `tickets` is there and did
not run, `<!-- without: mix, student -->` that its recipe lacks these keys, which saves a page its proofs.
Right above a block `<!-- over: mine -->` names another recipe for the fragment, `<!-- file: PATH -->` has it
written to a file.

Addresses of endpoints are those of fake ones while a page is gone through, and the page's own in what is
printed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import runpy
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from seedbed.cli.main import main
from seedbed.filters import DEFAULT_FILTERS
from seedbed.recipe import load_recipe
from seedbed.run.registry import registry
from tests.fake_endpoint import FakeEndpoint, plausible

SKIPPED = {"git", "jupyter", "llama-server", "make", "ollama", "pip", "python", "source", "vllm"}
SHELL = {"cat", "cp", "head", "ls", "mkdir", "printf", "rm", "tail", "wc"}

FIRST_RUN = ("seedbed", "run", "tickets", "--target", "100")

_BLOCK = re.compile(
    r"(?P<comment>(?:^<!--.*?-->\n)*)^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)
_ADDRESS = re.compile(r"https?://[\w.-]+(?::\d+)?(?:/[\w.-]+)*?/v1\b")
_PROGRESS = re.compile(r"^accepted [\d,]+ of [\d,]+.*\n", re.MULTILINE)
_ANYTHING = "…"
_YAML = YAML(typ="safe", pure=True)
_YAML.sort_base_mapping_type_on_output = False  # type: ignore[assignment]


@dataclass(frozen=True)
class Block:
    """`comments` are those right above it, such as {"file": "data.csv"}."""

    line: int
    language: str
    text: str
    comments: Mapping[str, str]


@dataclass(frozen=True)
class Typed:
    """A command as a page shows it. `shown` None: the page shows no output."""

    line: int
    words: tuple[str, ...]
    ends_with: int
    shown: tuple[str, ...] | None


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for match in _BLOCK.finditer(text):
        found = re.findall(r"<!-- ([\w ]+?)(?:: (.*?))? -->", match["comment"])
        body = re.sub(rf"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
        yield Block(text.count("\n", 0, match.start("language")) + 2, match["language"], body, dict(found))


def typed(block: Block) -> list[Typed]:
    """The commands of a block; of an `sh` block every line is one."""
    if block.language == "sh":
        numbered = enumerate(block.text.splitlines(), start=block.line)
        return [Typed(number, tuple(shlex.split(line)), 0, None) for number, line in numbered if line.strip()]
    commands: list[tuple[int, list[str], list[str]]] = []
    for number, line in enumerate(block.text.splitlines(), start=block.line):
        if line.startswith("$ "):
            commands.append((number, [line[2:]], []))
        elif commands and commands[-1][1][-1].endswith("\\") and not commands[-1][2]:
            commands[-1][1].append(line)
        elif commands:
            commands[-1][2].append(line.rstrip())
    made = []
    for number, lines, shown in commands:
        text = " ".join(line.removesuffix("\\").strip() for line in lines)
        ends = re.search(r"# .*\bends with (\d+)", text)
        words = tuple(shlex.split(text, comments=True))
        made.append(Typed(number, words, int(ends[1]) if ends else 0, tuple(shown) or None))
    return made


class FirstRun:
    """The starter recipe and what FIRST_RUN made of it and printed, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._printed = folder / "printed.txt"

    def make(self) -> None:
        with contextlib.chdir(self._folder):
            typed_words(["init", "tickets"])
            code, printed = typed_words(FIRST_RUN[1:])
        assert code == 0, printed
        self._printed.write_text(printed, "utf-8")

    @property
    def made(self) -> bool:
        return self._printed.exists()

    def prepare(self, text: str, page: Iterable[Block], folder: Path) -> None:
        """Put into the folder what a reader of the page has."""
        commands = (
            command.words for block in page if block.language == "console" for command in typed(block)
        )
        first = next((words for words in commands if words[:1] == ("seedbed",)), ())
        if first[1:2] == ("init",):
            return
        new = "<!-- start: init -->" in text
        ignored = shutil.ignore_patterns("runs", ".seedbed") if new else None
        shutil.copytree(self._folder / "tickets", folder / "tickets", ignore=ignored)
        if without := re.search(r"<!-- without: (.*?) -->", text):
            file = folder / "tickets" / "recipe.yaml"
            left_out = without[1].split(", ")
            _YAML.dump({key: value for key, value in _YAML.load(file).items() if key not in left_out}, file)

    def again(self, folder: Path) -> str | None:
        """What it prints, once what it does is laid into the folder; None where another recipe is there."""
        ours, theirs = self._folder / "tickets", folder / "tickets"
        files = [path.relative_to(ours) for path in ours.rglob("*") if path.is_file()]
        asked = [path for path in files if path.parts[0] not in ("runs", ".seedbed")]
        if (theirs / "runs").exists() or any(
            not (theirs / path).is_file() or (theirs / path).read_bytes() != (ours / path).read_bytes()
            for path in asked
        ):
            return None
        for name in ("runs", ".seedbed"):
            shutil.copytree(ours / name, theirs / name)
        return self._printed.read_text("utf-8")


def typed_words(words: Sequence[str], into: Path | None = None) -> tuple[int, str]:
    """A command of `seedbed` in this process, as starting it again and again would take most of the time.

    Returns its exit code, and what it prints on both streams; `into` a file, if given, goes stdout.
    """
    printed = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    out = into.open("w", encoding="utf-8") if into else printed
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(printed):
        try:
            main(words)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    if out is not printed:
        out.close()
    raw = printed.buffer
    assert isinstance(raw, io.BytesIO)
    return code, raw.getvalue().decode()


def same(shown: tuple[str, ...], printed: str) -> bool:
    pattern = "".join(
        r"(?:.*\n)*?"
        if line.strip() == _ANYTHING
        else ".*?".join(re.escape(part) for part in line.split(_ANYTHING)) + r"\n"
        for line in shown
    )
    lines = [line.rstrip() for line in printed.rstrip().splitlines()]
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


class Servers:
    """Fake endpoints under the addresses that pages show: two of the teacher's model, one of the judge's."""

    def __init__(self) -> None:
        self._teachers = [FakeEndpoint(_teach, model="qwen3-32b") for _ in range(2)]
        self._judge = FakeEndpoint(_score, model="gpt-oss-20b")
        self._stack = contextlib.ExitStack()
        self.given: dict[str, str] = {}

    def __enter__(self) -> Servers:
        for each in (*self._teachers, self._judge):
            self._stack.enter_context(each)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _of(self, shown: str, of_judge: bool) -> str:
        if shown not in self.given:
            free = [each.url for each in self._teachers if each.url not in self.given.values()]
            self.given[shown] = self._judge.url if of_judge else (free or [self._teachers[0].url])[0]
        return self.given[shown]

    def real(self, text: str, name: str = "") -> str:
        """The text with addresses that answer. `name` is the variable that it is the value of."""
        return _ADDRESS.sub(lambda m: self._of(m[0], "judge" in (name + m[0]).lower()), text)

    def shown(self, text: str) -> str:
        for shown, real in self.given.items():
            text = text.replace(real, shown).replace(urlsplit(real).netloc, urlsplit(shown).netloc)
        return text


def _teach(body: dict[str, Any]) -> str:
    code = re.search(r"code word is (\S+)\.\n", "".join(message["content"] for message in body["messages"]))
    return code[1] if code and "response_format" not in body else plausible(body)


def _score(body: dict[str, Any]) -> str:
    dice = random.Random(body["messages"][-1]["content"])
    return json.dumps({"evidence": "It reads like a customer.", "score": dice.choice([2, 3, 4, 4, 5])})


@dataclass
class Reader:
    """Somebody who goes through a page in this folder, which is the working directory."""

    folder: Path
    servers: Servers
    first_run: FirstRun
    names: dict[str, Any] = field(default_factory=dict)

    def go_through(self, block: Block) -> None:
        """Raises AssertionError where the page says what is not so."""
        if file := block.comments.get("file"):
            (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / file).write_text(self.servers.real(block.text), "utf-8")
            if file.endswith("recipe.yaml"):
                self._loads((self.folder / file).parent)
        elif block.language == "yaml":
            self._lay_over(block)
        elif block.language == "python":
            self._run_python(block)
        elif block.language in ("console", "sh"):
            for command in typed(block):
                self._type(command)

    def _lay_over(self, block: Block) -> None:
        file = self.folder / block.comments.get("over", "tickets") / "recipe.yaml"
        shown = _YAML.load(self.servers.real(block.text))
        alone = "kind" in shown.get("task", {})
        _YAML.dump({"name": "shown", **shown} if alone else _merged(_YAML.load(file), shown), file)
        for source in shown.get("sources", {}).values():
            _stand_in(file.parent, source["path"])
        self._loads(file.parent)

    def _loads(self, recipe: Path) -> None:
        named = re.findall(r"env:(\w+)", (recipe / "recipe.yaml").read_text("utf-8"))
        there = {
            name: self.servers.real("http://somewhere/v1", name) if "URL" in name else "k" for name in named
        }
        load_recipe(recipe, registry(), (), {**there, **os.environ}, default_filters=DEFAULT_FILTERS)

    def _run_python(self, block: Block) -> None:
        file = self.folder / "block.py"
        file.write_text(self.servers.real(block.text), "utf-8")
        with contextlib.redirect_stdout(io.StringIO()):
            self.names |= runpy.run_path(str(file), self.names)
        file.unlink()

    def _type(self, command: Typed) -> None:
        words = [self.servers.real(word) for word in command.words]
        if words[0] == "export":
            for name, _, value in (word.partition("=") for word in command.words[1:]):
                os.environ[name] = self.servers.real(value, name)
            return
        if words[0] in SKIPPED:
            return
        if words[0] == "seedbed":
            code, printed = self._seedbed(words)
        else:
            assert words[0] in SHELL, f"line {command.line}: {words[0]} is not a command that pages run"
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            code, printed = done.returncode, done.stdout + done.stderr
        printed = _PROGRESS.sub("", self.servers.shown(printed))
        assert code == command.ends_with, f"line {command.line}: ended with {code}\n{printed}"
        self._compare(command, printed)

    def _compare(self, command: Typed, printed: str) -> None:
        if command.shown is not None:
            assert same(command.shown, printed), f"line {command.line}: it printed\n{printed}"

    def _seedbed(self, words: list[str]) -> tuple[int, str]:
        if tuple(words) == FIRST_RUN and (printed := self.first_run.again(self.folder)) is not None:
            return 0, printed
        if ">" in words:
            at = words.index(">")
            return typed_words(words[1:at], self.folder / words[at + 1])
        return typed_words(words[1:])


def _stand_in(folder: Path, path: str) -> None:
    """Something where a source says that its data is: a folder, a file, or one that a glob finds."""
    there = folder / path.replace("**", "some").replace("*", "some")
    if there.suffix:
        there.parent.mkdir(parents=True, exist_ok=True)
        there.touch()
    else:
        there.mkdir(parents=True, exist_ok=True)


def _merged(base: Any, over: Any) -> Any:
    """Maps key by key, as a reader writes a fragment into a recipe; the kinds of a role do not mix."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    made = dict(base)
    for key, value in over.items():
        made[key] = value if key in ("teacher", "judge", "student") else _merged(base.get(key), value)
    return made
