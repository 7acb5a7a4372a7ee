"""Read-only access to the files of a data set in a directory or a zip."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from training.errors import DataError


class Folder(Protocol):
    """Files of a directory or zip, down to one level of subdirectories."""

    @property
    def path(self) -> Path:
        """Path of the directory or zip."""

    def names(self) -> list[str]:
        """List the files relative to the folder, such as 'ml-100k/u.data'."""

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises:
            DataError: It cannot be read.
        """

    def label(self, name: str) -> str:
        """Return the file's name for messages."""


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """Open a directory or a zip.

    Args:
        path: Path of either.

    Raises:
        DataError: It is missing, unreadable, or neither.
    """
    try:
        if path.is_dir():
            yield _Directory(path)
            return
        with zipfile.ZipFile(path) as archive:
            yield _Zip(path, archive)
    except FileNotFoundError as error:
        reason = "no such file or directory; give an unpacked directory or its zip"
        raise DataError(f"{error.filename}: {reason}") from None
    except zipfile.BadZipFile:
        reason = "expected a directory or a zip, got a file that is not a zip, or a truncated one"
        raise DataError(f"{path}: {reason}; fetch it again") from None
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read: {error.strerror or error}") from None


@dataclass(frozen=True)
class _Directory:
    path: Path

    def names(self) -> list[str]:
        below = [one for pattern in ("*", "*/*") for one in self.path.glob(pattern)]
        return sorted(one.relative_to(self.path).as_posix() for one in below if one.is_file())

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def label(self, name: str) -> str:
        return str(self.path / name)


@dataclass(frozen=True)
class _Zip:
    path: Path
    archive: zipfile.ZipFile

    @cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        # Some archivers write './u.data'.
        members = {PurePosixPath(one.filename): one for one in self.archive.infolist() if not one.is_dir()}
        return {str(place): one for place, one in members.items() if len(place.parts) <= 2}

    def names(self) -> list[str]:
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        try:
            return self.archive.read(self._members[name])
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            # RuntimeError: the member is encrypted, or compressed with an unknown method.
            reason = f"the zip is damaged here ({error or 'it ends early'}); fetch it again"
            raise DataError(f"{self.label(name)}: {reason}") from None

    def label(self, name: str) -> str:
        return f"{self.path}:{name}"
