"""Read ratings from files of any origin: recognise them, read them, and say how they were understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from training.data.assembly import assemble_movies, assemble_ratings, share_tied
from training.data.candidates import Candidate, columns_to_read, names_by_title, require_ratings
from training.data.column_names import Found
from training.data.columns import TabularFile
from training.data.folder import Folder, SingleFile, open_folder
from training.data.items_file import Items, read_items
from training.data.items_in_ratings import columns_about_items, items_of_ratings
from training.data.items_source import choose_items_file, note_unknown_items
from training.data.not_rated import understood
from training.data.positions import unnamed_times
from training.data.problems import Problems
from training.data.ratings_file import read_ratings_rows
from training.data.raw_ratings import RawRatings
from training.data.reading import FileRead, Reading
from training.data.reading_options import ReadingOptions
from training.data.recognition import Recognised, recognise
from training.data.repeats import Repeats
from training.data.same_titles import told_apart
from training.data.table import RatingsTable
from training.data.tabular_files import open_tabular
from training.data.users_file import read_users
from training.data.watch_weights import scaled
from training.errors import DataError


def read_files(path: Path, options: ReadingOptions | None = None) -> Reading:
    """Read the ratings of a file, a directory or an archive.

    Args:
        path: Any of these; the files of an archive or a directory may lie in a directory inside it.
        options: What the files do not say.

    Returns:
        The ratings, in file order.

    Raises:
        DataError: A file is not as expected; the message has file, line and reason, of all such rows.
    """
    options = options or ReadingOptions()
    with open_folder(path) as folder:
        reading = _Reader(folder, options).read()
    # Arrow keeps the memory of the text for later, of 25 million ratings more than a gigabyte.
    pa.default_memory_pool().release_unused()
    return reading


@dataclass(frozen=True, eq=False)
class _Raw:
    """What the files have, without the files."""

    ratings: RawRatings
    items: Items
    user_features: Mapping[str, list[str]]
    num_unknown: int
    notes: tuple[str, ...]
    num_skipped: int
    skipped: tuple[str, ...]


@dataclass
class _Reader:
    folder: Folder
    options: ReadingOptions
    warnings: list[str] = field(default_factory=list)
    files: list[FileRead] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def read(self) -> Reading:
        raw = self._raw()
        ratings, warnings = understood(raw.ratings, self.options)
        self.warnings += warnings
        table = self._assembled(ratings, raw)
        if not table.is_rated.any():
            table, said = scaled(table, self.options)
            self.warnings += [said] if said else []
        untold = None if table.has_times else ratings.timestamps
        return Reading(
            table=table,
            files=tuple(self.files),
            warnings=tuple(self.warnings),
            notes=raw.notes,
            num_rows=len(ratings.stars),
            num_skipped=raw.num_skipped,
            skipped=raw.skipped,
            num_unknown_items=raw.num_unknown,
            share_tied=None if untold is None else share_tied(ratings.user_codes, untold),
        )

    def _raw(self) -> _Raw:
        """Read all files, and refuse them if rows cannot be read."""
        options, problems = self.options, Problems(self.options.skip_bad_rows)
        recognised = self._recognised()
        file = recognised.ratings.file
        of_role = columns_to_read(file, options)
        item = of_role["item"]
        may_have_items = bool(recognised.items or options.items)
        about = {} if may_have_items else columns_about_items(file, of_role, options)
        columns = file.read([*of_role.values(), *about.values()], problems)
        ratings = read_ratings_rows(file, columns, of_role, options, problems)
        if "year" in about and names_by_title(Found(of_role, {})):
            ratings = told_apart(ratings, columns[about["year"]])
        self.warnings += ratings.warnings
        if "time" not in {*of_role, *options.columns}:
            likely = unnamed_times(file, {*of_role.values(), *about.values()})
            if likely:
                fix = replace(options, columns={**options.columns, "time": likely}).as_arguments()
                self.warnings.append(
                    f"{likely} looks like times: if it is when a user did it, say so with {fix}"
                )
        self._add(recognised.ratings.name, "ratings", file, of_role, ratings.kinds)
        items = self._items_of_file(recognised, item, ratings, problems)
        unread = sorted({*recognised.others} - {*self.names})
        notes = [*recognised.notes, *([f"left alone: {', '.join(unread)}"] if unread else [])]
        if items and options.strict:
            note_unknown_items(file, columns[item], ratings, items.ids, problems)
        ratings = ratings.take(problems.kept(file, len(columns[item]))[ratings.rows])
        user_features = self._user_features(recognised.users, ratings, problems)
        problems.refuse()
        if not len(ratings.stars):
            raise DataError(f"{file.label}: expected rows with a user and an item, got none that can be read")
        known = set(items.ids if items else ())
        unknown = [one for one in ratings.item_ids if one not in known]
        if not items:
            found = items_of_ratings(columns, about, ratings, options)
            if found.columns:
                self._add(recognised.ratings.name, "items", file, found.columns, found.kinds)
        return _Raw(
            ratings,
            items.with_ids(unknown) if items else found,
            user_features,
            len(unknown) if items else 0,
            tuple(notes),
            problems.num_rows,
            tuple(problems.listed()),
        )

    def _recognised(self) -> Recognised:
        encoding = self.options.encoding
        if isinstance(self.folder, SingleFile):
            name = self.folder.names()[0]
            file = open_tabular(self.folder, name, encoding)
            return Recognised(Candidate(name, file, require_ratings(file, self.options)))
        recognised = recognise(self.folder, self.options)
        name = recognised.ratings.name
        whole = replace(recognised.ratings, file=open_tabular(self.folder, name, encoding))
        return replace(recognised, ratings=whole)

    def _items_of_file(
        self, recognised: Recognised, item: str, ratings: RawRatings, problems: Problems
    ) -> Items | None:
        chosen = choose_items_file(
            *(self.folder, recognised.items, self.options, item, ratings.item_ids), warnings=self.warnings
        )
        if chosen is None:
            return None
        features = self.options.item_features
        items = read_items(chosen.file, chosen.item, chosen.of_role, features, problems)
        items = replace(items, ids=[chosen.spelling.get(one, one) for one in items.ids])
        self._add(chosen.name, "items", chosen.file, items.columns, items.kinds)
        return items

    def _user_features(
        self, name: str | None, ratings: RawRatings, problems: Problems
    ) -> dict[str, list[str]]:
        if name is None:
            return {}
        file = open_tabular(self.folder, name, self.options.encoding)
        features = read_users(file, ratings.user_ids, problems)
        self._add(name, "users", file, {"user": "userId"} | {one: one for one in features}, {})
        return features

    def _add(
        self, name: str, purpose: str, file: TabularFile, columns: Mapping[str, str], kinds: Mapping[str, str]
    ) -> None:
        self.names.append(name)
        self.files.append(FileRead(PurePosixPath(name).name, purpose, file.description, columns, kinds))

    def _assembled(self, ratings: RawRatings, raw: _Raw) -> RatingsTable:
        items = raw.items
        movies = assemble_movies(
            items.ids, items.titles, items.genres, years=items.years, features=items.features
        )
        row_of_id = {movie_id: row for row, movie_id in enumerate(movies.movie_ids)}
        row_of_code = np.array([row_of_id[one] for one in ratings.item_ids], np.int32)
        arguments = self.options.as_arguments()
        path = self.folder.path.resolve()
        source = ", ".join(dict.fromkeys(file.name for file in self.files))
        if not isinstance(self.folder, SingleFile):
            source += f" in {path.name}"
        repeats: Repeats = "max" if self.options.event_weights else "sum"
        return assemble_ratings(
            user_ids=ratings.user_ids,
            user_codes=ratings.user_codes,
            movies=movies,
            movie_rows=row_of_code[ratings.item_codes],
            stars=ratings.stars,
            timestamps=ratings.timestamps,
            user_features=raw.user_features,
            name=path.name,
            source=f"{source} ({arguments})" if arguments else source,
            weights=ratings.weights,
            repeats="latest" if ratings.has_ratings else repeats,
        )
