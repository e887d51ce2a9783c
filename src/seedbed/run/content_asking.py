"""How model filters ask: under the content that is looked at, from the log first, within the run's budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seedbed.core.chat import ChatRequest, Hints, LoggedReply, Sampling, Sketch
from seedbed.core.hashing import digest
from seedbed.core.protocols import ModelFilter, Prompt
from seedbed.core.record import Record
from seedbed.run.asking import BoundRole
from seedbed.run.replaying import LoggedOnly


@dataclass(frozen=True)
class ContentSpace:
    """What all questions of the model filters of a run share."""

    variables: Mapping[str, Any]
    roles: Mapping[str, BoundRole]

    def scope(self, filter_: ModelFilter, record: Record) -> bytes:
        """What is looked at, by whom and by which prompts: no cell, no recipe and no place in a plan."""
        role = self.roles[filter_.role]
        prompts = {name: prompt.hash for name, prompt in filter_.prompts.items()}
        return digest("content", [role.model, role.revision, prompts, dict(filter_.content(record))])


class RecordAsking:
    """The `ContentAsking` of one record and filter; see core.protocols.

    With `logged` it is answered by the log alone, and NotLogged is raised for what is not there.
    """

    def __init__(
        self, space: ContentSpace, filter_: ModelFilter, record: Record, logged: LoggedOnly | None = None
    ) -> None:
        self._space = space
        self._prompts: Mapping[str, Prompt] = filter_.prompts
        self._scope = space.scope(filter_, record)
        self._logged = logged

    async def ask(
        self,
        template: str,
        *,
        role: str,
        schema: Mapping[str, Any] | None = None,
        n: int = 1,
        sketch: Sketch | None = None,
        **variables: Any,
    ) -> tuple[LoggedReply, ...]:
        bound = self._space.roles[role]
        request = ChatRequest(
            model=bound.model,
            revision=bound.revision,
            messages=self._prompts[template].render({**self._space.variables, **variables}),
            sampling=Sampling(temperature=0.0, max_tokens=bound.max_tokens),
            schema=schema,
            hints=Hints(sketch=sketch) if bound.hinted and sketch is not None else None,
        )
        executor = bound.executor if self._logged is None else self._logged
        return await executor.fill(request, self._scope, n)


def content_space(
    variables: Mapping[str, str], labels: Sequence[str], fields: Sequence[str], roles: Mapping[str, BoundRole]
) -> ContentSpace:
    return ContentSpace({"task": variables, "labels": labels, "fields": fields}, roles)
