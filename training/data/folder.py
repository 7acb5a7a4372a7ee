"""Read-only access to the files of a data set: one file, a directory, a zip or a tar."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from training.data.compression import decompressed
from training.errors import DataError

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, NotImplementedError)


class Folder(Protocol):
    """Files of a directory or an archive, down to one level of subdirectories; or one file."""

    @property
    def path(self) -> Path:
        """Path of the directory, archive or file."""

    def names(self) -> list[str]:
        """List the files relative to the folder, such as 'ml-100k/u.data'."""

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Read a file, unpacked if it is compressed.

        Args:
            name: One of `names`.
            limit: How many bytes at most; None: all.

        Raises:
            DataError: It cannot be read.
        """

    def label(self, name: str) -> str:
        """Return the file's name for messages."""


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """Open a directory, an archive or a file.

    Args:
        path: Path of any of them.

    Raises:
        DataError: It is missing, or unreadable.
    """
    try:
        if path.is_dir():
            yield _Directory(path)
        elif _begins_as_zip(path):
            with zipfile.ZipFile(path) as archive:
                members = {one.filename: one for one in archive.infolist() if not one.is_dir()}
                if "[Content_Types].xml" in members:
                    reason = "expected text, got a file of an office program; save it as CSV, in UTF-8"
                    raise DataError(f"{path}: {reason}")
                yield _Zip(path, archive)
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as tape:
                yield _Tar(path, tape)
        else:
            yield SingleFile(path)
    except FileNotFoundError as error:
        reason = "no such file or directory; give a file, a directory or its zip"
        raise DataError(f"{error.filename}: {reason}") from None
    except zipfile.BadZipFile:
        reason = "expected a zip, got a truncated one"
        raise DataError(f"{path}: {reason}; fetch it again") from None
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read: {error.strerror or error}") from None


def _begins_as_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


def _is_data(place: PurePosixPath) -> bool:
    return not any(part.startswith(".") or part == "__MACOSX" for part in place.parts)


@dataclass(frozen=True)
class _Directory:
    path: Path

    def names(self) -> list[str]:
        below = [one for pattern in ("*", "*/*") for one in self.path.glob(pattern)]
        places = [one.relative_to(self.path) for one in below if one.is_file()]
        return sorted(place.as_posix() for place in places if _is_data(PurePosixPath(place)))

    def read(self, name: str, limit: int | None = None) -> bytes:
        return SingleFile(self.path / name).read(name, limit)

    def label(self, name: str) -> str:
        return str(self.path / name)


@dataclass(frozen=True)
class SingleFile:
    """A file by itself: a folder that has nothing else."""

    path: Path

    def names(self) -> list[str]:
        """List the one file."""
        return [self.path.name]

    def read(self, _name: str, limit: int | None = None) -> bytes:
        """Read it, see `Folder.read`."""
        with self.path.open("rb") as file:
            return decompressed(str(self.path), file, limit)

    def label(self, _name: str) -> str:
        """Return its path."""
        return str(self.path)


@dataclass(frozen=True)
class _Zip:
    path: Path
    archive: zipfile.ZipFile

    @cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        # Some archivers write './u.data'.
        members = {PurePosixPath(one.filename): one for one in self.archive.infolist() if not one.is_dir()}
        return {str(at): one for at, one in members.items() if len(at.parts) <= 2 and _is_data(at)}

    def names(self) -> list[str]:
        return sorted(self._members)

    def read(self, name: str, limit: int | None = None) -> bytes:
        try:
            with self.archive.open(self._members[name]) as file:
                return decompressed(self.label(name), file, limit)
        except _DAMAGED as error:
            # RuntimeError: the member is encrypted, or compressed with an unknown method.
            reason = f"the zip is damaged here ({error or 'it ends early'}); fetch it again"
            raise DataError(f"{self.label(name)}: {reason}") from None

    def label(self, name: str) -> str:
        return f"{self.path}:{name}"


@dataclass(frozen=True)
class _Tar:
    path: Path
    tape: tarfile.TarFile

    @cached_property
    def _members(self) -> dict[str, tarfile.TarInfo]:
        try:
            members = {PurePosixPath(one.name): one for one in self.tape.getmembers() if one.isfile()}
        except (tarfile.TarError, EOFError, zlib.error) as error:
            reason = f"expected a tar, got a damaged or truncated one ({error}); fetch it again"
            raise DataError(f"{self.path}: {reason}") from None
        return {str(at): one for at, one in members.items() if len(at.parts) <= 2 and _is_data(at)}

    def names(self) -> list[str]:
        return sorted(self._members)

    def read(self, name: str, limit: int | None = None) -> bytes:
        file = self.tape.extractfile(self._members[name])
        if file is None:
            raise DataError(f"{self.label(name)}: expected a file, got something else; unpack the tar")
        try:
            with file:
                return decompressed(self.label(name), file, limit)
        except _DAMAGED as error:
            reason = f"the tar is damaged here ({error or 'it ends early'}); fetch it again"
            raise DataError(f"{self.label(name)}: {reason}") from None

    def label(self, name: str) -> str:
        return f"{self.path}:{name}"
