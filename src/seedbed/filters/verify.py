"""`verify`: what a record claims is worked out, and is as it claims."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import orjson
from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.subject import FilterOptions, excerpt, filter_id, flag, reject
from seedbed.recipe.named_files import read_named_file
from seedbed.recipe.units import Size
from seedbed.tasks.fields import FieldName
from seedbed.tasks.json_schema import read_json_file, read_schema
from seedbed.verify import packages
from seedbed.verify.algebra import Algebra
from seedbed.verify.code import MOST_MUTANTS, CodeVerifier, Demands
from seedbed.verify.json_values import check_json
from seedbed.verify.mathematics import compare
from seedbed.verify.outcome import Outcome, undecided, worst
from seedbed.verify.processor_time import on_the_clock
from seedbed.verify.programs import is_python
from seedbed.verify.sandbox.broker import PROCESSOR_SECONDS, Limits
from seedbed.verify.solutions import check_answer, check_equations
from seedbed.verify.sql import Database
from seedbed.verify.tool_calls import check_tool_calls, schemas_of

# What is called, and the field that each of its arguments is the value of.
Verifier: TypeAlias = tuple[Callable[..., Outcome], Mapping[str, str]]
Problems: TypeAlias = list[tuple[tuple[str, ...], str]]

WrittenSchema: TypeAlias = Annotated[
    dict[str, Any], WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "string"}]})
]

_MOST_SHOWN = 10
PROGRAM_OPTIONS = frozenset({"limits", "packages", "fails_on_stub", "kills_mutants"})


class ToolCalls(FilterOptions):
    """Where the calls of tools stand, and which tools there are."""

    field: FieldName = Field(description="field with the conversation, or with a list of calls")
    tools: tuple[dict[str, Any], ...] | None = Field(
        None, description="the tools: a list, or a `.json` file relative to the recipe's folder"
    )
    tools_field: FieldName | None = Field(None, description="field with the record's own list of tools")

    @field_validator("tools", mode="before")
    @classmethod
    def _read(cls, value: Any, info: ValidationInfo) -> Any:
        """So that the options alone decide the verdicts, and a change of the file is one of them."""
        folder = Path((info.context or {}).get("folder", ""))
        tools = read_json_file(folder / value) if isinstance(value, str) else value
        schemas_of(tools)
        return tools

    @model_validator(mode="after")
    def _tools_from_one_place(self) -> Self:
        if (self.tools is None) == (self.tools_field is None):
            raise ValueError("write either tools, the same for all records, or tools_field, the record's own")
        return self

    def verifier(self) -> Verifier:
        if self.tools_field is not None:
            return check_tool_calls, {"said": self.field, "tools": self.tools_field}
        return partial(check_tool_calls, tools=self.tools), {"said": self.field}


class Sql(FilterOptions):
    """Where a query stands, and what it is run on and compared with."""

    query: FieldName = Field(description="field with the query")
    expected: FieldName | None = Field(
        None, description="field with a query that gives the right rows (default: it need only run)"
    )
    setup: str = Field(
        "", description="tables and rows: SQL, or a `.sql` file relative to the recipe's folder"
    )
    setup_field: FieldName | None = Field(None, description="field with the record's own tables and rows")
    dialect: str = Field("duckdb", description="of all this SQL, by its name in sqlglot, such as postgres")

    @field_validator("setup")
    @classmethod
    def _of_the_file(cls, value: str, info: ValidationInfo) -> str:
        """So that the options alone decide the verdicts, and a change of the file is one of them."""
        if not value.endswith(".sql"):
            return value
        return read_named_file(Path((info.context or {}).get("folder", "")) / value)

    @model_validator(mode="after")
    def _has_tables(self) -> Self:
        if not self.setup and self.setup_field is None:
            raise ValueError("has no tables; write setup, the same for all records, or setup_field")
        return self

    def database(self) -> Database:
        return Database(self.dialect, self.setup)

    def verifier(self) -> Verifier:
        fields = {"query": self.query, "expected": self.expected, "setup": self.setup_field}
        return self.database().check, {name: field for name, field in fields.items() if field is not None}

    def problem(self) -> str:
        """What keeps its queries from being run; "" where nothing does."""
        for module in ("sqlglot", "duckdb"):
            if find_spec(module) is None:
                return f"needs {module}: pip install 'seedbed[sql]', or take it out"
        database = self.database()
        tried = database.check("SELECT 1")
        database.close()
        said = "".join(f": {value}" for value in tried.evidence.values())
        return "" if tried.finding == "passed" else f"cannot be set up, {tried.reason}{said}"


class ProgramLimits(FilterOptions):
    """What a program and its tests may take."""

    seconds: float = Field(
        PROCESSOR_SECONDS,
        gt=0,
        le=600,
        description="of processor time, for a program and all of its tests; four times that on the clock",
    )
    memory: Size = Field(512 << 20, ge=64 << 20, description="such as `512MB`")

    def limits(self) -> Limits:
        return Limits(math.ceil(self.seconds), on_the_clock(self.seconds), self.memory)


class Verify:
    """Rejects what is found to be false, keeps what is found to be true, and flags what cannot be told."""

    name: ClassVar = "verify"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        check: tuple[Literal["answer", "equations"], ...] | None = Field(
            None,
            min_length=1,
            description="of worked solutions: `answer`, it is what the solution comes to; `equations`, those "
            "that the solution states are true (default: both, for a `math` task)",
        )
        symbolic: bool = Field(
            False, strict=True, description="whether sympy compares answers that are no plain numbers"
        )
        json_schema: dict[FieldName, WrittenSchema] = Field(
            {},
            description="field -> the JSON Schema that its JSON keeps: written here, a `.json` file relative "
            "to the recipe's folder, or `module:Class` of a pydantic model",
        )
        tool_calls: ToolCalls | None = Field(
            None, description="calls of tools: `{field, tools}`, or `{field, tools_field}`"
        )
        limits: ProgramLimits = Field(ProgramLimits(), description="of programs: `{seconds, memory}`")
        fails_on_stub: bool = Field(
            True, strict=True, description="whether tests must fail on a program whose functions do nothing"
        )
        kills_mutants: int = Field(
            1,
            ge=0,
            le=MOST_MUTANTS,
            description="on how many of up to six slightly changed programs they must",
        )
        packages: tuple[str, ...] = Field(
            (), description="names that programs may import beside the standard library, such as `numpy`"
        )
        sql: Sql | None = Field(
            None, description="queries that are run: `{query, expected, setup, setup_field, dialect}`"
        )
        undecided: Literal["flag", "reject"] = Field(
            "flag", description="what becomes of a record of which neither can be said"
        )

        @field_validator("json_schema", mode="before")
        @classmethod
        def _read_schemas(cls, value: Any, info: ValidationInfo) -> Any:
            folder = Path((info.context or {}).get("folder", ""))
            if not isinstance(value, dict):
                return value
            return {field: read_schema(schema, folder) for field, schema in value.items()}

        @model_validator(mode="after")
        def _symbolic_has_a_use(self) -> Self:
            if self.symbolic and self.check is not None and "answer" not in self.check:
                raise ValueError("symbolic is about answers; add answer to check, or remove symbolic")
            return self

    def __init__(self, verifiers: Sequence[Verifier], undecided: str) -> None:
        self._verifiers = tuple(verifiers)
        self._rejects_undecided = undecided == "reject"

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Verify:
        return cls(_verifiers(options, context.task), options.undecided)

    @staticmethod
    def runs_programs(options: Options, task: Task) -> bool:
        return _has_programs(task)

    @staticmethod
    def problems(options: Options, task: Task) -> Problems:
        """(path of the key, message) of what the task has not, and of libraries that are missing."""
        if options.symbolic and find_spec("sympy") is None:
            return [(("symbolic",), "needs sympy: pip install 'seedbed[math]', or write symbolic: false")]
        if options.sql is not None and (problem := options.sql.problem()):
            return [(("sql",), problem)]
        if not _has_programs(task) and (given := options.model_fields_set & PROGRAM_OPTIONS):
            return [((min(given),), "is for tasks of kind code in Python with a field for tests; remove it")]
        if problem := packages.problem(options.packages):
            return [(("packages",), problem)]
        for key in ("check", "symbolic"):
            if getattr(options, key) and not _works_problems_out(task):
                return [((key,), "is for tasks of kind math with a field for solutions; remove it")]
        verifiers = _verifiers(options, task)
        if not verifiers:
            message = f"can work nothing out of a task of kind {task.kind} by itself; write json_schema, "
            return [((), f"{message}tool_calls or sql, or take it out")]
        named = {name for _, fields in verifiers for name in fields.values()}
        there = ", ".join(task.fields)
        return [
            ((), f"names the field '{name}', and the task has {there}")
            for name in sorted(named - set(task.fields))
        ]

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        if record.unreadable is not None:
            return None
        found = worst(_outcome(verifier, record.fields) for verifier in self._verifiers)
        if found.finding == "passed":
            return None
        by = filter_id(type(self))
        evidence = {name: _shown(value) for name, value in found.evidence.items()}
        if found.finding == "undecided" and not self._rejects_undecided:
            return flag(record, by, found.reason, evidence)
        return reject(record, by, found.reason, evidence)


def _verifiers(options: Verify.Options, task: Task) -> list[Verifier]:
    verifiers: list[Verifier] = [
        (partial(check_json, schema=orjson.dumps(schema)), {"value": field})
        for field, schema in options.json_schema.items()
    ]
    if options.tool_calls is not None:
        verifiers.append(options.tool_calls.verifier())
    if options.sql is not None:
        verifiers.append(options.sql.verifier())
    if _works_problems_out(task):
        _, solution, answer = task.fields
        comparing = Algebra().compare if options.symbolic else compare
        checks: dict[str, Verifier] = {
            "answer": (
                partial(check_answer, compare=comparing),
                {"solution": solution, "answer": answer},
            ),
            "equations": (check_equations, {"solution": solution}),
        }
        verifiers += [checks[name] for name in options.check or checks]
    if _has_programs(task):
        demands = Demands(options.fails_on_stub, options.kills_mutants)
        _, program, tests = task.fields
        importable = tuple(sorted(set(options.packages)))
        check = CodeVerifier(options.limits.limits(), demands, packages=importable).check
        verifiers.append((check, {"program": program, "tests": tests}))
    return verifiers


def _works_problems_out(task: Task) -> bool:
    return task.kind == "math" and len(task.fields) == 3


def _has_programs(task: Task) -> bool:
    return task.kind == "code" and len(task.fields) == 3 and is_python(task.prompt_values["language"])


def _outcome(verifier: Verifier, fields: Mapping[str, Any]) -> Outcome:
    function, arguments = verifier
    if missing := [name for name in arguments.values() if fields.get(name) in (None, "")]:
        return undecided("missing_field", field=missing[0])
    return function(**{argument: fields[name] for argument, name in arguments.items()})


def _shown(value: Any) -> Any:
    """Evidence of a length, and in characters, that any file can hold."""
    if isinstance(value, str):
        return excerpt(value)
    return [_shown(item) for item in value[:_MOST_SHOWN]] if isinstance(value, list) else value
