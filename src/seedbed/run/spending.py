"""What a run has used up that no row of the reply log tells: its time, and calls whose end was never logged.

`spending.json` in the run folder holds the seconds of all sittings, written every few seconds, so that a
kill loses no more than these, and what the requests of the embedder were charged, written as each ends. It
holds what calls were charged that were cut off or ended in an error of the endpoint (`lost`), and while a
sitting runs a bound of what is in flight (`open`), written before the request is sent that raises it.
Whoever finds `open` there found a sitting that was killed: what it had in flight may have been paid for,
and counts as spent. A rehearsal, which counts towards no cap, keeps `spending-rehearsal.json`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from seedbed.core.chat import Usage
from seedbed.core.errors import BudgetReached, StoreError
from seedbed.core.money import Amount, Charge, Charged, Price, nano, shown_dollars
from seedbed.models.budget import Budget, Caps
from seedbed.recipe import Recipe
from seedbed.recipe.units import write_size
from seedbed.run.pricing import worth
from seedbed.run.scopes import all_scopes
from seedbed.store.atomic import read_json, write_json
from seedbed.store.folder import RunFolder
from seedbed.store.replies import ReplyLog

BEAT_SECONDS = 5.0


@dataclass
class Spending:
    """The file's content. `replayed` is what each role took from the log in the latest sitting.

    Requests of the embedder, and of the models that a served student is, stand in no log: what they were
    charged stands here.
    """

    path: Path
    seconds: float = 0.0
    lost: Amount = field(default_factory=Amount)
    open: Amount = field(default_factory=Amount)
    replayed: dict[str, Usage] = field(default_factory=dict)
    embedder: Charged = field(default_factory=Charged)
    served: Charged = field(default_factory=Charged)

    @classmethod
    def read(cls, folder: RunFolder, *, rehearsal: bool, at_work: bool = False) -> Spending:
        """As the latest sitting left it, or has it by now. Raises StoreError where the file is damaged.

        What is open is lost, unless a process is at work on it. A rehearsal has a file of its own: neither
        its time nor its requests count towards the caps of the run that follows it.
        """
        return cls.read_file(folder.spending(rehearsal=rehearsal), at_work=at_work)

    @classmethod
    def read_file(cls, path: Path, *, at_work: bool = False) -> Spending:
        """See `read`."""
        if not path.is_file():
            return cls(path)
        value = read_json(path)
        lost, left = Amount(**value["lost"]), Amount(**value["open"])
        replayed = {role: Usage(**used) for role, used in value["replayed"].items()}
        # A file of before these were counted has none.
        embedder, served = (Charged(**value.get(name, {})) for name in ("embedder", "served"))
        if at_work:
            return cls(path, value["seconds"], lost, left, replayed, embedder, served)
        return cls(path, value["seconds"], lost + left, Amount(), replayed, embedder, served)

    def write(self) -> None:
        write_json(
            self.path,
            {
                "seconds": round(self.seconds, 3),
                "lost": self.lost.to_json(),
                "open": self.open.to_json(),
                "replayed": {role: used._asdict() for role, used in self.replayed.items()},
                "embedder": asdict(self.embedder),
                "served": asdict(self.served),
            },
        )

    def keep(self, bound: Amount) -> None:
        """A bound of what is in flight, on disk before it is in flight."""
        self.open = bound
        self.write()

    def charge_embedder(self, charge: Charge) -> None:
        """Put on record what a request of the embedder was charged; on disk when this returns."""
        self._charge(self.embedder, charge)

    def charge_served(self, charge: Charge) -> None:
        """Put on record what a request to a served student was charged; on disk when this returns."""
        self._charge(self.served, charge)

    def _charge(self, sum_: Charged, charge: Charge) -> None:
        before = asdict(sum_)
        sum_.add(charge)
        try:
            self.write()
        except StoreError:
            # The budget has it as outstanding still: it must not count twice.
            for name, value in before.items():
                setattr(sum_, name, value)
            raise


def open_budget(
    recipe: Recipe,
    folder: RunFolder,
    log: ReplyLog,
    spending: Spending,
    prices: Mapping[str, Price | None],
    note: Callable[[str], None],
) -> Budget:
    """The budget of a sitting, less what the sittings before it took by the log and by `spending`."""
    earlier = earlier_spent(recipe, folder, log, spending, prices, note)
    return Budget(caps_of(recipe), spent=earlier, seconds=spending.seconds, note=note, keep=spending.keep)


def caps_of(recipe: Recipe) -> Caps:
    limits = recipe.budget
    return Caps(
        limits.requests,
        limits.tokens,
        nano(limits.cost) if limits.cost is not None else None,
        limits.time,
    )


def is_capped(recipe: Recipe) -> bool:
    """Whether the budget bounds more than time and disk, so that what was spent before matters."""
    limits = recipe.budget
    return (limits.requests, limits.tokens, limits.cost) != (None, None, None)


def earlier_spent(
    recipe: Recipe,
    folder: RunFolder,
    log: ReplyLog,
    spending: Spending,
    prices: Mapping[str, Price | None],
    note: Callable[[str], None],
) -> Amount:
    """What the sittings before this one took, by the log and by `spending`, and what served students did.

    Nothing, where no cap asks for it.
    """
    if not is_capped(recipe):
        return Amount()
    scopes = all_scopes(folder, recipe.name, rehearsal=recipe.is_rehearsal)
    tally, examined = log.tally(scopes), Spending.read_file(folder.served_spending)
    rows = tally.spent
    lost = spending.lost + examined.lost
    embedder, of_embedder = spending.embedder, prices.get("embedder")
    cost = worth(rows, (price for role, price in prices.items() if role != "embedder"))
    of_unpriced = of_embedder.of(Usage(embedder.unpriced_tokens)) if of_embedder is not None else 0
    if recipe.budget.cost is not None and cost > rows.cost:
        note(
            f"{rows.unpriced_calls:,} calls were made when no price was known: they count towards "
            f"budget.cost with {shown_dollars(cost - rows.cost)}, at the price of now"
        )
    dearest = max((price.at_most(lost.tokens) for price in prices.values() if price), default=0)
    earlier = Amount(tally.calls, rows.tokens, cost) + Amount(
        lost.requests, lost.tokens, lost.cost or dearest
    )
    earlier += Amount(embedder.requests, embedder.tokens, embedder.cost + of_unpriced)
    served = examined.served
    at_price = max((price.at_most(served.unpriced_tokens) for price in prices.values() if price), default=0)
    return earlier + Amount(served.requests, served.tokens, served.cost + at_price)


@asynccontextmanager
async def kept(
    spending: Spending, budget: Budget, replayed: Callable[[], dict[str, Usage]]
) -> AsyncIterator[None]:
    """Keep the file up to date while a sitting runs, and settle it when it ends."""

    def take() -> None:
        spending.seconds = budget.seconds
        spending.replayed = replayed()
        spending.write()

    async def beat() -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            take()

    take()  # also what a killed sitting left open, as lost
    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        # What is neither settled nor on disk by now will never be told.
        spending.lost += budget.outstanding
        spending.open = Amount()
        take()


def room_left(recipe: Recipe, folder: RunFolder, log: Path) -> Callable[[], BudgetReached | None]:
    """A check, for the close of a round, whether run folder and reply log still keep to `budget.disk`."""
    most = recipe.budget.disk

    def check() -> BudgetReached | None:
        if most is None or (taken := disk_taken(folder, log)) <= most:
            return None
        return BudgetReached(
            f"budget: {folder.path} and {log} take {taken:,} bytes, more than the {write_size(most)} of "
            "budget.disk; raise it and run the same command again: nothing answered is asked for twice"
        )

    return check


def disk_taken(folder: RunFolder, log: Path) -> int:
    """Bytes of every file of the run folder and of the reply log with what SQLite keeps beside it."""
    files = [*folder.path.rglob("*"), *log.parent.glob(log.name + "*")]
    total = 0
    for file in files:
        with suppress(FileNotFoundError):  # a temporary file may go meanwhile
            total += file.lstat().st_size
    return total
