"""The only room that knows the order of things: binding, planning, rounds, proof, accounts.

The room shares its name with `seedbed.run(recipe)`, and so can be called.
"""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        """Run a recipe: see `seedbed.run.notebook.run`."""
        from seedbed.run.notebook import run

        return run(*args, **options)


sys.modules[__name__].__class__ = _Room
