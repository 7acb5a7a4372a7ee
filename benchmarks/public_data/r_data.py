"""Values saved by R (`.rda`), read without R: as much of its serialization as data sets need.

The format is in "R Internals", section 1.8: big-endian XDR, named values in a pairlist.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

_DECOMPRESS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZ": bz2.decompress,
    b"\xfd7": lzma.decompress,
}
_HAS_ATTRIBUTES, _HAS_TAG, _IS_LATIN_1 = 0x200, 0x400, 0x4000
_PAIRLIST, _LOGICAL, _INTEGER, _REAL, _STRINGS, _LIST, _S4 = 2, 10, 13, 14, 16, 19, 25


class NotReadable(Exception):
    """A file that is not R's, or holds a kind of value this reader does not know."""


@dataclass
class RValue:
    """One value of R: a NumPy array, a list, or None for an S4 object, whose slots are its attributes."""

    value: Any
    attributes: dict[str, RValue] = field(default_factory=dict)


def read_r_data(path: Path) -> dict[str, RValue]:
    """Return the values of an `.rda` file by name.

    Raises:
        NotReadable: it is not such a file.
    """
    raw = path.read_bytes()
    content = _DECOMPRESS.get(raw[:2], bytes)(raw)
    if content[:7] not in {b"RDX2\nX\n", b"RDX3\nX\n"}:
        raise NotReadable(f"{path}: expected R's binary data (RDX2 or RDX3), found {content[:7]!r}")
    reader = _Reader(content, at=7)
    version, _, _ = reader.integer(), reader.integer(), reader.integer()
    if version == 3:
        reader.take(reader.integer())  # the name of the encoding
    pairs = reader.item()
    if not isinstance(pairs, dict):
        raise NotReadable(f"{path}: expected named values, found {type(pairs).__name__}")
    return pairs


class _Reader:
    """The items of a serialization, one after the other; symbols are kept, for later items refer to them."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self._at = content, at
        self._symbols: list[str] = []

    def take(self, size: int) -> bytes:
        self._at += size
        return self._content[self._at - size : self._at]

    def integer(self) -> int:
        return int.from_bytes(self.take(4), "big", signed=True)

    def item(self) -> Any:
        """Return an RValue; a str for a symbol or a string, a dict for a pairlist, None for nil."""
        return self._item(self.integer())

    def _item(self, flags: int) -> Any:
        kind = flags & 0xFF
        match kind:
            case 254:  # nil
                result: Any = None
            case 255:  # the symbol of that number
                result = self._symbols[(flags >> 8 or self.integer()) - 1]
            case 1:
                result = self.item()
                self._symbols.append(result)
            case 9:
                length = self.integer()
                encoding = "latin-1" if flags & _IS_LATIN_1 else "utf-8"
                result = None if length < 0 else self.take(length).decode(encoding)
            case 2:
                result = self._pairs(flags)
            case 238:
                result = self._wrapped()
            case _:
                result = self._vector(kind, flags)
        return result

    def _pairs(self, flags: int) -> dict[str, RValue]:
        pairs: dict[str, RValue] = {}
        while flags & 0xFF == _PAIRLIST:
            if flags & _HAS_ATTRIBUTES:
                self.item()
            name = self.item() if flags & _HAS_TAG else str(len(pairs))
            pairs[name] = self.item()
            flags = self.integer()
        self._item(flags)  # nil, or in a dotted pair what is not needed here
        return pairs

    def _wrapped(self) -> Any:
        """Return a vector that R saved as a pair of itself and notes on whether it is sorted."""
        name, state, _ = next(iter(self.item().values())), self.item(), self.item()
        if not str(name).startswith("wrap_"):
            raise NotReadable(f"R's representation {name} at byte {self._at} is not among those read here")
        return next(iter(state.values()))

    def _vector(self, kind: int, flags: int) -> RValue:
        value: Any = None
        if kind in {_LOGICAL, _INTEGER}:
            value = np.frombuffer(self.take(4 * self.integer()), ">i4")
        elif kind == _REAL:
            value = np.frombuffer(self.take(8 * self.integer()), ">f8")
        elif kind in {_STRINGS, _LIST}:
            value = [self.item() for _ in range(self.integer())]
        elif kind != _S4:
            raise NotReadable(f"R's kind of value {kind} at byte {self._at} is not among those read here")
        return RValue(value, (self.item() or {}) if flags & _HAS_ATTRIBUTES else {})
