"""Roles of a recipe bound to models and to the executors that fill the log for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from seedbed.core.chat import Usage
from seedbed.core.errors import RecipeError
from seedbed.core.hashing import short_id
from seedbed.core.protocols import ChatModel
from seedbed.models.budget import Budget
from seedbed.models.executor import HttpExecutor, Stats
from seedbed.models.limits import Limits
from seedbed.models.pool import Lane, Note, Pool
from seedbed.models.recorded import RecordedReplies, RecordedTeacher
from seedbed.models.rehearsal import RehearsalTeacher
from seedbed.models.rehearsal_judge import JudgeFaults, RehearsalJudge
from seedbed.recipe import EmbedderRole, LoadedRecipe, RecordedRole, RehearsalRole, Role, WireRole
from seedbed.run.asking import BoundRole
from seedbed.run.licensing import licence_labels
from seedbed.run.pricing import price_of, prices_of
from seedbed.run.rehearsing import claims_of, fault_plan, forbidden_phrases
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

    @property
    def hash(self) -> str:
        return short_id("part", [self.model, self.revision, self.max_tokens])


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
            seed, model = loaded.recipe.generate.seed, "rehearsal"
            planted: object = role.rehearsal.model_dump(mode="json")
            if isinstance(role.rehearsal, JudgeFaults):
                model = "rehearsal-judge"
            else:
                plan = fault_plan(loaded.recipe, role)
                claims = [asdict(claim) for claim in claims_of(loaded.recipe)]
                planted = [plan.rates, plan.variants, list(forbidden_phrases(loaded.recipe)), *claims]
            # Two roles are two models, as real ones would be: else the one would repeat the other's words.
            own = [name for name, other in loaded.recipe.roles.others.items() if other is role]
            return AskedModel(model, short_id(model, [seed, planted, *own]), DEFAULT_MAX_TOKENS)


def check_role(loaded: LoadedRecipe, name: str, role: Role) -> None:
    """Look at what a model in process is made of.

    Raises SourceError for a recording that is none, RecipeError for one that could never answer.
    """
    if not isinstance(role, RecordedRole):
        return
    replies = RecordedReplies.load(loaded.resolve(role.recorded), by=role.by)
    # The plan gives a cell's question a label and a number. A question about a record has neither.
    if name != "teacher" and (needs := RecordedTeacher(replies, role.match).needs_hints_for):
        message = (
            f"replies are found by {' and '.join(needs)}, which only a teacher's questions carry; write by: "
            "prompt, or a match that finds it in the prompt"
        )
        raise RecipeError([loaded.problem(("roles", name, "by"), message)])


@dataclass(frozen=True)
class Teachers:
    """The bound roles and what has to be closed after them."""

    roles: Mapping[str, BoundRole]
    executors: Mapping[str, HttpExecutor]
    models: tuple[ChatModel, ...]

    def width(self, asked: Collection[str] = ("teacher",)) -> int:
        """How many cells may be at work at present, whose methods ask these roles: as many as the widest
        can take.

        Twice the endpoints' slots, so that a slot is refilled at once while those before it wait for
        replies to be on disk. It follows a level that is found.
        """
        return 2 * max(self.executors[role].width for role in asked)

    def most(self, role: str) -> int:
        """What `width` may come to at the most."""
        return 2 * self.executors[role].most

    def in_flight(self) -> tuple[int, int]:
        """Requests under way now, and how many may be, over all roles."""
        all_of_them = self.executors.values()
        return sum(one.in_flight for one in all_of_them), sum(one.width for one in all_of_them)

    def spent(self) -> Stats:
        """What the executors of all roles did in this sitting."""
        return sum((executor.stats for executor in self.executors.values()), Stats())

    def replayed(self) -> dict[str, Usage]:
        """Tokens that each role's executor took from the reply log in this sitting."""
        return {
            name: Usage(one.stats.replayed_prompt_tokens, one.stats.replayed_completion_tokens)
            for name, one in self.executors.items()
        }

    async def close(self) -> None:
        for executor in self.executors.values():
            await executor.drain()
        for model in self.models:
            await model.close()


