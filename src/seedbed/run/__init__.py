"""The only room that knows the order of things: binding, planning, rounds, proof, accounts.

The room shares its name with `seedbed.run(recipe)`, and so can be called.
"""

import sys


class _Room(type(sys)):  # type: ignore[misc]  # a module's type, without the import of `types`
    def __call__(self, *args, **options):  # type: ignore[no-untyped-def]
        """Run a recipe: see `seedbed.run.notebook.run`."""
        from seedbed.run.notebook import run

        return run(*args, **options)


sys.modules[__name__].__class__ = _Room
