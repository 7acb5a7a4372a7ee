"""Fixtures: a small data set in GroupLens's three layouts, and MovieLens 100K from the wheel."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from training.data import wheel_source
from training.data.table import RatingsTable

# The genre flags of u.item, in order.
GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
MOVIES = [
    ("10", "Misérables, Les (1995)", ["Drama", "Musical"]),
    ("2", "Toy Story (1995)", ["Animation", "Children's", "Comedy"]),
    ("1", "Land Before Time III: The Time of the Great Giving (1995) (V)", ["Animation", "Children's"]),
    ("267", "unknown", []),
]
USERS = [
    ("9", "24", "M", "artist"),
    ("10", "7", "F", "writer"),
    ("2", "53", "F", "lawyer"),
    ("77", "33", "M", "scientist"),  # without ratings
]
RATINGS = [
    ("10", "2", "3", "881250949"),
    ("9", "10", "5", "891717742"),
    ("2", "1", "1", "878887116"),
    ("9", "2", "4", "880606923"),
    ("10", "1", "2", "886397596"),
]

OCCUPATION_NUMBERS = {"artist": "2", "lawyer": "11", "scientist": "15", "writer": "20"}


def lines(rows: list[list[str]], separator: str) -> str:
    return "".join(separator.join(row) + "\n" for row in rows)


def layout_100k() -> dict[str, bytes]:
    movies = []
    for movie_id, title, genres in MOVIES:
        flags = ["1" if genre in (genres or ["unknown"]) else "0" for genre in GENRES]
        movies.append([movie_id, title, "01-Jan-1995", "", "http://imdb", *flags])
    users = [[user_id, age, gender, job, "94043"] for user_id, age, gender, job in USERS]
    return {
        "u.data": lines([list(row) for row in RATINGS], "\t").encode(),
        "u.item": lines(movies, "|").encode("latin-1"),
        "u.user": lines(users, "|").encode(),
    }


def layout_1m() -> dict[str, bytes]:
    groups = {"24": "18", "7": "1", "53": "50", "33": "25"}
    movies = [
        [movie_id, title, "|".join(genres) or "(no genres listed)"] for movie_id, title, genres in MOVIES
    ]
    users = [[one, gender, groups[age], OCCUPATION_NUMBERS[job], "94043"] for one, age, gender, job in USERS]
    return {
        "ratings.dat": lines([list(row) for row in RATINGS], "::").encode(),
        "movies.dat": lines(movies, "::").encode("latin-1"),
        "users.dat": lines(users, "::").encode(),
    }


def layout_csv() -> dict[str, bytes]:
    modern = {"Children's": "Children"}
    movies = [
        [movie_id, f'"{title}"', "|".join(modern.get(one, one) for one in genres) or "(no genres listed)"]
        for movie_id, title, genres in MOVIES
    ]
    header = [["userId", "movieId", "rating", "timestamp"]]
    return {
        "ratings.csv": lines(header + [list(row) for row in RATINGS], ",").encode(),
        "movies.csv": lines([["movieId", "title", "genres"], *movies], ",").encode(),
    }


LAYOUTS = {"100k": layout_100k, "1m": layout_1m, "csv": layout_csv}


@pytest.fixture
def layout() -> Callable[[str], dict[str, bytes]]:
    """Files of the small data set by name; its layouts are '100k', '1m' and 'csv'."""
    return lambda name: LAYOUTS[name]()


@pytest.fixture
def write_files(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a new directory, or a zip if the name ends so; return its path."""

    def write(files: dict[str, bytes], into: str = "ml") -> Path:
        path = tmp_path / into
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in files.items():
                    archive.writestr(name, content)
            return path
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        return path

    return write


@pytest.fixture(scope="session")
def prepared_wheel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RatingsTable]:
    """Cache directory with the prepared MovieLens 100K of the wheel, and the table read from it."""
    cache_dir = tmp_path_factory.mktemp("cache")
    return cache_dir, wheel_source.load_wheel(cache_dir)


@pytest.fixture(scope="session")
def wheel_cache(prepared_wheel: tuple[Path, RatingsTable]) -> Path:
    """The directory of `prepared_wheel`."""
    return prepared_wheel[0]


@pytest.fixture(scope="session")
def movielens_100k(prepared_wheel: tuple[Path, RatingsTable]) -> RatingsTable:
    """MovieLens 100K in the published order."""
    return prepared_wheel[1]
