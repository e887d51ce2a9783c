"""What leaves a run: training files in the formats that trainers read, and the report.

`EXPORTERS` is the table; an exporter from another package is an entry point in the group
`seedbed.exporters`.
"""

from __future__ import annotations

from seedbed.core.registry import Table
from seedbed.publish.exporter import Exporter


def _jsonl() -> type[Exporter]:
    from seedbed.publish.jsonl import Jsonl

    return Jsonl


def _csv() -> type[Exporter]:
    from seedbed.publish.csv_table import CsvTable

    return CsvTable


def _trl_sft() -> type[Exporter]:
    from seedbed.publish.trl_sft import TrlSft

    return TrlSft


def _trl_dpo() -> type[Exporter]:
    from seedbed.publish.trl_dpo import TrlDpo

    return TrlDpo


EXPORTERS: Table[type[Exporter]] = Table(
    "exporter",
    "seedbed.exporters",
    {"jsonl": _jsonl, "csv": _csv, "trl-sft": _trl_sft, "trl-dpo": _trl_dpo},
)
