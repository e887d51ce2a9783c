"""What can go wrong, each as a class of its own. All derive from `LoafplanError`."""


class LoafplanError(Exception):
    """Base class: catch it to catch everything that Loafplan raises on purpose."""


class OrderError(LoafplanError):
    """A line of an order cannot be read. `line` is its number, counted from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class FormulaError(LoafplanError):
    """A formula is incomplete or contradicts itself, such as one without flour."""


class CapacityError(LoafplanError):
    """The day's batches do not fit into the oven before closing time."""


class StoreError(LoafplanError):
    """The order book on disk is unreadable, or was written by a newer version."""
