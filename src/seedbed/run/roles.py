"""Roles of a recipe bound to models and to the executors that fill the log for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seedbed.core.hashing import short_id
from seedbed.core.protocols import ChatModel
from seedbed.models.budget import Budget
from seedbed.models.executor import HttpExecutor, Stats
from seedbed.models.limits import Limits
from seedbed.models.openai_wire import OpenAIChat
from seedbed.models.planted_faults import Faults
from seedbed.models.recorded import RecordedReplies, RecordedTeacher
from seedbed.models.rehearsal import RehearsalTeacher
from seedbed.recipe import LoadedRecipe, RecordedRole, RehearsalRole, Role, WireRole
from seedbed.run.asking import BoundRole
from seedbed.run.licensing import licence_label
from seedbed.run.pricing import price_of
from seedbed.store.atomic import file_hash
from seedbed.store.replies import ReplyLog

# In-process teachers answer at once: this only bounds how many cells are at work.
REHEARSAL_CONCURRENCY = 64
DEFAULT_MAX_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class AskedModel:
    """What identifies the model of a role in requests, and how long its answers may be."""

    model: str
    revision: str | None
    max_tokens: int


def asked_model(loaded: LoadedRecipe, role: Role) -> AskedModel:
    """The identity of a role's model.

    Teachers in process get a revision by what decides their replies: other faults or another
    recording are another model, whose replies are never taken for those of the first.
    """
    match role:
        case WireRole():
            return AskedModel(role.model, role.revision, role.max_tokens)
        case RecordedRole():
            revision = file_hash(loaded.resolve(role.recorded))[:16]
            return AskedModel("recorded", revision, DEFAULT_MAX_TOKENS)
        case RehearsalRole():
            faults = role.rehearsal.model_dump(mode="json")
            revision = short_id("rehearsal", [loaded.recipe.generate.seed, faults])
            return AskedModel("rehearsal", revision, DEFAULT_MAX_TOKENS)


def check_teacher(loaded: LoadedRecipe, role: Role) -> None:
    """Look at what a teacher in process is made of. Raises SourceError for a recording that is none."""
    if isinstance(role, RecordedRole):
        RecordedReplies.load(loaded.resolve(role.recorded), by=role.by)


@dataclass(frozen=True)
class Teachers:
    """The bound roles and what has to be closed after them."""

    roles: Mapping[str, BoundRole]
    executors: tuple[HttpExecutor, ...]
    models: tuple[ChatModel, ...]
    width: int

    def spent(self) -> Stats:
        """What the executor of the teacher did in this sitting."""
        return self.executors[0].stats

    async def close(self) -> None:
        for executor in self.executors:
            await executor.drain()
        for model in self.models:
            await model.close()


def bind_roles(loaded: LoadedRecipe, log: ReplyLog, budget: Budget) -> Teachers:
    """Make the teacher's model and executor. Makes no request.

    `width`: cells at work at a time. Twice the endpoint's slots, so that a slot is refilled at once
    while the cells before it wait for their replies to be on disk.
    """
    role = loaded.recipe.teacher
    model = _make_model(loaded, role)
    limits = _limits(role)
    executor = HttpExecutor(model, log, limits, budget.at(price_of(role)))
    asked = asked_model(loaded, role)
    licence = licence_label(loaded.recipe, role)
    bound = BoundRole(asked.model, asked.revision, asked.max_tokens, executor, licence)
    width = 2 * limits.concurrency
    return Teachers({"teacher": bound}, (executor,), (model,), width)


def _limits(role: Role) -> Limits:
    match role:
        case WireRole():
            return Limits(concurrency=role.concurrency, retries=role.retries)
        case RecordedRole():
            return Limits(concurrency=role.concurrency)
        case RehearsalRole():
            return Limits(concurrency=REHEARSAL_CONCURRENCY)


def _make_model(loaded: LoadedRecipe, role: Role) -> ChatModel:
    match role:
        case WireRole():
            return OpenAIChat(
                role.endpoint.url,
                role.model,
                api_key=role.api_key.reveal() if role.api_key else None,
                api_key_name=role.api_key.name if role.api_key else None,
                timeout=role.timeout,
            )
        case RecordedRole():
            replies = RecordedReplies.load(loaded.resolve(role.recorded), by=role.by)
            return RecordedTeacher(replies, role.match, "recorded")
        case RehearsalRole():
            faults = Faults.model_validate(role.rehearsal.model_dump(mode="json"))
            return RehearsalTeacher(loaded.recipe.generate.seed, faults)
