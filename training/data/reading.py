"""Ratings that were read, and how their files were understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.data.table import RatingsTable


@dataclass(frozen=True)
class FileRead:
    """A file as it was understood.

    Attributes:
        name: Its name.
        purpose: 'ratings', 'items' or 'users'.
        description: Its format and encoding.
        columns: The column of each role.
        kinds: How columns were read, in words, by role.
    """

    name: str
    purpose: str
    description: str
    columns: Mapping[str, str]
    kinds: Mapping[str, str]

    def in_words(self) -> str:
        """Return one line for people."""
        rows = (
            f"{role} = {column or kind}" + (f" ({kind})" if column and kind else "")
            for role, column, kind in self.rows()
        )
        return f"{self.name}: {self.description}; {', '.join(rows)}"

    def rows(self) -> list[tuple[str, str, str]]:
        """Return each role, its column and how it was read; '' for none."""
        roles = dict.fromkeys((*self.columns, *self.kinds))
        return [(role, self.columns.get(role, ""), self.kinds.get(role, "")) for role in roles]

    def to_document(self) -> dict[str, Any]:
        """Convert to JSON values."""
        columns = [{"role": role, "column": column, "read_as": kind} for role, column, kind in self.rows()]
        return {"name": self.name, "purpose": self.purpose, "format": self.description, "columns": columns}


@dataclass(frozen=True)
class Reading:
    """Ratings, and how their files were understood.

    Attributes:
        table: The ratings.
        files: The files that were read, that of the ratings first.
        warnings: What may not be as it was meant, and the option that says how it is.
        notes: Files that were left alone.
        num_rows: Rows of the ratings' file that could be read.
        num_skipped: Rows of all files that could not, with `skip_bad_rows`.
        skipped: Messages about the first of these.
        num_unknown_items: Rated items without a row in the items' file; 0 without such a file.
        share_tied: Share of the pairs of a user's ratings with equal times, if these were dropped for it.
    """

    table: RatingsTable
    files: tuple[FileRead, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    num_rows: int = 0
    num_skipped: int = 0
    skipped: tuple[str, ...] = ()
    num_unknown_items: int = 0
    share_tied: float | None = None
