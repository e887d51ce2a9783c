"""Stable identities: a normal form of plain values that this project owns, and its hash.

The reply log, cells and records are found again by these hashes, so a change of the
normal form would ask (and pay for) everything anew. It therefore depends on no library:
golden hashes in the tests pin it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

DIGEST_BYTES = 16


def normal_form(value: Any) -> str:
    """Return the one text that stands for a plain value (None, bool, int, float, str, list, map).

    Maps are sorted by key; a float with a whole value reads like the integer, so that `1` and
    `1.0` in a recipe are the same setting. Raises TypeError for anything else, ValueError for
    a float that is not finite.
    """
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts)


def _write(value: Any, parts: list[str]) -> None:
    if value is None:
        parts.append("n")
    elif value is True:
        parts.append("t")
    elif value is False:
        parts.append("f")
    elif isinstance(value, str):
        parts.append(f"s{len(value)}:{value}")
    elif isinstance(value, int):
        parts.append(f"i{value};")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} has no normal form; use a finite number")
        parts.append(f"i{int(value)};" if value.is_integer() else f"d{value!r};")
    elif isinstance(value, Mapping):
        parts.append("{")
        for key in sorted(value):
            if not isinstance(key, str):
                raise TypeError(f"a map key must be text, not {type(key).__name__}")
            _write(key, parts)
            _write(value[key], parts)
        parts.append("}")
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        parts.append("[")
        for item in value:
            _write(item, parts)
        parts.append("]")
    else:
        raise TypeError(f"{type(value).__name__} has no normal form")


def digest(kind: str, value: Any) -> bytes:
    """16-byte BLAKE2b of a value's normal form; `kind` keeps the hashes of unlike things apart."""
    data = (kind + "\0" + normal_form(value)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


def short_id(kind: str, value: Any) -> str:
    """24 hexadecimal digits (96 bits) of `digest`: readable in a table, safe to a billion things."""
    return digest(kind, value).hex()[:24]


def seed_from(*parts: str | int | bytes) -> int:
    """A non-negative 63-bit number that depends on the parts alone: a seed for a generator."""
    data = "\0".join(p.hex() if isinstance(p, bytes) else str(p) for p in parts)
    raw = hashlib.blake2b(data.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "big") >> 1
