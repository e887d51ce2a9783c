"""Columns whose values are no text: conversations, records, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


class StructuredColumn:
    """Reads the values of one column by their schema, that of an object with the value as its one field."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        import jsonschema_rs

        (self._field,) = schema["properties"]
        # Masked, for the rows may be those of an eval, which no message may quote.
        self._validator = jsonschema_rs.Draft202012Validator(dict(schema), mask="what stands there")

    def read(self, value: Any) -> Any:
        """The value, read from JSON where it is text and the schema allows none.

        Raises ValueError, which quotes no value, where it does not fit the schema.
        """
        if isinstance(value, str) and not self._validator.is_valid({self._field: value}):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError as error:
                raise ValueError(f"is no JSON at character {error.pos + 1} ({error.msg})") from None
        found = next(self._validator.iter_errors({self._field: value}), None)
        if found is not None:
            _, *at = map(str, found.instance_path) if found.instance_path else ("",)
            where = f" at {'/'.join(at)}" if at else ""
            raise ValueError(f"does not fit its schema{where}: {found.message}")
        return value
