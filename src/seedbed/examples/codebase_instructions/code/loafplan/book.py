"""The order book: a day's orders in one JSON file, `2031-05-02.json`."""

import json
from datetime import date
from pathlib import Path

from loafplan.errors import StoreError
from loafplan.orders import Order

VERSION = 2


class OrderBook:
    """Orders by day in a folder. A day is replaced as a whole, never in part."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, day: date, orders: list[Order]) -> Path:
        """Write a day beside its place and rename it: a reader sees the old day or the new one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{day.isoformat()}.json"
        rows = [{"shop": o.shop, "loaves": dict(o.loaves), "due": o.due} for o in orders]
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps({"version": VERSION, "orders": rows}, indent=1), encoding="utf-8")
        draft.replace(path)
        return path

    def read(self, day: date) -> list[Order]:
        """The orders of a day; an empty list where nothing was ever written. Raises StoreError."""
        path = self.folder / f"{day.isoformat()}.json"
        if not path.exists():
            return []
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise StoreError(f"{path.name} is damaged: {error}") from error
        if content["version"] > VERSION:
            raise StoreError(f"{path.name} is of version {content['version']}; this reads up to {VERSION}")
        rows = content["orders"]
        return [Order(row["shop"], tuple(sorted(row["loaves"].items())), row["due"]) for row in rows]
