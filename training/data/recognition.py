"""Which files of a folder have ratings, items and users, by their names and columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from training.data.candidates import Candidate, as_items, as_ratings, names_by_title, require_ratings
from training.data.column_names import folded
from training.data.columns import TabularFile
from training.data.folder import Folder
from training.data.layouts import is_layout_name, is_users_file
from training.data.reading_options import ReadingOptions
from training.data.tabular_files import peek_tabular
from training.errors import DataError

_NO_DATA = {
    *(".md", ".html", ".htm", ".pdf", ".py", ".ipynb", ".r", ".png", ".jpg", ".jpeg", ".xlsx", ".xls", ".sh"),
    *(
        ".log",
        ".yaml",
        ".yml",
        ".toml",
        ".sql",
        ".db",
        ".pkl",
        ".npz",
        ".npy",
        ".doc",
        ".docx",
        ".rtf",
        ".bib",
    ),
}
_ABOUT = (
    "readme",
    "license",
    "licence",
    "changes",
    "copying",
    "citation",
    "makefile",
    "checksums",
    "md5",
    "sha",
)
_RATINGS_STEMS = {
    *("rating", "ratings", "review", "reviews", "interaction", "interactions", "event", "events", "plays"),
    *("bxbookratings", "bookratings", "movieratings", "udata", "userratings", "transactions", "purchases"),
}
_ITEMS_STEMS = {
    *("movie", "movies", "item", "items", "book", "books", "product", "products", "anime", "animes", "game"),
    *("games", "song", "songs", "track", "tracks", "artist", "artists", "business", "businesses", "bxbooks"),
    *("uitem", "films", "film", "restaurants", "jokes", "articles", "news", "recipes", "metadata", "meta"),
}


@dataclass
class Recognised:
    """Files of a folder.

    Attributes:
        ratings: The one with ratings.
        items: Those that may have the items, the likeliest first.
        users: GroupLens's file of users, if it is there.
        notes: Files that were left alone, with the reason.
        others: Names of all others that could be read; one may have the items.
    """

    ratings: Candidate
    items: list[Candidate] = field(default_factory=list)
    users: str | None = None
    notes: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def recognise(folder: Folder, options: ReadingOptions) -> Recognised:
    """Find the files.

    Raises:
        DataError: No file has ratings, or several have; or one that has the name of such a file is empty.
    """
    names = [name for name in folder.names() if not _is_about(name)]
    notes: list[str] = []
    files = _peeked(folder, names, options, notes)
    for depth in (1, 2):
        here = {name: file for name, file in files.items() if len(PurePosixPath(name).parts) == depth}
        candidates = [one for name, file in here.items() if (one := as_ratings(name, file, options))]
        if not candidates:
            continue
        ratings = _chosen(folder, candidates, _rank, "ratings", "--data")
        directory = PurePosixPath(ratings.name).parent
        beside = {name: file for name, file in here.items() if PurePosixPath(name).parent == directory}
        del beside[ratings.name]
        users = next((name for name, file in beside.items() if is_users_file(name, file.names)), None)
        items = [
            one
            for name, file in beside.items()
            if name != users and (one := as_items(name, file)) and not _is_diary(one, options)
        ]
        items.sort(key=lambda one: (-_is_usual(one.name, _ITEMS_STEMS), -len(one.found.of_role)))
        others = [name for name in files if name not in {ratings.name, users}]
        return Recognised(ratings, items, users, notes, others)
    likely = [name for name in files if _is_usual(name, _RATINGS_STEMS)]
    likely = likely or [name for name, file in files.items() if not as_items(name, file)]
    if len(likely) == 1:
        require_ratings(files[likely[0]], options)
    raise DataError(_nothing_found(folder, files, notes))


def _peeked(
    folder: Folder, names: Sequence[str], options: ReadingOptions, notes: list[str]
) -> dict[str, TabularFile]:
    files = {}
    for name in names:
        try:
            files[name] = peek_tabular(folder, name, options.encoding)
        except DataError as error:
            if _is_usual(name, _RATINGS_STEMS | _ITEMS_STEMS) or is_layout_name(name):
                raise
            notes.append(f"left alone: {error}")
    return files


def _chosen(
    folder: Folder,
    candidates: list[Candidate],
    rank: Callable[[Candidate], tuple[int, ...]],
    what: str,
    option: str,
) -> Candidate:
    best = max(rank(one) for one in candidates)
    first = [one for one in candidates if rank(one) == best]
    if len(first) > 1:
        several = ", ".join(one.name for one in first)
        example = folder.label(first[0].name)
        how = f"give the path of one with {option} {example}"
        raise DataError(
            f"{folder.path}: expected one file of {what}, got {several}; {how}, and --items if it needs one"
        )
    return first[0]


def _rank(candidate: Candidate) -> tuple[int, ...]:
    there = {*candidate.found.of_role, *candidate.found.several}
    signal = 3 * ("rating" in there) or 2 * bool({"weight", "event"} & there)
    # An account of a user has a name, which may be an item's title.
    has_id = not names_by_title(candidate.found)
    usual = _is_usual(candidate.name, _RATINGS_STEMS) + (not has_id and "rating" in candidate.name.lower())
    return (signal, int(has_id), usual, int(candidate.file.is_named))


def _is_diary(candidate: Candidate, options: ReadingOptions) -> bool:
    """Whether a file is no items' but another account of what one person watched, as Letterboxd has."""
    is_one_persons = options.user is not None and names_by_title(candidate.found)
    return is_one_persons and as_ratings(candidate.name, candidate.file, options) is not None


def _is_usual(name: str, stems: set[str]) -> bool:
    return (
        folded(PurePosixPath(name).name.split(".")[0]) in stems or folded(PurePosixPath(name).name) in stems
    )


def _is_about(name: str) -> bool:
    place = PurePosixPath(name)
    return place.suffix.lower() in _NO_DATA or place.name.lower().startswith(_ABOUT)


def _nothing_found(folder: Folder, files: Mapping[str, TabularFile], notes: Sequence[str]) -> str:
    there = "; ".join(f"{name} ({', '.join(file.names[:12])})" for name, file in list(files.items())[:12])
    expected = (
        "a file with a column of users and one of items, named as usual or with --columns user=...,item=..."
    )
    nothing = "none, nor in a directory in it; give the path of the file or of its directory"
    return f"{folder.path}: expected {expected}; got {there or nothing}" + "".join(
        f"; {note}" for note in notes
    )
