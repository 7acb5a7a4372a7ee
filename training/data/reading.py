"""Read ratings from anybody's files: recognise them, read them, and say how they were understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from training.data.assembly import assemble_movies, assemble_ratings
from training.data.columns import Column, TabularFile
from training.data.folder import Folder, SingleFile, open_folder
from training.data.items_file import Items, read_items
from training.data.items_source import choose_items_file, columns_about_items, items_of_ratings
from training.data.not_rated import suspected
from training.data.problems import Problems
from training.data.ratings_file import Ratings, read_ratings_rows
from training.data.reading_options import ReadingOptions
from training.data.recognition import Candidate, Recognised, recognise, require_ratings
from training.data.repeats import Repeats
from training.data.table import RatingsTable
from training.data.tabular_files import open_tabular
from training.data.users_file import read_users
from training.data.watch_weights import scaled
from training.errors import DataError


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
        columns = ", ".join(
            f"{role} = {column}" + (f" ({self.kinds[role]})" if role in self.kinds else "")
            for role, column in self.columns.items()
        )
        more = "".join(f", {kind}" for role, kind in self.kinds.items() if role not in self.columns)
        return f"{self.name}: {self.description}; {columns}{more}"


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
    """

    table: RatingsTable
    files: tuple[FileRead, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    num_rows: int = 0
    num_skipped: int = 0
    skipped: tuple[str, ...] = ()
    num_unknown_items: int = 0


def read_files(path: Path, options: ReadingOptions | None = None) -> Reading:
    """Read the ratings of a file, a directory or an archive.

    Args:
        path: Any of these; the files of an archive or a directory may lie in a directory inside it.
        options: What the files do not tell.

    Returns:
        The ratings, in file order.

    Raises:
        DataError: A file is not as expected; the message has file, line and reason, of all such rows.
    """
    options = options or ReadingOptions()
    with open_folder(path) as folder:
        return _Reader(folder, options).read()


@dataclass
class _Reader:
    folder: Folder
    options: ReadingOptions
    warnings: list[str] = field(default_factory=list)
    files: list[FileRead] = field(default_factory=list)

    def read(self) -> Reading:
        options, problems = self.options, Problems(self.options.skip_bad_rows)
        recognised = self._recognised()
        ratings_file = open_tabular(self.folder, recognised.ratings.name, options.encoding)
        of_role = self._roles(ratings_file)
        item = of_role["item"]
        may_have_items = bool(recognised.items or options.items)
        about = {} if may_have_items else columns_about_items(ratings_file, of_role, options)
        columns = ratings_file.read([*of_role.values(), *about.values()], problems)
        ratings = read_ratings_rows(ratings_file, columns, of_role, options, problems)
        self._add(recognised.ratings.name, "ratings", ratings_file, of_role, ratings.kinds)
        items_file = choose_items_file(
            *(self.folder, recognised.items, options, item, ratings.item_ids), warnings=self.warnings
        )
        if items_file:
            items = read_items(
                *(items_file.file, items_file.item, items_file.of_role, options.item_features, problems)
            )
            self._add(items_file.name, "items", items_file.file, items.columns, items.kinds)
            if options.strict:
                self._refuse_unknown(ratings_file, columns[item], ratings, items, problems)
        else:
            items = items_of_ratings(columns, about, ratings)
            if items.columns:
                self._add(recognised.ratings.name, "items", ratings_file, items.columns, items.kinds)
        users_file = (
            open_tabular(self.folder, recognised.users, options.encoding) if recognised.users else None
        )
        ratings = ratings.take(problems.kept(ratings_file, len(columns[item]))[ratings.rows])
        user_features: dict[str, list[str]] = {}
        if users_file and recognised.users:
            user_features = read_users(users_file, ratings.user_ids, problems)
            features = {name: name for name in user_features}
            self._add(recognised.users, "users", users_file, {"user": "userId"} | features, {})
        problems.refuse()
        if not len(ratings.stars):
            raise DataError(
                f"{ratings_file.label}: expected rows with a user and an item, got none that can be read"
            )
        self.warnings = ratings.warnings + self.warnings
        known = set(items.ids)
        unknown = [one for one in ratings.item_ids if one not in known]
        table = self._assembled(ratings, items.with_ids(unknown), user_features)
        return Reading(
            table=table,
            files=tuple(self.files),
            warnings=tuple(self.warnings),
            notes=tuple(recognised.notes),
            num_rows=len(ratings.stars),
            num_skipped=problems.num_rows,
            skipped=tuple(problems.listed()) if problems.num_rows else (),
            num_unknown_items=len(unknown) if items_file else 0,
        )

    def _refuse_unknown(
        self, file: TabularFile, item: Column, ratings: Ratings, items: Items, problems: Problems
    ) -> None:
        known = set(items.ids)
        is_unknown = np.array([one not in known for one in ratings.item_ids], np.bool_)
        problems.add(
            *(file, ratings.rows[is_unknown[ratings.item_codes]], f"an item of {self.files[-1].name}"),
            *(lambda row: f"{item.name} {item.text(row)!r}", "add it there, or leave out --strict"),
        )

    def _recognised(self) -> Recognised:
        if not isinstance(self.folder, SingleFile):
            return recognise(self.folder, self.options)
        name = self.folder.names()[0]
        file = open_tabular(self.folder, name, self.options.encoding)
        return Recognised(Candidate(name, file, require_ratings(file, self.options)))

    def _roles(self, file: TabularFile) -> dict[str, str]:
        """Return the columns to read: ratings go before events and counts, unless these are asked for."""
        of_role = dict(require_ratings(file, self.options).of_role)
        given = self.options.columns
        if self.options.user is not None:
            of_role.pop("user", None)
        if self.options.event_weights:
            of_role.pop("rating", None)
            of_role.pop("weight", None)
            if "event" not in of_role:
                reason = "expected a column of events for --event-weights, got none"
                raise DataError(f"{file.label}: {reason}; name it with --columns event=...")
        elif "rating" in of_role:
            for role in ("event", "weight"):
                if role in of_role and role not in given:
                    del of_role[role]
        elif "event" in of_role and "weight" in of_role and "event" not in given:
            del of_role["event"]
        return of_role

    def _add(
        self, name: str, purpose: str, file: TabularFile, columns: Mapping[str, str], kinds: Mapping[str, str]
    ) -> None:
        self.files.append(FileRead(PurePosixPath(name).name, purpose, file.description, columns, kinds))

    def _assembled(
        self, ratings: Ratings, items: Items, user_features: Mapping[str, list[str]]
    ) -> RatingsTable:
        movies = assemble_movies(
            items.ids, items.titles, items.genres, years=items.years, features=items.features
        )
        row_of_id = {movie_id: row for row, movie_id in enumerate(movies.movie_ids)}
        row_of_code = np.array([row_of_id[one] for one in ratings.item_ids], np.int32)
        in_words = self.options.in_words()
        files = ", ".join(file.name for file in self.files)
        path = self.folder.path.resolve()
        source = files if isinstance(self.folder, SingleFile) else f"{files} in {path.name}"
        table = assemble_ratings(
            user_ids=ratings.user_ids,
            user_codes=ratings.user_codes,
            movies=movies,
            movie_rows=row_of_code[ratings.item_codes],
            stars=ratings.stars,
            timestamps=ratings.timestamps,
            user_features=user_features,
            name=path.name,
            source=f"{source} ({in_words})" if in_words else source,
            weights=ratings.weights,
            repeats=self._repeats(ratings),
        )
        if table.is_rated.any():
            if self.options.rating_transform != "log":
                self._warn_of_scale(ratings)
            return table
        scaled_table, said = scaled(table, self.options)
        if said:
            self.warnings.append(said)
        return scaled_table

    def _repeats(self, ratings: Ratings) -> Repeats:
        if ratings.has_ratings:
            return "latest"
        return "max" if self.options.event_weights else "sum"

    def _warn_of_scale(self, ratings: Ratings) -> None:
        number = suspected(ratings.stars)
        if number is not None:
            share = float(np.mean(ratings.stars == np.float32(number)))
            self.warnings.append(
                f"{share:.0%} of the ratings are {number:g}, which stands apart from the others: if it means "
                f"'not rated', say so with --not-rated {number:g}"
            )
