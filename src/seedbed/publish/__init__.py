"""What leaves a run: training files in the formats that trainers read, and the report.

`EXPORTERS` is the table; an exporter from another package is an entry point in the group
`seedbed.exporters`.
"""

from __future__ import annotations

from seedbed.core.registry import Table, loaders
from seedbed.publish.exporter import Exporter

EXPORTERS: Table[type[Exporter]] = Table(
    "exporter",
    "seedbed.exporters",
    loaders(
        "seedbed.publish",
        {
            "jsonl": "jsonl:Jsonl",
            "csv": "csv_table:CsvTable",
            "trl-sft": "trl_sft:TrlSft",
            "trl-dpo": "trl_dpo:TrlDpo",
        },
    ),
)
