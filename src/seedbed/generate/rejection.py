"""`rejection`: several solutions of a question, of which those that a verifier passes are kept, one a path.

Rejection sampling fine-tuning (Yuan et al. 2023, RFT, arXiv 2308.01825): what a student learns from is how
many different ways of reasoning it sees. So solutions are told apart by their path, the equations that they
state or the syntax tree of a program, and not by their words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, TypeAlias

from pydantic import Field

from seedbed.core.chat import Pen
from seedbed.core.errors import InputError, Problem
from seedbed.core.field_text import as_string
from seedbed.core.protocols import Draft, SourceKind, Task
from seedbed.core.record import Rejection
from seedbed.generate.method import MethodOptions
from seedbed.generate.prompting import in_order
from seedbed.generate.sampling import SamplingMethod, question_of, refuse_without
from seedbed.generate.steps import Steps
from seedbed.verify.answers import answer_key
from seedbed.verify.mathematics import compare, final_answer, stated_equations
from seedbed.verify.programs import is_python, syntax_tree

# What tells two ways of solving apart: equations in their order, or one syntax tree. Empty: no program.
WayOfSolving: TypeAlias = tuple[str, ...]

_FENCED = re.compile(r"```[^\n]*\n(.*?)\n?```", re.DOTALL)
# So many of a rehearsal's solutions have an answer, a step or a bracket that is wrong.
_WRONG = 0.2


class RejectionSampling(SamplingMethod):
    """Samples solutions of a source's questions; a draft for each solution, kept or turned down."""

    name: ClassVar[str] = "rejection"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {"solve": ("asked", "form", "answered")}
    tasks: ClassVar[Sequence[str]] = ("math", "code")
    source_kinds: ClassVar[Sequence[SourceKind]] = ("real", "unlabelled")
    source_once: ClassVar[bool] = True

    class Options(MethodOptions):
        source: str | None = Field(
            None,
            description="source of the questions (default: all real rows, or the only unlabelled source)",
        )
        verify: Literal["answer", "equations", "tests", "parses"] = Field(
            "answer",
            description="`answer`: it is the row's, and no stated equation is wrong; `equations`: some are "
            "stated and all hold; `tests`: a Python program passes the row's tests, run in a sandbox; "
            "`parses`: it is one, and nothing is said of what it does",
        )
        samples: int = Field(8, ge=2, le=128, description="solutions of each question, in one request")
        temperature: float = Field(0.7, ge=0, le=2, description="at which they are sampled")

    def runs_programs(self) -> bool:
        return bool(self.options.verify == "tests")

    def examples(self) -> int:
        """Solutions are sampled without any to imitate: they are wanted along many paths."""
        return 0

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        verify = self.options.verify
        if task.kind == "code":
            if verify not in ("tests", "parses"):
                return [(("verify",), "a program has no answer; write verify: tests, or verify: parses")]
            language = task.prompt_values["language"]
            if not is_python(language):
                return [(("verify",), f"only Python can be run and parsed, and the task is in {language}")]
            if verify == "tests" and not task.optional_fields:
                return [
                    (("verify",), "the task has no field for tests; give it one, or write verify: parses")
                ]
        elif verify in ("tests", "parses"):
            return [(("verify",), "a solution is no program; write verify: answer, or verify: equations")]
        elif len(task.fields) < 3:
            return [((), "the task has no field for solutions, which are what is sampled; give it one")]
        return []

    async def drafts(self, steps: Steps) -> list[Draft]:
        task, item = steps.ctx.task, steps.ctx.source
        assert item is not None, "`source_kinds` asks for it"
        solution, last = task.fields[1], task.fields[-1]
        # Tests of a program are the row's: what is sampled is the solution alone.
        refuse_without(item, [name for name in task.optional_fields if name != solution])
        known = {name: value for name, value in item.fields.items() if name != solution}
        by_row = self.options.verify in ("answer", "tests")
        right = as_string(known.get(last, "")) if by_row else ""
        if by_row and not right:
            other = "equations" if self.options.verify == "answer" else "parses"
            message = (
                f"the rows have no {last} to verify by; name a source that has, or write verify: {other}"
            )
            raise InputError([Problem(message, key="generate.methods.rejection")])
        answers, useless = await self.sampled(
            steps,
            "solve",
            self.form(task, tuple(known)),
            question_of(task, item),
            lambda pen: _some_program(pen) if task.kind == "code" else _some_solution(pen, right),
        )
        drafts = [Draft({}, (reply,), unreadable=why) for reply, why in useless]
        ways = {_way(task, as_string(item.fields[solution])): "the row"} if solution in item.fields else {}
        for answer in answers:
            way = _way(task, answer.text)
            rejected = self._verdict(answer.text, way, right)
            if rejected is None and self.options.verify == "tests":
                (passed,) = await steps.ctx.passes(_program(answer.text), [right])
                rejected = None if passed else Rejection("fails_tests")
            if rejected is None and way in ways:
                rejected = Rejection("same_path", {"as": ways[way]})
            elif rejected is None:
                ways[way] = f"draw {answer.reply.key.draw}"
            read = {solution: _program(answer.text)} if task.kind == "code" else answer.fields
            drafts.append(
                steps.draft(
                    in_order(task, {**known, **read}),
                    notes={"verified": self.options.verify},
                    rejected=rejected,
                    replies=(answer.reply,),
                )
            )
        return drafts

    def _verdict(self, text: str, way: WayOfSolving, right: str) -> Rejection | None:
        """Why the verifier does not pass a solution; None where it does."""
        if self.options.verify in ("tests", "parses"):
            return None if way else Rejection("does_not_parse")
        found = final_answer(text) or ""
        if right and (result := compare(found, right)) != "equal":
            reason = "wrong_answer" if result == "different" else "undecided_answer"
            return Rejection(reason, {"answer": found, "right": right})
        equations = stated_equations(text)
        # By a known answer what may be true is; where the equations are all there is they must hold.
        if wrong := [e.text for e in equations if e.result == "different" or not (right or e.holds)]:
            return Rejection("wrong_equation", {"equations": wrong})
        return None if equations or right else Rejection("no_equation")


def _way(task: Task, text: str) -> WayOfSolving:
    """The syntax tree of a program, or the equations stated, or where there are none the words."""
    if task.kind == "code":
        tree = syntax_tree(_program(text))
        return (tree,) if tree is not None else ()
    return tuple(equation.form for equation in stated_equations(text)) or (answer_key(text),)


def _program(text: str) -> str:
    """The program of a reply: its longest fenced part, or all of it."""
    fenced: list[str] = _FENCED.findall(text)
    return max(fenced, key=len) if fenced else text


def _some_solution(pen: Pen, right: str) -> str:
    """A sum of two or three numbers that comes to the right answer, or to nearly that."""
    total = int(right) if right.isdecimal() else pen.rng.randint(10, 90)
    first = pen.rng.randint(0, min(total, 5))
    slip, astray = (pen.rng.random() < _WRONG / 2 for _ in range(2))
    said = total + slip
    return f"{first} + {total - first} = {said}\n#### {said + 1 if astray else total}"


def _some_program(pen: Pen) -> str:
    """A function that adds a number, with a comment; now and then a bracket is missing."""
    close = "" if pen.rng.random() < _WRONG else ")"
    body = f"    # {pen.value()}\n    return (value + {pen.rng.randint(1, 6)}{close}"
    return f"```python\ndef solve(value):\n{body}\n```"
