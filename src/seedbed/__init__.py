"""Seedbed: training data that can be defended."""

__version__ = "0.1.0"

# Public name -> the module that has it. Nothing is imported before it is used: see __init__.pyi for types.
_HOMES = {
    "Recipe": "seedbed.run.notebook",
    "Run": "seedbed.run.notebook",
    "Preview": "seedbed.run.preview",
    "Audit": "seedbed.run.audit",
    "Progress": "seedbed.run.progress",
    "preview": "seedbed.run.notebook",
    "audit": "seedbed.run.notebook",
    "Asking": "seedbed.core.protocols",
    "ChatModel": "seedbed.core.protocols",
    "CorpusFilter": "seedbed.core.protocols",
    "Draft": "seedbed.core.protocols",
    "FilterContext": "seedbed.core.protocols",
    "Method": "seedbed.core.protocols",
    "ModelFilter": "seedbed.core.protocols",
    "RecordFilter": "seedbed.core.protocols",
    "Task": "seedbed.core.protocols",
    "Cell": "seedbed.core.cell",
    "Provenance": "seedbed.core.record",
    "Record": "seedbed.core.record",
    "Verdict": "seedbed.core.verdict",
    "ChatReply": "seedbed.core.chat",
    "ChatRequest": "seedbed.core.chat",
    "Choice": "seedbed.core.chat",
    "BudgetReached": "seedbed.core.errors",
    "EndpointError": "seedbed.core.errors",
    "InputError": "seedbed.core.errors",
    "RecipeError": "seedbed.core.errors",
    "SeedbedError": "seedbed.core.errors",
}

# `run` is a room that can be called: `seedbed.run(recipe)`.
__all__ = ["__version__", "run", *_HOMES]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "run":
        return import_module("seedbed.run")
    if name not in _HOMES:
        raise AttributeError(f"module 'seedbed' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