def bind_roles(
    loaded: LoadedRecipe, log: ReplyLog, budget: Budget, note: Note = lambda text: None
) -> Teachers:
    """Make the models and executor of every role; they share the log and the budget. Makes no request.

    `note` is told what a user should know: an endpoint that died or came back, a parameter given up.
    """
    roles: dict[str, BoundRole] = {}
    executors: dict[str, HttpExecutor] = {}
    models: list[ChatModel] = []
    for name, role in loaded.recipe.roles.bound.items():
        limits, asked = limits_of(role), asked_model(loaded, role)
        pool = _make_pool(loaded, name, role, limits, note)
        addresses = [lane.endpoint for lane in pool.lanes]
        purse = budget.at(price_of(role), dict(zip(addresses, prices_of(role), strict=True)))
        executors[name] = HttpExecutor(pool, log, limits, purse, name)
        labels = licence_labels(loaded.recipe, role)
        roles[name] = BoundRole(
            asked.model,
            asked.revision,
            asked.max_tokens,
            executors[name],
            " AND ".join(sorted({label for label in labels if label})) or None,
            dict(zip(addresses, labels, strict=True)) if labels else {},
            hinted=not isinstance(role, WireRole),
        )
        models += (lane.model for lane in pool.lanes)
    return Teachers(roles, executors, tuple(models))


def concurrency_of(role: WireRole | EmbedderRole) -> int | None:
    """Requests in flight at an endpoint, or None where their level is to be found."""
    return None if role.concurrency == "auto" else role.concurrency


def limits_of(role: Role) -> Limits:
    match role:
        case WireRole():
            return Limits(concurrency=concurrency_of(role), retries=role.retries)
        case RecordedRole():
            return Limits(concurrency=role.concurrency)
        case RehearsalRole():
            return Limits(concurrency=REHEARSAL_CONCURRENCY)


def _make_pool(loaded: LoadedRecipe, name: str, role: Role, limits: Limits, note: Note) -> Pool[ChatModel]:
    if not isinstance(role, WireRole):
        return Pool([Lane(_make_model(loaded, role), limits.concurrency, role=name)], role=name)
    return wire_pool(name, role, limits, note)


def wire_pool(name: str, role: WireRole, limits: Limits, note: Note) -> Pool[ChatModel]:
    """The endpoints of a role; makes no request."""
    # The client and what it needs of TLS are 20 MB, of which commands that ask nobody have no use.
    from seedbed.models.openai_wire import OpenAIChat

    lanes: list[Lane[ChatModel]] = []
    for endpoint in role.endpoints:
        key = endpoint.api_key or role.api_key
        model = OpenAIChat(
            endpoint.url,
            role.model,
            api_key=key.reveal() if key else None,
            api_key_name=key.name if key else None,
            timeout=role.timeout,
            called=endpoint.model,
            role=name,
            note=note,
        )
        lanes.append(Lane(model, limits.concurrency, endpoint.weight, name))
    return Pool(lanes, role=name, note=note)


def _make_model(loaded: LoadedRecipe, role: RecordedRole | RehearsalRole) -> ChatModel:
    match role:
        case RecordedRole():
            replies = RecordedReplies.load(loaded.resolve(role.recorded), by=role.by)
            return RecordedTeacher(replies, role.match, "recorded")
        case RehearsalRole():
            recipe = loaded.recipe
            if isinstance(role.rehearsal, JudgeFaults):
                return RehearsalJudge(recipe.generate.seed, role.rehearsal)
            plan, phrases = fault_plan(recipe, role), forbidden_phrases(recipe)
            return RehearsalTeacher(recipe.generate.seed, plan, phrases, claims_of(recipe))
