"""What a method holds while it works on one cell: rendering, asking, and noting where replies came from."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Protocol

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatRequest, Hints, LoggedReply, Message, Opening, ReplyKey, Sampling, Sketch
from seedbed.core.hashing import digests_after, seed_from
from seedbed.core.protocols import Draft, Task
from seedbed.core.record import ModelRef, Provenance, Record, generated_record_id
from seedbed.generate.prompting import fixed_fields
from seedbed.prompts.templates import PromptTemplate
from seedbed.recipe import DOCUMENT, ORDINARY
from seedbed.run.planner import EDGE_CASE, TEACHER, TEMPERATURE
from seedbed.run.trials import Trials


class Filling(Protocol):
    """The executor's one promise: logged replies for the draws asked, paid for only where missing."""

    async def fill(self, request: ChatRequest, scope: bytes, n: int) -> tuple[LoggedReply, ...]: ...


@dataclass(frozen=True, slots=True)
class BoundRole:
    """A role as the recipe binds it: the model asked for, who answers, and the licence of the answers.

    `licences` has it by the address that answered, `licence` joins those of all endpoints: for an answer
    in the log from an address that the recipe names no more. `hinted`: who answers is in this process and
    looks at a request's hints.
    """

    model: str
    revision: str | None
    max_tokens: int
    executor: Filling
    licence: str | None = None
    licences: Mapping[str, str | None] = field(default_factory=dict)
    hinted: bool = False

    def licence_at(self, endpoint: str) -> str | None:
        return self.licences.get(endpoint, self.licence)


@dataclass(frozen=True)
class AskingSpace:
    """What all cells of a run share.

    `templates` has the steps of methods as `method/step`; `items` are the items of sources that methods
    work on, by id, `versions` the methods' own, `edge_cases` what the prompt says of each. `trials` runs
    programs, where a method of the run does.
    """

    recipe: str
    asker: str
    seed: int
    task: Task
    task_variables: Mapping[str, str]
    labels: Sequence[str]
    templates: Mapping[str, PromptTemplate]
    real: Mapping[str, Record]
    example_pools: Mapping[str, Sequence[Mapping[str, Any]]]
    roles: Mapping[str, BoundRole]
    items: Mapping[str, Record] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    edge_cases: Mapping[str, str] = field(default_factory=dict)
    trials: Trials | None = None


@lru_cache(2048)  # a round's are looked up ahead, and again one by one
def scope_of(asker: str, cell: str) -> bytes:
    """Who asks: the cell (its id) of this recipe, so that two recipes never share a sampled reply."""
    return _scopes_of(asker)(cell)


@lru_cache(8)
def _scopes_of(asker: str) -> Callable[[str], bytes]:
    return digests_after("scope", asker)


class _Asked(NamedTuple):
    role: str
    template: PromptTemplate
    sampling: Sampling


