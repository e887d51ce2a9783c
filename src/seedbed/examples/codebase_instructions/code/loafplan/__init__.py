"""Loafplan: from a day's orders to what is mixed, proved and baked when."""

from loafplan.errors import LoafplanError
from loafplan.formulas import Formula, load_formulas
from loafplan.orders import Order, parse_orders
from loafplan.schedule import Batch, plan_day

__all__ = ["Batch", "Formula", "LoafplanError", "Order", "load_formulas", "parse_orders", "plan_day"]
