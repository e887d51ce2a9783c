"""Values that keep a JSON Schema, made up: what a rehearsal writes into a field that is no prose.

A subset of JSON Schema 2020-12: types, `enum`, `const`, local `$ref`, `anyOf`, `oneOf`, `allOf`, objects with
`required` and `minProperties`, arrays with `prefixItems`, sizes and `uniqueItems`, bounds of numbers,
`multipleOf`, lengths and the usual formats of strings. What it does not know (`pattern`, `not`, `if`) it does
not heed.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from seedbed.models.imitation import invented

Schema: TypeAlias = Mapping[str, Any]

_DEEPEST = 6
_TRIES = 20
_SPAN = 1000
_FORMATS: Mapping[str, Callable[[random.Random], str]] = {
    "date": lambda rng: f"{rng.randint(1990, 2029)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
    "time": lambda rng: f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:00Z",
    "date-time": lambda rng: f"{_FORMATS['date'](rng)}T{_FORMATS['time'](rng)}",
    "duration": lambda rng: f"P{rng.randint(1, 60)}D",
    "email": lambda rng: f"{_name(rng).replace(' ', '.').lower()}@example.org",
    "hostname": lambda rng: f"{_name(rng).split()[0].lower()}.example.org",
    "ipv4": lambda rng: f"192.0.2.{rng.randint(1, 254)}",
    "uri": lambda rng: f"https://example.org/{rng.randrange(100_000)}",
    "uuid": lambda rng: "-".join(f"{rng.getrandbits(4 * size):0{size}x}" for size in (8, 4, 4, 4, 12)),
}


def value_for(schema: Any, rng: random.Random, root: Schema | None = None, depth: int = 0) -> Any:
    """A value that the schema allows. `root` is the whole that a `$ref` points into (default: the schema)."""
    root = schema if root is None else root
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
        return value_for(_merged([rest, _choice(choices, root, rng, depth)], root), rng, root, depth)
    match _type(schema, rng, depth):
        case "object":
            return _object(schema, rng, root, depth)
        case "array":
            return _array(schema, rng, root, depth)
        case "integer":
            return int(_number(schema, rng, whole=True))
        case "number":
            return _number(schema, rng, whole=False)
        case "boolean":
            return rng.random() < 0.5
        case "null":
            return None
        case _:
            return _string(schema, rng)


def scalars(value: Any) -> Iterator[str]:
    """Every text and number in a value, as text, in order."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scalars(inner)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _resolved(schema: Any, root: Schema) -> Schema:
    """The schema itself in the place of references to it, with what stands under `allOf` beside it."""
    whole: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}  # true allows anything
    for _ in range(_TRIES):
        if "$ref" not in whole:
            break
        found: Any = root
        for step in whole.pop("$ref").removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        whole = {**(found if isinstance(found, Mapping) else {}), **whole}
    parts = whole.pop("allOf", None)
    return _merged([whole, *parts], root) if parts else whole


def _merged(parts: Sequence[Any], root: Schema) -> Schema:
    merged: dict[str, Any] = {}
    for part in (_resolved(part, root) for part in parts):
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", ()), *part.get("required", ())]
        merged |= part
        if properties:
            merged |= {"properties": properties, "required": list(dict.fromkeys(required))}
    return merged


def _choice(choices: Sequence[Any], root: Schema, rng: random.Random, depth: int) -> Any:
    """Deep down one that ends: of a recursive schema the branch that does not go on."""
    if depth < _DEEPEST:
        return rng.choice(choices)
    flat = [
        choice
        for choice in choices
        if "$ref" not in choice and choice.get("type") not in ("object", "array") and choice is not True
    ]
    return rng.choice(flat or choices)


def _type(schema: Schema, rng: random.Random, depth: int) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return "null" if depth >= _DEEPEST and "null" in kind else str(rng.choice(kind))
    if kind is None:
        for key, meant in (("properties", "object"), ("items", "array"), ("minimum", "number")):
            if key in schema:
                return meant
    return str(kind)


def _object(schema: Schema, rng: random.Random, root: Schema, depth: int) -> dict[str, Any]:
    properties, required = schema.get("properties", {}), schema.get("required", ())
    names = [name for name in properties if name in required or (depth < _DEEPEST and rng.random() < 0.7)]
    made = {name: value_for(properties[name], rng, root, depth + 1) for name in names}
    for name in (name for name in required if name not in properties):
        made[name] = _name(rng)
    other = schema.get("additionalProperties", True)
    while len(made) < schema.get("minProperties", 0) and other is not False:
        made[_name(rng)] = value_for(other, rng, root, depth + 1)
    return made


def _array(schema: Schema, rng: random.Random, root: Schema, depth: int) -> list[Any]:
    first = schema.get("prefixItems", [])
    fewest = schema.get("minItems", 0 if depth >= _DEEPEST else 1)
    most = min(schema.get("maxItems", fewest + 2), fewest + 2)
    made: list[Any] = [value_for(item, rng, root, depth + 1) for item in first[:most]]
    if schema.get("items") is False:
        return made
    seen = {json.dumps(item, sort_keys=True) for item in made}
    size = rng.randint(fewest, most) if depth < _DEEPEST else fewest
    for _ in range(_TRIES * max(1, size)):
        if len(made) >= size:
            break
        item = value_for(schema.get("items", {}), rng, root, depth + 1)
        if schema.get("uniqueItems") and json.dumps(item, sort_keys=True) in seen:
            continue
        seen.add(json.dumps(item, sort_keys=True))
        made.append(item)
    return made


def _number(schema: Schema, rng: random.Random, *, whole: bool) -> float:
    """A multiple of the step between the bounds, which are 0 and a thousand steps where there are none."""
    step: float = schema.get("multipleOf", 1 if whole else 0.01)
    low: float | None = schema.get("minimum")
    high: float | None = schema.get("maximum")
    if (above := schema.get("exclusiveMinimum")) is not None:
        low = max(above, low) if low is not None else above
    if (below := schema.get("exclusiveMaximum")) is not None:
        high = min(below, high) if high is not None else below
    if low is None:
        low = 0 if high is None or high > 0 else high - _SPAN * step
    if high is None:
        high = low + _SPAN * step
    first, last = math.ceil(low / step), math.floor(high / step)
    if above is not None and first * step <= above:
        first += 1
    if below is not None and last * step >= below:
        last -= 1
    if first > last:  # no multiple of the step lies between the bounds, which are then close
        return (low + high) / 2
    chosen = rng.randint(first, last) * step
    return chosen if whole or isinstance(step, int) else round(chosen, 10)


def _string(schema: Schema, rng: random.Random) -> str:
    if (known := _FORMATS.get(schema.get("format", ""))) is not None:
        return known(rng)
    text = _name(rng)
    while len(text) < schema.get("minLength", 0):
        text += f" {_name(rng)}"
    most = schema.get("maxLength", len(text))
    return text[:most].strip().ljust(min(most, schema.get("minLength", 0)), "x")


def _name(rng: random.Random) -> str:
    return invented(rng).partition(" from ")[0]
