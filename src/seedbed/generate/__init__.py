"""Methods of generation, one file each, and the table that names them."""

from __future__ import annotations

from typing import Any

from seedbed.core.registry import Table


def _direct() -> Any:
    from seedbed.generate.direct import Direct

    return Direct


def _template() -> Any:
    from seedbed.generate.template import Template

    return Template


METHODS: Table[Any] = Table("method", "seedbed.methods", {"direct": _direct, "template": _template})
