"""Values of JSON, and texts that have to be some, held to a JSON Schema."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from seedbed.verify.outcome import PASSED, Outcome, failed

if TYPE_CHECKING:
    import jsonschema_rs


def check_json(value: Any, schema: bytes) -> Outcome:
    """Whether a field's value, or the JSON that its text is, keeps a schema."""
    try:
        value = plain_value(value)
    except ValueError as error:
        return failed("invalid_json", message=str(error))
    if (found := first_error(schema, value)) is not None:
        return failed("breaks_schema", path=found[0], message=found[1])
    return PASSED


def plain_value(value: Any) -> Any:
    """The value that a text of JSON is; of no text, the value itself. Raises ValueError."""
    return orjson.loads(value) if isinstance(value, str) else value


def first_error(schema: bytes, value: Any, *, trusted: bool = True) -> tuple[str, str] | None:
    """(path, message) of the first thing wrong, as `answer/0/text`; None where all is well."""
    try:
        error = next(validator(schema, trusted=trusted).iter_errors(value), None)
    except ValueError as refused:  # a value that JSON has no form for
        return "", str(refused)
    if error is None:
        return None
    return "/".join(str(part) for part in error.instance_path), error.message


@lru_cache(maxsize=256)
def validator(schema: bytes, *, trusted: bool = True) -> jsonschema_rs.Draft202012Validator:
    """A compiled validator cannot be pickled, so each process compiles its own, once.

    Nothing that a schema refers to is fetched. The patterns of one that nobody vouches for are matched in
    linear time, which takes no look-ahead. Raises ValueError where it is no schema.
    """
    import jsonschema_rs

    patterns = jsonschema_rs.FancyRegexOptions() if trusted else jsonschema_rs.RegexOptions()
    return jsonschema_rs.Draft202012Validator(
        orjson.loads(schema), retriever=_fetch_nothing, pattern_options=patterns
    )


def _fetch_nothing(address: str) -> Any:
    raise ValueError(f"refers to {address}, which is not in the schema")
