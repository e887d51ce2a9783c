"""Compression ratio: how much of the texts a compressor finds to be repetition.

Raw bytes ÷ compressed bytes, at equal raw length (Shaib et al. 2024, arXiv 2403.00553). gzip looks
back 32 KB, so that it sees phrases that stand near one another; xz sees the whole sample, and with
it the copy at the other end.
"""

from __future__ import annotations

import lzma
import zlib
from abc import ABC, abstractmethod
from typing import ClassVar

from seedbed.metrics.protocol import Better, Needs, Numbers, Side

XZ_DICTIONARY = 1 << 22
"""Bytes that xz looks back; longer samples do not come."""


class _Compression(ABC):
    better: ClassVar[Better] = "lower"
    margin: ClassVar[float] = 0.1
    relative: ClassVar[bool] = True
    ceiling: ClassVar[float | None] = None
    needs: ClassVar[Needs] = "texts"

    def prepare(self, side: Side) -> list[bytes]:
        return [text.encode("utf-8", "surrogatepass") for text in side.texts]

    def size(self, prepared: list[bytes], rows: Numbers) -> int:
        return sum(len(prepared[row]) + 1 for row in rows)

    def value(self, prepared: list[bytes], rows: Numbers, size: int) -> float:
        raw = b"".join(prepared[row] + b"\n" for row in rows)[:size]
        return len(raw) / self._compressed(raw)

    @abstractmethod
    def _compressed(self, raw: bytes) -> int: ...


class CompressionGzip(_Compression):
    """The method of gzip (DEFLATE) at its usual level."""

    name: ClassVar[str] = "compression_gzip"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Compression ratio (gzip)"

    def _compressed(self, raw: bytes) -> int:
        return len(zlib.compress(raw, 6))


class CompressionXz(_Compression):
    """The method of xz (LZMA2) in its quick mode, which finds far copies as well as its slow ones."""

    name: ClassVar[str] = "compression_xz"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Compression ratio (xz)"

    def _compressed(self, raw: bytes) -> int:
        # As large as the data: clearing a large empty dictionary costs more than compressing.
        dictionary = min(max(4096, 1 << len(raw).bit_length()), XZ_DICTIONARY)
        how = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": dictionary}]
        return len(lzma.compress(raw, format=lzma.FORMAT_RAW, filters=how))
