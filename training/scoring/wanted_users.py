"""Which users are to be scored: all of a bundle, or those that a file lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.bundle.histories import Histories
from training.data.column_names import named
from training.data.encoding import as_utf8
from training.data.folder import SingleFile, open_folder
from training.data.parquet_file import is_parquet
from training.data.problems import Problems
from training.data.tabular_files import open_tabular
from training.errors import DataError

_MOST_NAMED = 3


@dataclass(frozen=True, eq=False)
class WantedUsers:
    """Users to be scored.

    Attributes:
        rows: int64 `[n]`, each once, in the order in which they are listed.
        unknown: Ids that the bundle does not know, each once.
    """

    rows: NDArray[np.int64]
    unknown: Sequence[str] = ()

    @classmethod
    def all_of(cls, histories: Histories) -> WantedUsers:
        """All users of a bundle, in its order."""
        return cls(np.arange(len(histories)))

    @classmethod
    def listed(cls, user_ids: Iterable[str], histories: Histories) -> WantedUsers:
        """The users of these ids.

        Raises:
            DataError: The bundle knows none of them.
        """
        found = {user_id: histories.user_row(user_id) for user_id in user_ids}
        rows = [row for row in found.values() if row is not None]
        wanted = cls(np.array(rows, np.int64), [user_id for user_id, row in found.items() if row is None])
        if not rows:
            raise DataError(
                f"expected users whose ratings the bundle was trained on, got {wanted.describe_unknown()}; "
                "name another list with --users, or another bundle"
            )
        return wanted

    def describe_unknown(self) -> str:
        """How many users are unknown, and the first of them."""
        examples = ", ".join(repr(user_id) for user_id in self.unknown[:_MOST_NAMED])
        more = ", ..." if len(self.unknown) > _MOST_NAMED else ""
        return f"{len(self.unknown):,} that the bundle does not know ({examples}{more})"


def read_user_ids(path: Path, column: str | None = None) -> list[str]:
    """Read a list of users.

    Args:
        path: A text file with an id in every line, empty lines aside; with `column` any file that training
            reads, such as CSV or Parquet.
        column: The column of the ids, by name or number.

    Raises:
        DataError: The file cannot be read, has no such column, or lists no user.
    """
    with open_folder(path) as folder:
        if not isinstance(folder, SingleFile):
            raise DataError(
                f"{path}: expected a file with a user id in every line, got a directory or archive"
            )
        content = folder.read(path.name)
        if column is not None and (is_parquet(content) or not _is_alone(column, content)):
            return _of_column(folder, column)
    text, _ = as_utf8(str(path), content, None, whole=True)
    lines = [line.removesuffix("\r") for line in text.decode("utf-8").split("\n")]
    ids = [line for line in lines[0 if column is None else 1 :] if line.strip()]
    if not ids:
        raise DataError(f"{path}: expected a user id in every line, got an empty file")
    return list(dict.fromkeys(ids))


def _is_alone(column: str, content: bytes) -> bool:
    """Whether a file has this one column: it has no separator by which to recognise CSV."""
    header, _, _ = content.partition(b"\n")
    return header.decode("utf-8", "replace").strip('\ufeff\r" ') == column


def _of_column(folder: SingleFile, column: str) -> list[str]:
    file = open_tabular(folder, folder.path.name)
    try:
        name = named(file.names, column)
    except KeyError:
        raise DataError(
            f"{folder.path}: expected the column {column}, got {', '.join(file.names)}; name another with "
            "--users-column"
        ) from None
    problems = Problems()
    _, ids = file.read([name], problems)[name].ids
    problems.refuse()
    if found := [user_id for user_id in ids if user_id]:
        return found
    raise DataError(f"{folder.path}: expected user ids in the column {name}, got none")