class CellAsking:
    """The `Asking` of one cell; see core.protocols."""

    def __init__(self, cell: Cell, space: AskingSpace) -> None:
        self.cell = cell
        self.task = task = space.task
        self.label = str(cell.axes.get(task.label_field or "", ""))
        self.labels = space.labels
        self.examples: Sequence[Record] = [space.real[row] for row in cell.parents]
        # The item that the cell works on: a real row, or what a source of other texts holds.
        at = cell.source
        self.source: Record | None = (space.items.get(at) or space.real[at]) if at else None
        hidden = (task.label_field, TEMPERATURE, TEACHER, DOCUMENT)
        slots = {name: str(value) for name, value in cell.axes.items() if name not in hidden}
        if (case := slots.pop(EDGE_CASE, ORDINARY)) != ORDINARY:
            slots[EDGE_CASE] = space.edge_cases[case]
        self.slots: Mapping[str, str] = slots
        self._space = space
        self._asked: dict[ReplyKey, _Asked] = {}

    @cached_property
    def rng(self) -> random.Random:
        return random.Random(seed_from(self._space.seed, self.cell.id))

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
        if role == "teacher":  # where several write, the cell says which of them
            role = str(self.cell.axes.get(TEACHER, role))
        bound, prompt = self._space.roles[role], self._template(template)
        values = {**self._variables(), **variables}
        messages = prompt.render(values)
        if opening is not None:
            messages = (opening.around(messages[-1].content),)
        if history:
            above = [message for message in messages if message.role == "system"]
            messages = (*above, *history, *(message for message in messages if message.role != "system"))
        request = ChatRequest(
            model=bound.model,
            revision=bound.revision,
            messages=messages,
            sampling=self._sampling(bound.max_tokens, temperature, opening),
            schema=schema,
            hints=self._hints(values, schema, sketch) if bound.hinted else None,
        )
        replies = await bound.executor.fill(request, scope_of(self._space.asker, self.cell.id), n)
        note = _Asked(role, prompt, request.sampling)
        for reply in replies:
            self._asked[reply.key] = note
        return replies

    async def passes(self, program: str, suites: Sequence[str]) -> Sequence[bool]:
        assert self._space.trials is not None, "the method does not say that it runs programs"
        return await self._space.trials.passes(program, suites)

    def _template(self, name: str) -> PromptTemplate:
        """A step of the cell's method, or a template as the recipe calls it."""
        templates = self._space.templates
        return templates.get(f"{self.cell.method}/{name}") or templates[name]

    def _sampling(self, max_tokens: int, temperature: float | None, opening: Opening | None) -> Sampling:
        """At the temperature asked for, else the cell's; what a model goes on writing has nothing cut off."""
        if opening is not None:
            return Sampling(1.0 if temperature is None else temperature, 1.0, max_tokens, (opening.stop,))
        level = temperature if temperature is not None else self.cell.axes.get(TEMPERATURE)
        return Sampling(float(level) if level is not None else None, max_tokens=max_tokens)

    def _variables(self) -> dict[str, Any]:
        own_name = {self.task.label_field: self.label} if self.task.label_field else {}
        return {
            **own_name,
            EDGE_CASE: "",
            **self.slots,
            "task": self._space.task_variables,
            "label": self.label,
            "labels": self._space.labels,
            "examples": [row.fields for row in self.examples],
            "slots": self.slots,
            "draw": self.cell.draw,
            "output": "json",
            "fields": self.task.fields,
        }

    def _hints(
        self, values: Mapping[str, Any], schema: Mapping[str, Any] | None, sketch: Sketch | None
    ) -> Hints:
        space, fields = self._space, tuple(values["fields"])
        fixed = {**fixed_fields(self.cell, self.task), **self.slots}
        pool = space.example_pools.get(self.label) or space.example_pools.get("", ())
        return Hints(
            fields=fields,
            fixed=fixed,
            labels=space.labels,
            examples=pool,
            real=space.example_pools.get("", ()),
            output=values["output"],
            text_field=fields[0] if fields else "",
            draw=self.cell.draw,
            # A reply that answers a given question is not of the whole kind.
            kind=self.task.kind if fields[:1] == self.task.fields[:1] else "",
            schema=schema,
            sketch=sketch,
        )

    def record(self, draft: Draft, index: int) -> Record:
        """The record that a draft of this cell becomes, with its whole provenance."""
        asked = [self._asked[reply.key] for reply in draft.replies]
        last = asked[-1]
        text = draft.unreadable.text if draft.unreadable else ""
        parents = [*self.examples, self.source] if self.source is not None else self.examples
        by = f"{self.cell.method}@{self._space.versions[self.cell.method]}" if draft.rejected else ""
        return Record(
            id=generated_record_id(draft.fields, text, self.cell.id, index),
            fields=draft.fields,
            slots=self._values(draft),
            unreadable=draft.unreadable,
            notes=draft.notes,
            rejected=replace(draft.rejected, by=by) if draft.rejected else None,
            provenance=Provenance(
                origin="generated",
                source=self._space.recipe,
                parents=tuple([row.id for row in parents]),
                licence=self._licence(asked, draft.replies, parents),
                method=self.cell.method,
                template=last.template.name,
                template_hash=last.template.hash,
                models={
                    note.role: ModelRef(reply.model, reply.endpoint, self._space.roles[note.role].revision)
                    for note, reply in zip(asked, draft.replies, strict=True)
                },
                sampling=last.sampling.to_json(),
                reply_keys=tuple([str(reply.key) for reply in draft.replies]),
                cell=self.cell.id,
                draft=index,
                depth=1 + max([row.provenance.depth for row in parents], default=0),
                steps=tuple([f"{note.template.name} by {note.role}" for note in asked if len(asked) > 1]),
                carried=_carried(draft.fields, self.source),
            ),
        )

    def _values(self, draft: Draft) -> dict[str, str]:
        """The cell's values; the label that was found where the cell leaves it open."""
        values = {name: str(value) for name, value in self.cell.axes.items()}
        name = self.task.label_field
        if name is not None and name not in values:
            found = self.task.label(draft.fields) if name in draft.fields else None
            values[name] = found if found is not None and found in self._space.labels else ""
        return values

    def _licence(
        self, asked: Sequence[_Asked], replies: Sequence[LoggedReply], parents: Sequence[Record]
    ) -> str | None:
        """Every licence behind a record: those of the models that answered and of the rows shown to them."""
        found = [
            self._space.roles[note.role].licence_at(reply.endpoint)
            for note, reply in zip(asked, replies, strict=True)
        ]
        found += [row.provenance.licence for row in parents]
        return " AND ".join(sorted({licence for licence in found if licence})) or None


def _carried(fields: Mapping[str, Any], item: Record | None) -> tuple[str, ...]:
    """The fields that a method took from the item it works on: its objects, no equal text of a model."""
    if item is None:
        return ()
    own = item.fields.values()
    return tuple(name for name, value in fields.items() if any(value is known for known in own))
