"""The documentation is held to the code: links, commands, examples, and a section for every plug-in."""

from __future__ import annotations

import asyncio
import random
import re
import runpy
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import pytest

from seedbed.cli.main import COMMANDS, cli
from seedbed.core.cell import Cell
from seedbed.core.chat import ChatRequest, Choice, LoggedReply, Message, Opening, ReplyKey, Sketch
from seedbed.core.protocols import Asking, ChatModel, FilterContext, Task
from seedbed.core.record import Provenance, Record
from seedbed.filters import DEFAULT_FILTERS, FILTERS
from seedbed.generate import METHODS
from seedbed.publish import EXPORTERS
from seedbed.recipe import load_recipe
from seedbed.run.registry import registry
from seedbed.student import STUDENTS
from seedbed.tasks import TASKS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
README = ROOT / "README.md"

_FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_COUNTED = re.compile(
    r"(?<![\d.,])(\d[\d,]*) \*?(?:drafts|records|words|of them|were (?:dropped|rejected|accepted))\b"
)
_INLINE = re.compile(r"`(?P<code>[^`\n]+)`")


@dataclass(frozen=True)
class Shown:
    """Something a page shows; `str` names its place."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}: {self.text}"


def fences(*languages: str) -> Iterator[Shown]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in _FENCE.finditer(text):
            if match["language"] in languages:
                yield Shown(page, text.count("\n", 0, match.start()) + 2, match["body"])


def prose(page: Path) -> str:
    """A page without its fenced blocks, on the same lines."""
    return _FENCE.sub(lambda match: "\n" * match.group().count("\n"), page.read_text("utf-8"))


def inline(pattern: str) -> Iterator[Shown]:
    for page in PAGES:
        for number, line in enumerate(prose(page).splitlines(), start=1):
            for match in _INLINE.finditer(line):
                if re.match(pattern, match["code"]):
                    yield Shown(page, number, match["code"])


def shell_lines() -> Iterator[Shown]:
    """Commands of `sh` blocks, and of `console` blocks the lines after a `$`."""
    for block in fences("sh", "bash", "console"):
        prompted = "\n$ " in "\n" + block.text
        for offset, line in enumerate(block.text.replace("\\\n", "  ").splitlines()):
            if line.strip() and (not prompted or line.startswith("$ ")):
                yield Shown(block.page, block.line + offset, line.removeprefix("$ "))


def words(command: Shown) -> list[str]:
    return shlex.split(command.text, comments=True)


SEEDBED_INLINE = list(inline(r"seedbed [a-z]"))
MAKE_SHOWN = [*(line for line in shell_lines() if line.text.startswith("make ")), *inline(r"make [a-z]")]


def anchors(page: Path) -> set[str]:
    """Of the headings of a page, as hosts of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for match in _LINK.finditer(prose(page)):
        target = match["target"]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / unquote(path)).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert not dead


@pytest.mark.parametrize("command", SEEDBED_INLINE, ids=str)
def test_commands_mentioned_exist_with_their_options(command: Shown) -> None:
    name, *arguments = words(command)[1:]
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    if isinstance(found, click.Group) and arguments and arguments[0] in found.commands:
        found = found.commands[arguments[0]]
    options = {option for parameter in found.params for option in parameter.opts} | {"--help"}
    used = {word.strip("[]").partition("=")[0] for word in arguments if word.strip("[]").startswith("-")}
    assert used <= options


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_figure_said_of_an_output_stands_in_one(page: Path) -> None:
    """What the paragraph below an output counts, the page shows."""
    text = page.read_text("utf-8")
    consoles = [match for match in _FENCE.finditer(text) if match["language"] == "console"]
    shown = set(_NUMBER.findall("\n".join(match["body"] for match in consoles)))
    below = [text[match.end() :].lstrip("\n").partition("\n\n")[0] for match in consoles]
    assert [said for paragraph in below for said in _COUNTED.findall(paragraph) if said not in shown] == []


@pytest.mark.parametrize("command", MAKE_SHOWN, ids=str)
def test_make_targets_shown_exist(command: Shown) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = [word for word in words(command)[1:] if "=" not in word]
    assert all(re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE) for target in targets)


def test_the_readme_shows_every_command() -> None:
    table = {words(shown)[1] for shown in SEEDBED_INLINE if shown.page == README}
    assert table >= set(COMMANDS)


def test_the_readme_lists_the_exit_codes_of_the_program() -> None:
    from seedbed.cli.run import EXIT_CODES
    from seedbed.core import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.SeedbedError)}
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", prose(README), re.MULTILINE)}
    assert listed == codes | set(EXIT_CODES.values())


def test_the_recipe_of_the_readme_loads(tmp_path: Path) -> None:
    (shown,) = [block for block in fences("yaml") if block.page == README]
    (tmp_path / "recipe.yaml").write_text(shown.text, "utf-8")
    (tmp_path / "data").mkdir()
    for name in ("train", "test"):
        (tmp_path / "data" / f"{name}.csv").write_text("text,category\nhello,greeting\n", "utf-8")
    env = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    loaded = load_recipe(tmp_path, registry(), env=env, default_filters=DEFAULT_FILTERS)
    assert loaded.recipe.name == "bank-intents"


@pytest.mark.parametrize("name", METHODS.built_in)
def test_methods_have_their_page(name: str) -> None:
    text = (ROOT / "docs" / "methods" / f"{name}.md").read_text("utf-8")
    method = METHODS.get(name)
    fewest, most = method(method.Options()).requests()
    assert text.startswith(f"# {name}\n")
    assert [option for option in method.Options.model_fields if f"`{option}`" not in text] == []
    assert [step for step in method.steps if f"`{name}/{step}`" not in text] == []
    requests = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    assert re.search(rf"^\| requests \| {requests}\b", text, re.MULTILINE), f"requests: {requests}"
    assert f"(methods/{name}.md)" in (ROOT / "docs" / "methods.md").read_text("utf-8")


