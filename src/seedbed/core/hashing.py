"""Stable identities: a normal form of plain values that this project owns, and its hash.

The reply log, cells and records are found again by these hashes, so a change of the
normal form would ask (and pay for) everything anew. It therefore depends on no library:
golden hashes in the tests pin it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

DIGEST_BYTES = 16


class NormalForm(str):
    """A normal form that was made before and stands for its value within a larger one."""

    __slots__ = ()

    @classmethod
    def of(cls, value: Any) -> NormalForm:
        return cls(normal_form(value))


def normal_form(value: Any) -> str:
    """Return the one text that stands for a plain value (None, bool, int, float, str, list, map).

    Maps are sorted by key; a float with a whole value reads like the integer, so that `1` and
    `1.0` in a recipe are the same setting. Raises TypeError for anything else, ValueError for
    a float that is not finite, RecursionError for a value that is nested some hundred levels deep.
    """
    # A run hashes millions of values: those of the plain types are told apart by one look-up.
    form = _FORMS.get(type(value))
    return form(value) if form is not None else _form_of_kin(value)


def _form_of_float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} has no normal form; use a finite number")
    return f"i{int(value)};" if value.is_integer() else f"d{value!r};"


def _form_of_map(value: Mapping[Any, Any]) -> str:
    parts = ["{"]
    for key in sorted(value):
        if not isinstance(key, str):
            raise TypeError(f"a map key must be text, not {type(key).__name__}")
        parts.append(f"s{len(key)}:{key}" if type(key) is str else normal_form(key))
        item = value[key]
        parts.append(f"s{len(item)}:{item}" if type(item) is str else normal_form(item))
    parts.append("}")
    return "".join(parts)


def _form_of_list(value: Sequence[Any]) -> str:
    # Most of what is hashed is text: it is put down without a call.
    return f"[{''.join([f's{len(v)}:{v}' if type(v) is str else normal_form(v) for v in value])}]"


def form_of_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """The normal form of a list of pairs of texts, such as the messages of a request."""
    return f"[{''.join([f'[s{len(a)}:{a}s{len(b)}:{b}]' for a, b in pairs])}]"


_FORMS: dict[type, Callable[[Any], str]] = {
    str: lambda value: f"s{len(value)}:{value}",
    NormalForm: str,
    type(None): lambda value: "n",
    bool: lambda value: "t" if value else "f",
    int: lambda value: f"i{value};",
    float: _form_of_float,
    dict: _form_of_map,
    list: _form_of_list,
    tuple: _form_of_list,
}


def _form_of_kin(value: Any) -> str:
    """The form of a value whose type only passes for a plain one: an enum's member, a read-only map."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return _FORMS[kind](value)
    if isinstance(value, Mapping):
        return _form_of_map(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return _form_of_list(value)
    raise TypeError(f"{type(value).__name__} has no normal form")


def digest(kind: str, value: Any) -> bytes:
    """16-byte BLAKE2b of a value's normal form; `kind` keeps the hashes of unlike things apart."""
    data = f"{kind}\0{normal_form(value)}".encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=DIGEST_BYTES).digest()


def digests_after(kind: str, *first: Any) -> Callable[[str], bytes]:
    """`last -> digest(kind, [*first, last])`, for many texts after the same first values."""
    form = f"{kind}\0[{''.join(map(normal_form, first))}"
    begun = blake2b(form.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES)

    def finish(last: str) -> bytes:
        whole = begun.copy()
        whole.update(f"s{len(last)}:{last}]".encode("utf-8", "surrogatepass"))
        return whole.digest()

    return finish


def short_id(kind: str, value: Any) -> str:
    """24 hexadecimal digits (96 bits) of `digest`: readable in a table, safe to a billion things."""
    return digest(kind, value).hex()[:24]


def seed_from(*parts: str | int | bytes) -> int:
    """A non-negative 63-bit number that depends on the parts alone: a seed for a generator."""
    return int.from_bytes(_seed_hash(parts).digest(), "big") >> 1


def seeds_after(*parts: str | int | bytes) -> Callable[[str], int]:
    """`last -> seed_from(*parts, last)`, for many last parts after the same first ones."""
    begun = _seed_hash((*parts, ""))

    def seed(last: str) -> int:
        whole = begun.copy()
        whole.update(last.encode("utf-8", "surrogatepass"))
        return int.from_bytes(whole.digest(), "big") >> 1

    return seed


def _seed_hash(parts: Iterable[str | int | bytes]) -> blake2b:
    data = "\0".join([p.hex() if isinstance(p, bytes) else str(p) for p in parts])
    return blake2b(data.encode("utf-8", "surrogatepass"), digest_size=8)
