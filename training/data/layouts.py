"""GroupLens's files that have no header: their names, separators and columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from training.data.dialect import Dialect, head, sample_rows, usual_length

# Genre flags at the end of a line of u.item, in order.
FLAGGED_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)


@dataclass(frozen=True)
class Layout:
    """A file without a header: what stands between its fields, and what they are."""

    separator: str
    fields: tuple[str, ...]

    def fits(self, content: bytes) -> bool:
        """Whether most lines of a file have as many fields as this layout."""
        return usual_length(sample_rows(head(content), self.dialect)) == len(self.fields)

    @property
    def dialect(self) -> Dialect:
        """How the file is written; quotation marks are ordinary characters."""
        return Dialect(self.separator)


_RATING = ("userId", "movieId", "rating", "timestamp")
_MOVIE = ("movieId", "title", "genres")
# Not called a release date, from which a year would be read: 'unknown' has one too.
_ITEM = ("movieId", "title", "in cinemas", "on video", "address", *FLAGGED_GENRES)

_LAYOUTS = {
    "u.data": Layout("\t", _RATING),
    "u.item": Layout("|", _ITEM),
    "u.user": Layout("|", ("userId", "age", "gender", "occupation", "zip")),
    "ratings.dat": Layout("::", _RATING),
    "movies.dat": Layout("::", _MOVIE),
    "users.dat": Layout("::", ("userId", "gender", "age", "occupation", "zip")),
}

_USERS_FILES = ("u.user", "users.dat")


def is_layout_name(name: str) -> bool:
    """Whether a file has the name of one of GroupLens's."""
    return PurePosixPath(name).name in _LAYOUTS


def is_users_file(name: str, columns: tuple[str, ...]) -> bool:
    """Whether a file is one of GroupLens's with features of users, by its name and columns."""
    layout = _LAYOUTS.get(PurePosixPath(name).name)
    return PurePosixPath(name).name in _USERS_FILES and layout is not None and layout.fields == columns


def layout_of(name: str, content: bytes) -> Layout | None:
    """Return the layout of a file with the name of one of GroupLens's, if it is written as theirs.

    Args:
        name: Path or name of the file.
        content: Its text in UTF-8.
    """
    layout = _LAYOUTS.get(PurePosixPath(name).name)
    return layout if layout and layout.fits(content) else None
