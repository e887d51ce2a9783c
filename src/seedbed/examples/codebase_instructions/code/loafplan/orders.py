"""Orders as the shops send them: a line each, `SHOP: COUNT LOAF, COUNT LOAF @ HH:MM`."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from loafplan.clock import minutes
from loafplan.errors import OrderError

# 06:30 is when the first van leaves; an order without a time is for that one.
DEFAULT_DUE = "06:30"

_LINE = re.compile(r"(?P<shop>[^:]+):(?P<items>[^@]+)(?:@\s*(?P<due>\d\d:\d\d))?")
_ITEM = re.compile(r"(?P<count>\d+)\s+(?P<loaf>[a-z_]+)")


@dataclass(frozen=True)
class Order:
    """So many loaves of each kind for one shop, ready at `due` (minutes after midnight)."""

    shop: str
    loaves: tuple[tuple[str, int], ...]
    due: int


def parse_orders(text: str) -> list[Order]:
    """Read a day's orders. Blank lines and what follows a `#` do not count.

    Raises OrderError at the first line that cannot be read.
    """
    orders = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition("#")[0].strip()
        if line:
            orders.append(_order(number, line))
    return orders


def _order(number: int, line: str) -> Order:
    found = _LINE.fullmatch(line)
    if found is None:
        raise OrderError(number, "expected SHOP: COUNT LOAF, … @ HH:MM")
    loaves: Counter[str] = Counter()
    for part in found["items"].split(","):
        item = _ITEM.fullmatch(part.strip())
        if item is None:
            raise OrderError(number, f"{part.strip()!r} is not COUNT LOAF")
        loaves[item["loaf"]] += int(item["count"])
    try:
        due = minutes(found["due"] or DEFAULT_DUE)
    except ValueError as error:
        raise OrderError(number, str(error)) from error
    return Order(found["shop"].strip(), tuple(sorted(loaves.items())), due)


def totals(orders: Iterable[Order]) -> Counter[tuple[str, int]]:
    """Loaves by (loaf, due): what has to be baked, whoever it is for."""
    wanted: Counter[tuple[str, int]] = Counter()
    for order in orders:
        for loaf, count in order.loaves:
            wanted[loaf, order.due] += count
    return wanted
