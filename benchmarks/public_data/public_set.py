"""What is known of one public data set: its source, its contents and how to train on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class SourceFile:
    """A file of a repository, or a member of a zip there, and where it is put.

    Attributes:
        path: Path in the repository.
        member: Path inside the zip at `path`; empty: the file itself, even if it is a zip.
        name: Path below the set's directory; empty: the name it has.
    """

    path: str
    member: str = ""
    name: str = ""

    @property
    def laid_out(self) -> str:
        """Return the path below the set's directory."""
        return self.name or PurePosixPath(self.member or self.path).name


@dataclass(frozen=True)
class Repository:
    """Files of one public repository on GitHub at one commit."""

    name: str
    commit: str
    files: tuple[SourceFile, ...]


@dataclass(frozen=True)
class MadeFile:
    """A file written from others of the set, where what is published cannot be read as one table.

    Attributes:
        name: Path below the set's directory.
        write: Writes it, given the set's directory and its own path.
    """

    name: str
    write: Callable[[Path, Path], None]


@dataclass(frozen=True)
class PublicSet:
    """A public data set.

    Attributes:
        name: Name of its directory.
        kind: What is recommended, and from what.
        terms: Licence or terms of use, in a line.
        rows: Number of ratings or events.
        users: Number of users, or of sessions where no user is known.
        items: Number of items that occur in a row.
        times: Kind of times in the rows; empty: none.
        notes: What is peculiar about it.
        repositories: Where its files are from.
        data: What `--data` takes, below the directory of all sets.
        options: Further options to train on it.
        made: Files written from those fetched.
    """

    name: str
    kind: str
    terms: str
    rows: int
    users: int
    items: int
    times: str
    notes: str
    repositories: tuple[Repository, ...]
    data: str
    options: str = ""
    made: tuple[MadeFile, ...] = ()

    @property
    def laid_out(self) -> tuple[str, ...]:
        """Return the paths of all its files below its directory."""
        fetched = [file.laid_out for repository in self.repositories for file in repository.files]
        return (*fetched, *(made.name for made in self.made))
