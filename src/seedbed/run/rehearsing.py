"""What a recipe gives a rehearsal to plant: its filters, its forbidden phrases, what it has matter for."""

from __future__ import annotations

from typing import Any

from seedbed.filters import FILTERS
from seedbed.generate import METHODS
from seedbed.models.claims import CallClaim, Claim, JsonClaim, QueryClaim, table_of
from seedbed.models.fault_plan import FaultPlan, Faults
from seedbed.models.imitation import decoys
from seedbed.models.rehearsal_facts import is_conversation
from seedbed.recipe import LoadedRecipe, Recipe, RehearsalRole
from seedbed.tasks import TASKS


def fault_plan(recipe: Recipe, role: RehearsalRole) -> FaultPlan:
    """The faults of a rehearsal: those that the recipe's filters answer, and those that it asks for.

    Faults that need what the recipe lacks are left out: copies, memorised parts and wrong labels without real
    rows, leaks without a locked eval, forbidden phrases where it lists none, what is worked out where nothing
    is, and what no context bears out where there is none.
    """
    faults = Faults.model_validate(role.rehearsal.model_dump(mode="json"))
    real = any(not source.lock and not source.is_material for source in recipe.sources.values())
    lockable = any(source.lock or source.split.eval for source in recipe.sources.values())
    task = TASKS.get(recipe.task.kind).bind(recipe.task.options, None)
    claims = claims_of(recipe)
    claimed = {claim.kind for claim in claims}
    impossible = {
        kind
        for kind, possible in {
            "copy": real,
            "wrong_label": real and task.label_field is not None,
            "leak": lockable,
            "forbidden": bool(forbidden_phrases(recipe)),
            "wrong_sum": task.kind == "math" and len(task.fields) == 3,
            "wrong_program": task.kind == "code" and len(task.fields) == 3,
            "memorised": real,
            "unsupported": task.kind == "instruction" and len(task.fields) == 3,
            "wrong_json": "wrong_json" in claimed,
            "wrong_json/syntax": all(claim.as_text for claim in claims if isinstance(claim, JsonClaim)),
            "wrong_call": "wrong_call" in claimed,
            "wrong_query": "wrong_query" in claimed,
            "wrong_query/rows": any(claim.expected for claim in claims if isinstance(claim, QueryClaim)),
        }.items()
        if not possible
    }
    # A judge's scores are made up in a rehearsal: nothing is planted for it.
    filters = [entry.name for entry in recipe.filters if FILTERS.get(entry.name).kind != "model"]
    return FaultPlan.of(faults, filters, impossible)


def forbidden_phrases(recipe: Recipe) -> tuple[str, ...]:
    """Those of the recipe's own `forbidden` filter."""
    options: Any = next((entry.options for entry in recipe.filters if entry.name == "forbidden"), None)
    return tuple(options.phrases) if options is not None else ()


def claims_of(recipe: Recipe) -> tuple[Claim, ...]:
    """What the recipe's own `verify` filter works out of a reply's fields, beside sums and programs."""
    options: Any = next((entry.options for entry in recipe.filters if entry.name == "verify"), None)
    if options is None:
        return ()
    properties = TASKS.get(recipe.task.kind).bind(recipe.task.options, None).schema([])["properties"]
    texts = [name for name, schema in properties.items() if schema.get("type") == "string"]
    claims: list[Claim] = [
        JsonClaim(field, schema, field in texts) for field, schema in options.json_schema.items()
    ]
    if (calls := options.tool_calls) is not None and not is_conversation(properties.get(calls.field, {})):
        claims.append(CallClaim(calls.field, calls.tools or (), calls.tools_field or "", texts))
    if (sql := options.sql) is not None:
        table = table_of(sql.setup) or ("boxes" if sql.setup_field else "")
        claims += [QueryClaim(sql.query, sql.expected or "", sql.setup_field or "", table)] if table else []
    return tuple(claims)


def eval_decoys(loaded: LoadedRecipe) -> tuple[str, ...]:
    """Invented rows that a rehearsal's eval lock holds beside the real ones, to plant leaks of."""
    recipe = loaded.recipe
    role = recipe.teacher
    if not isinstance(role, RehearsalRole) or "leak" not in fault_plan(recipe, role).rates:
        return ()
    return decoys(recipe.generate.seed)


def rehearsal_facts(recipe: Recipe) -> dict[str, Any] | None:
    """What a report needs to recompute the planted faults; None where a real model answered."""
    role = recipe.teacher
    if not isinstance(role, RehearsalRole):
        return None
    methods = [entry.name for entry in recipe.generate.methods]
    text = [entry.name for entry in recipe.generate.methods if getattr(entry.options, "output", "") == "text"]
    plan = fault_plan(recipe, role)
    judge = recipe.roles.judge
    return {
        "seed": recipe.generate.seed,
        "plan": plan.to_json(),
        "text_methods": text,
        "methods_of_steps": [name for name in methods if not METHODS.get(name).asks_template],
        "judge": judge.rehearsal.model_dump(mode="json") if isinstance(judge, RehearsalRole) else None,
    }
