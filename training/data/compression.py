"""Unpack compressed files, recognised by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, Any

import pyarrow as pa

from training.errors import DataError

_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, pa.ArrowException, zipfile.BadZipFile, RuntimeError)


def _open_sole_member(file: IO[bytes]) -> IO[bytes]:
    archive = zipfile.ZipFile(file)
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) != 1:
        raise zipfile.BadZipFile(f"{len(members)} files in it, and not one; unpack it")
    return archive.open(members[0])


_OPENERS: dict[bytes, tuple[str, Callable[[Any], Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"PK\x03\x04": ("zip", _open_sole_member),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
    b"\x28\xb5\x2f\xfd": ("zstd", lambda file: pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")),
}


def decompressed(label: str, file: IO[bytes], limit: int | None = None) -> bytes:
    """Read a file, unpacked if its first bytes are those of gzip, bzip2, xz, zstd or a zip of one file.

    Args:
        label: Its name for messages.
        file: At its beginning, and seekable.
        limit: How many unpacked bytes at most; None: all.

    Raises:
        DataError: What is packed is damaged.
        OSError: The file cannot be read.
    """
    head = file.read(6)
    file.seek(0)
    for magic, (name, opened) in _OPENERS.items():
        if head.startswith(magic):
            try:
                with opened(file) as unpacked:
                    content: bytes = unpacked.read() if limit is None else unpacked.read(limit)
                    return content
            except (
                EOFError,
                zlib.error,
                lzma.LZMAError,
                gzip.BadGzipFile,
                pa.ArrowException,
                OSError,
            ) as error:
                reason = f"expected {name}, got a damaged or truncated file ({error})"
                raise DataError(f"{label}: {reason}; fetch it again") from None
    return file.read() if limit is None else file.read(limit)
