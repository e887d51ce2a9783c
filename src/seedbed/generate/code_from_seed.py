"""`code_from_seed`: a few lines of real code inspire a problem, its solutions and tests of them.

OSS-Instruct (Wei et al. 2023, arXiv 2312.02120): real code gives variety that a teacher asked for "a problem"
does not have. There may be several solutions to a problem, as in SelfCodeAlign (Wei et al. 2024, arXiv
2410.24032). Tests are asked for from the problem alone, so that they are not made to fit a solution's
mistakes. What can be seen without running is checked. With `verify: tests` every solution is run against
every test in a sandbox, the solution is the one that most agree on (see `verify.consensus`), and its tests
are those that it passes; without, nothing is run, and the record says so: `unverified`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, Field

from seedbed.core.chat import Pen
from seedbed.core.protocols import Asking, Draft, SourceKind, Task
from seedbed.core.record import Rejection, Unreadable
from seedbed.generate.method import MethodOptions
from seedbed.generate.steps import Kind, SteppedMethod, Steps, read_object, schema_of
from seedbed.text.normalise import tokens
from seedbed.text.similarity import longest_shared_run
from seedbed.verify.consensus import by_consensus
from seedbed.verify.programs import is_python, parsed

_FENCED = re.compile(r"\A\s*```\w*[ \t]*\n(?P<code>.*?)\n?```\s*\Z", re.DOTALL)

_SOLUTION: Mapping[str, Kind] = {"solution": "text"}

# Shares of a rehearsal's solutions and tests with a fault of their kind.
_BROKEN, _COPIED, _WRONG, _IDLE = 0.15, 0.1, 0.1, 0.02
_SUMS = ("sum({} * value for value in values)", "{} * sum(values)", "sum(values) * {}")


class CodeFromSeed(SteppedMethod):
    """One problem from one seed; of its solutions the first that can be used, or the best by consensus."""

    name: ClassVar[str] = "code_from_seed"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "problem": ("seed",),
        "solution": ("problem", "entry_point"),
        "tests": ("problem", "entry_point", "count"),
    }
    tasks: ClassVar[Sequence[str]] = ("code",)
    source_kinds: ClassVar[Sequence[SourceKind]] = ("documents",)

    class Options(MethodOptions):
        source: str | None = Field(
            None,
            validation_alias=AliasChoices("source", "sources"),
            description="source of the real code, `chunk: {lines: 15}` (default: the only documents)",
        )
        tests: int = Field(8, ge=1, le=50, description="tests asked for, where the task has tests")
        solutions: int = Field(
            1, ge=1, le=16, description="solutions asked for in one question, of which one is taken"
        )
        verify: Literal["tests", "parses"] = Field(
            "parses",
            description="`tests`: solutions are run against the tests in a sandbox, and the one that most of "
            "both agree on is taken, with the tests that it passes; `parses`: nothing is run",
        )
        temperature: float = Field(0.7, ge=0, le=2, description="at which several solutions are sampled")
        shared: int = Field(
            24, ge=8, description="words in a row that a text may share with its seed before it is a copy"
        )

    def runs_programs(self) -> bool:
        return bool(self.options.verify == "tests")

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        if not self.runs_programs():
            return []
        if not _is_python(task):
            return [(("verify",), f"only Python is run, and the task is in {task.prompt_values['language']}")]
        if not task.optional_fields:
            return [(("verify",), "the task has no field for tests; give it one, or write verify: parses")]
        return []

    def requests(self) -> tuple[int, int]:
        """Where the task has no tests none are asked for."""
        return 2, 3

    async def drafts(self, steps: Steps) -> list[Draft]:
        ctx, options = steps.ctx, self.options
        assert ctx.source is not None, "`source_kinds` asks for it"
        seed = ctx.source.fields
        prompt, solution, *tests = ctx.task.fields
        asked = await steps.object(
            "problem",
            fields={"problem": "text", "entry_point": "text"},
            seed=seed,
            sketch=lambda pen: {"problem": pen.text(prompt), "entry_point": f"f{pen.rng.randrange(10**6)}"},
        )
        look = _Look(
            asked["entry_point"].removesuffix("()"), seed["text"], options.shared, _is_python(ctx.task)
        )
        solutions = await self._solutions(steps, asked["problem"], look)
        faults = [look.fault(text) or look.copies(asked["problem"], text) for text in solutions]
        usable = [text for text, fault in zip(solutions, faults, strict=True) if fault is None]
        fields = {prompt: asked["problem"], solution: usable[0] if usable else solutions[0]}
        notes: dict[str, Any] = {
            **({} if self.runs_programs() else {"unverified": "nothing was run"}),
            "entry_point": look.entry_point,
            "solutions": {"asked": options.solutions, "usable": len(usable)},
            "seed": seed["document"],
        }
        if not usable:
            return [steps.draft(fields, notes=notes, rejected=faults[0])]
        if not tests:
            return [steps.draft(fields, notes=notes)]
        written = await steps.object(
            "tests",
            fields={"tests": "texts"},
            problem=asked["problem"],
            entry_point=look.entry_point,
            count=options.tests,
            sketch=lambda pen: {"tests": [_some_test(pen, look.entry_point) for _ in range(options.tests)]},
        )
        code = [_unfenced(test) for test in written["tests"]]
        fields[tests[0]] = "\n".join(code)
        notes["tests"] = len(code)
        fault = next(filter(None, map(look.fault_of_test, code)), None) or look.copies(*code)
        if fault is None and self.runs_programs():
            best, passed = await _agreed(ctx, usable, code)
            fields |= {solution: usable[best], tests[0]: "\n".join(code[at] for at in passed)}
            notes["tests"] = {"written": len(code), "passed": len(passed)}
            fault = None if passed else Rejection("passes_no_test", {"solutions": len(usable)})
        return [steps.draft(fields, notes=notes, rejected=fault)]

    async def _solutions(self, steps: Steps, problem: str, look: _Look) -> list[str]:
        """The different programs that can be read. Raises Useless where there is none."""
        options = self.options
        replies = await steps.several(
            "solution",
            options.solutions,
            temperature=options.temperature if options.solutions > 1 else None,
            schema=schema_of(tuple(_SOLUTION.items())),
            problem=problem,
            entry_point=look.entry_point,
            sketch=lambda pen: {"solution": _some_program(pen, look)},
        )
        read = [read_object(reply, _SOLUTION) for reply in replies]
        found = [_unfenced(each["solution"]) for each in read if not isinstance(each, Unreadable)]
        if not found:
            raise steps.useless(next(each for each in read if isinstance(each, Unreadable)))
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Look:
    """What can be seen of code without running it, of Python by its syntax tree."""

    entry_point: str
    seed: str
    shared: int
    is_python: bool

    def fault(self, solution: str) -> Rejection | None:
        """Why a solution is none."""
        if not self.is_python:
            return None
        tree = parsed(solution)
        if isinstance(tree, str):
            return Rejection("does_not_parse", {"code": "solution", "error": tree})
        if self.entry_point not in _defined(tree):
            return Rejection("lacks_entry_point", {"entry_point": self.entry_point})
        return None

    def fault_of_test(self, test: str) -> Rejection | None:
        if not self.is_python:
            return None
        tree = parsed(test)
        if isinstance(tree, str):
            return Rejection("does_not_parse", {"code": "tests", "error": tree, "test": test})
        if self.entry_point not in _called(tree):
            return Rejection("tests_do_not_call", {"entry_point": self.entry_point, "test": test})
        return None

    def copies(self, *texts: str) -> Rejection | None:
        """Whether a text has more of the seed in one piece than an idea."""
        seed = tokens(self.seed)
        run = max(longest_shared_run(seed, tokens(text)) for text in texts)
        return Rejection("copies_seed", {"words": run}, run) if run > self.shared else None


async def _agreed(ctx: Asking, programs: Sequence[str], tests: Sequence[str]) -> tuple[int, list[int]]:
    """The program that most of programs and tests agree on, and the tests that it passes."""
    passed = [
        [at for at, held in enumerate(await ctx.passes(program, tests)) if held] for program in programs
    ]
    best = by_consensus(passed)[0]
    return best, passed[best]


def _is_python(task: Task) -> bool:
    return is_python(task.prompt_values["language"])


def _unfenced(code: str) -> str:
    fenced = _FENCED.match(code)
    return (fenced["code"] if fenced else code).strip("\n")


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module has at its top level."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _called(tree: ast.Module) -> set[str]:
    """Names that are called, or handed to what calls them, as to `raises`."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [node for call in calls for node in (call.func, *call.args)]
    return {node.id for node in named if isinstance(node, ast.Name)} | {
        node.attr for node in named if isinstance(node, ast.Attribute)
    }


def _some_program(pen: Pen, look: _Look) -> str:
    """A sum with a factor, at times a wrong one, cut off, or with the whole seed in it."""
    fault, factor = pen.rng.random(), _factor(look.entry_point)
    wrong = _BROKEN + _COPIED <= fault < _BROKEN + _COPIED + _WRONG
    result = pen.rng.choice(_SUMS).format(factor + wrong)
    program = f"def {look.entry_point}(values):\n    return {result}"
    if fault < _BROKEN:
        return program[: len(program) // 2]
    return f'{program}\n\n"""\n{look.seed}\n"""' if fault < _BROKEN + _COPIED else program


def _some_test(pen: Pen, entry_point: str) -> str:
    called = "sum" if pen.rng.random() < _IDLE else entry_point
    values = [pen.rng.randrange(1, 100), pen.rng.randrange(100)]
    return f"assert {called}({values}) == {_factor(entry_point) * sum(values)}"


def _factor(entry_point: str) -> int:
    """What solutions and tests of one problem agree on, though neither has seen the other."""
    return 2 + len(entry_point) + sum(map(ord, entry_point))
