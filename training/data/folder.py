"""An unpacked directory or its zip: the files of a data set, read and never written."""

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
    """Files in a directory and, as archives have them, in the directories directly inside."""

    @property
    def path(self) -> Path:
        """The directory or the zip."""

    def names(self) -> list[str]:
        """The files, relative to the folder, like 'ml-100k/u.data'."""

    def read(self, name: str) -> bytes:
        """A file's bytes.

        Raises:
          DataError: they cannot be read.
        """

    def label(self, name: str) -> str:
        """The file as the user knows it, for messages."""


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """Opens a directory or a zip.

    Args:
      path: of either.

    Raises:
      DataError: it is missing, unreadable, or neither.
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
        reason = "expected a directory or a zip, got a file that is no zip, or a truncated one"
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
            # RuntimeError is of an encrypted member, or of one compressed in a way that Python does not know.
            reason = f"the zip is damaged here ({error or 'it ends early'}); fetch it again"
            raise DataError(f"{self.label(name)}: {reason}") from None

    def label(self, name: str) -> str:
        return f"{self.path}:{name}"
