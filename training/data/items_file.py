"""Titles, years, genres and further features of the items."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from service.bundle.title_year import year_of
from training.data.categories import Categories, read_categories, read_feature
from training.data.column_names import folded, named
from training.data.columns import Column, TabularFile
from training.data.field_checks import note_open_quotes, note_swallowed_rows, note_wrong_bytes
from training.data.html_entities import without_entities
from training.data.ids import merged_ids
from training.data.layouts import FLAGGED_GENRES
from training.data.problems import Problems
from training.errors import DataError

# The first in a release date such as 'Apr 3, 1998 to Apr 24, 1999'.
_YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(?!\d)")
_PLAIN_YEAR = re.compile(r"\d{1,4}(\.0)?")
_LEAST_FLAGS = 3


@dataclass
class Items:
    """Items in the order of their file.

    Attributes:
        ids: Distinct ids, shape [num_items].
        titles: Their titles, the id where there is none.
        genres: Their genres.
        years: Years of release, 0 if unknown.
        features: Further content features by name.
        kinds: How each column was read, in words, by role or feature.
        columns: The column of each role or feature.
    """

    ids: list[str]
    titles: list[str]
    genres: list[tuple[str, ...]]
    years: list[int]
    features: dict[str, list[tuple[str, ...]]]
    kinds: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)

    def with_ids(self, ids: Sequence[str]) -> Items:
        """Return these and further items, whose ids serve as titles."""
        nothing: list[tuple[str, ...]] = [()] * len(ids)
        return Items(
            [*self.ids, *ids],
            [*self.titles, *ids],
            [*self.genres, *nothing],
            [*self.years, *(0 for _ in ids)],
            {name: [*values, *nothing] for name, values in self.features.items()},
            self.kinds,
            self.columns,
        )

    @classmethod
    def of_ids(cls, ids: Sequence[str]) -> Items:
        """Return items of which nothing is known but their ids."""
        return cls([], [], [], [], {}).with_ids(ids)


def read_items(
    file: TabularFile, item: str, of_role: Mapping[str, str], features: Sequence[str], problems: Problems
) -> Items:
    """Read the items' file.

    Args:
        file: The file.
        item: The column of ids.
        of_role: Columns of the roles title, year and genres, as far as there are any.
        features: Columns that become content features, spelt as people do.
        problems: Where rows that cannot be read are noted.

    Raises:
        DataError: A feature's column is not there.
    """
    feature_columns = {name: _feature_column(file, name) for name in features}
    flags = [] if "genres" in of_role else flag_columns(file)
    columns = file.read([item, *of_role.values(), *flags, *feature_columns.values()], problems)
    title = columns[of_role["title"]] if "title" in of_role else None
    titles = _titles(title, columns[item])
    codes, ids = merged_ids(*columns[item].ids)
    is_empty = np.array([not one for one in ids], np.bool_)[codes]
    # Spreadsheets end in rows of nothing but separators.
    is_blank = is_empty & np.array([not one for one in titles], np.bool_)
    empty = np.flatnonzero(is_empty & ~is_blank)
    problems.add(file, empty, f"a {item}", lambda _: "an empty field", "fill it in")
    note_open_quotes(file, columns[item], problems)
    note_wrong_bytes(file, columns[item], problems)
    if title is not None:
        note_swallowed_rows(file, title, problems)
        note_wrong_bytes(file, title, problems)
    # Of equal rows the first counts.
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    first_title = [titles[row] for row in first[inverse]]
    is_other = np.array([one != two for one, two in zip(titles, first_title, strict=True)], np.bool_)
    again = np.flatnonzero(is_other & ~is_empty)
    problems.add(
        file, again, f"each {item} once", lambda row: f"{ids[codes[row]]!r} again", "keep one of them"
    )
    rows = np.flatnonzero(problems.kept(file, len(codes)) & ~is_empty)
    _, first = np.unique(codes[rows], return_index=True)
    rows = rows[np.sort(first)]
    genres = _genres(columns, of_role.get("genres"), flags)
    read = {name: read_feature(columns[column]) for name, column in feature_columns.items()}
    years = years_in(columns[of_role["year"]], titles) if "year" in of_role else [0] * len(titles)
    kinds = {"genres": genres.kind} if flags or "genres" in of_role else {}
    kinds |= {name: of.kind for name, of in read.items()}
    return Items(
        [ids[codes[row]] for row in rows],
        [titles[row] for row in rows],
        [genres.of_rows[row] for row in rows],
        [years[row] for row in rows],
        {name: [of.of_rows[row] for row in rows] for name, of in read.items()},
        kinds,
        {"item": item, **of_role, **feature_columns}
        | ({"genres": f"{len(flags)} columns of 0 and 1"} if flags else {}),
    )


def flag_columns(file: TabularFile) -> list[str]:
    """Return the columns of 0 and 1 that are named as MovieLens's genres, in its order."""
    spelt = {folded(name): name for name in file.names}
    flags = [spelt[folded(genre)] for genre in FLAGGED_GENRES if folded(genre) in spelt]
    are_flags = all({*map(str.strip, file.sample.get(name, ()))} <= {"0", "1"} for name in flags)
    return flags if are_flags and len(flags) >= _LEAST_FLAGS else []


def years_in(column: Column, titles: Sequence[str]) -> list[int]:
    """Return years of release, 0 if unknown.

    Where the column has dates, the year in the title goes before, as it names the film.

    Args:
        column: Years, or dates in any usual way of writing them.
        titles: Of the same rows.
    """
    texts = column.texts()
    plain = sum(1 for text in texts if _PLAIN_YEAR.fullmatch(text))
    of_title = [0] * len(texts) if 2 * plain >= len(texts) else [year_of(title) or 0 for title in titles]
    found = [_YEAR.search(text) for text in texts]
    return [of or (int(year[1]) if year else 0) for of, year in zip(of_title, found, strict=True)]


def _feature_column(file: TabularFile, name: str) -> str:
    try:
        return named(file.names, name)
    except KeyError:
        there = ", ".join(file.names)
        raise DataError(
            f"{file.label}: expected a column {name}, got {there}; correct --item-features"
        ) from None


def _genres(columns: Mapping[str, Column], genres: str | None, flags: Sequence[str]) -> Categories:
    if genres is not None:
        by_space = genres.endswith(":token_seq")
        return read_categories(columns[genres], by_comma=True, by_space=by_space)
    length = len(next(iter(columns.values())))
    if not flags:
        return Categories([()] * length, "none")
    rows = zip(*(columns[flag].texts() for flag in flags), strict=True)
    spelling = {folded(genre): genre for genre in FLAGGED_GENRES}
    names = [spelling[folded(flag)] for flag in flags]
    of_rows = [tuple(name for name, is_set in zip(names, row, strict=True) if is_set == "1") for row in rows]
    return Categories(of_rows, "columns of 0 and 1")


def _titles(title: Column | None, item: Column) -> list[str]:
    ids = item.texts()
    if title is None:
        return ids
    texts = (" ".join(text.split()) if "\n" in text or "\r" in text else text for text in title.texts())
    return [without_entities(text) or one for text, one in zip(texts, ids, strict=True)]