@pytest.mark.parametrize("name", FILTERS.built_in)
def test_filters_have_their_page(name: str) -> None:
    text = (ROOT / "docs" / "filters" / f"{name}.md").read_text("utf-8")
    options = FILTERS.get(name).Options.model_fields
    assert text.startswith(f"# {name}\n")
    assert [option for option in options if f"`{option}`" not in text] == []
    assert f"(filters/{name}.md)" in (ROOT / "docs" / "filters.md").read_text("utf-8")


def options_of(command: click.Command) -> set[str]:
    """Every option that can be typed, those of a group's commands too."""
    own = {name for each in command.params if isinstance(each, click.Option) for name in each.opts}
    if isinstance(command, click.Group):
        own = own.union(*(options_of(each) for each in command.commands.values()))
    return own


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_have_their_page_with_every_option_and_no_other(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    text = (ROOT / "docs" / "commands" / f"{name}.md").read_text("utf-8")
    rows = re.findall(r"^\| `(--?\w[\w-]*)", text, re.MULTILINE)
    assert text.startswith(f"# seedbed {name}\n")
    assert sorted(rows) == sorted(options_of(command))
    assert f"({name}.md)" in (ROOT / "docs" / "commands" / "README.md").read_text("utf-8")
    assert re.search(r"^Ends with |^\| ends with ", text, re.MULTILINE), "which exit codes it has"


def test_no_page_is_left_behind() -> None:
    """From the index every page of the documentation can be reached, and pages of what is gone are gone."""
    seen, waiting = set(), [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        targets = (unquote(match["target"]).partition("#")[0] for match in _LINK.finditer(prose(page)))
        waiting += [(page.parent / target).resolve() for target in targets if target.endswith(".md")]
    assert [page for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in seen] == []
    for folder, names in (
        ("commands", COMMANDS),
        ("filters", FILTERS.built_in),
        ("methods", METHODS.built_in),
    ):
        pages = {page.stem for page in (ROOT / "docs" / folder).glob("*.md")} - {"README"}
        assert pages == set(names)


def test_every_plugin_is_named_in_the_docs() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    tables = (FILTERS, METHODS, TASKS, STUDENTS, EXPORTERS)
    names = [name for table in tables for name in table.built_in]
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)] == []


def contributed(tmp_path: Path, heading: str) -> dict[str, Any]:
    """The names that the first example under a heading of CONTRIBUTING.md defines."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition(f"## {heading}\n")[2]
    block = next(match for match in _FENCE.finditer(text) if match["language"] == "python")
    file = tmp_path / "example.py"
    file.write_text(block["body"], "utf-8")
    return runpy.run_path(str(file))


def tickets() -> Task:
    kind = TASKS.get("classification")
    task: Task = kind.bind(kind.Options(input="text", label="kind"), ["billing", "login"])
    return task


def test_the_filter_example_works(tmp_path: Path) -> None:
    links = contributed(tmp_path, "A filter")["Links"]
    built = links.build(links.Options(most=1), FilterContext(tickets()))
    texts = ["see http://a.example", "http://a.example or https://b.example"]
    rows = [
        Record(text, {"text": text, "kind": "login"}, Provenance("generated", "tickets")) for text in texts
    ]
    kept, dropped = built.check(rows)
    assert kept is None
    assert (dropped.keep, dropped.reason) == (False, "has_links")


class FromMemory:
    """An `Asking` whose teacher gives these replies, one a choice."""

    def __init__(self, *replies: str) -> None:
        self.task = tickets()
        self.cell = Cell("several", "t", {"kind": "billing"})
        self.rng = random.Random(0)
        self.source = None
        self.examples: tuple[Record, ...] = ()
        self.slots: Mapping[str, str] = {}
        self.label = "billing"
        self.labels = ("billing", "login")
        self._replies = replies

    async def ask(
        self,
        template: str,
        *,
        role: str = "teacher",
        schema: Mapping[str, Any] | None = None,
        n: int = 1,
        temperature: float | None = None,
        history: Sequence[Message] = (),
        opening: Opening | None = None,
        sketch: Sketch | None = None,
        **variables: Any,
    ) -> tuple[LoggedReply, ...]:
        return tuple(
            LoggedReply(ReplyKey(b"request", b"scope", draw), Choice(text), "memory", "memory")
            for draw, text in enumerate(self._replies[:n])
        )

    async def passes(self, program: str, suites: Sequence[str]) -> Sequence[bool]:
        raise NotImplementedError


def test_the_method_example_works(tmp_path: Path) -> None:
    several = contributed(tmp_path, "A method")["Several"]
    method = several(several.Options(n=2))
    asking: Asking = FromMemory('{"text": "I was charged twice"}', "no JSON", "not asked for")
    drafts = asyncio.run(method(Cell("several", "t", {"kind": "billing"}), asking))
    assert [dict(draft.fields) for draft in drafts] == [
        {"text": "I was charged twice", "kind": "billing"},
        {},
    ]
    assert drafts[1].unreadable is not None


def test_the_teacher_example_works(tmp_path: Path) -> None:
    teacher = contributed(tmp_path, "A teacher")["Echo"]()
    assert isinstance(teacher, ChatModel)
    request = ChatRequest("echo", (Message("user", "hello"),), n=2)
    reply = asyncio.run(teacher.complete(request))
    assert [choice.text for choice in reply.choices] == ["hello", "hello"]
