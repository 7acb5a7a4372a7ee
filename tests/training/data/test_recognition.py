"""Which of a folder's files has the ratings, and which of its columns."""

from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.reader import read_files
from training.data.reading_options import ReadingOptions
from training.errors import DataError

WriteFiles = Callable[..., Path]


@pytest.fixture
def folder(write_files: WriteFiles) -> Callable[[dict[str, str]], Path]:
    """Writes text files into a folder."""
    return lambda files: write_files({name: one.encode() for name, one in files.items()})


Folder = Callable[[dict[str, str]], Path]
HEADER = "user_id,item_id,rating\n"


def test_accounts_of_users_are_no_ratings(folder: Folder) -> None:
    """Yelp's users have a name, which could be an item's, and an average of stars."""
    user = '{"user_id": "u1", "name": "Jo", "review_count": 3, "average_stars": 3.5}\n'
    review = '{"user_id": "u1", "business_id": "b1", "stars": 4.0, "date": "2020-01-01 10:00:00"}\n'
    business = '{"business_id": "b1", "name": "Cafe", "stars": 4.5, "categories": "Food, Bars"}\n'
    tip = '{"user_id": "u1", "business_id": "b1", "text": "t", "date": "2020-01-01 10:00:00"}\n'
    files = {"user.json": user, "review.json": review, "business.json": business, "tip.json": tip}
    reading = read_files(folder(files))
    assert [(one.name, one.purpose) for one in reading.files] == [
        ("review.json", "ratings"),
        ("business.json", "items"),
    ]
    assert reading.table.movies.titles == ("Cafe",)
    assert reading.notes == ("left alone: tip.json, user.json",)


def test_the_ratings_of_one_person_among_other_lists_of_theirs(folder: Folder) -> None:
    """Letterboxd exports the same films as ratings, reviews, diary and more; none of them is of the items."""
    watched = "Date,Name,Year,Letterboxd URI\n2023-01-01,Dune,1984,u1\n2023-01-02,Heat,1995,u3\n"
    ratings = "Date,Name,Year,Letterboxd URI,Rating\n2023-01-01,Dune,1984,u1,2.5\n2023-01-02,Heat,1995,u3,5\n"
    diary = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags\n2023-01-01,Heat,1995,d1,5,,\n"
    files = {"watched.csv": watched, "ratings.csv": ratings, "diary.csv": diary, "reviews.csv": diary}
    reading = read_files(folder(files), ReadingOptions(user="me"))
    assert [one.name for one in reading.files if one.purpose == "ratings"] == ["ratings.csv"]
    assert reading.table.movies.years.tolist() == [1984, 1995]


@pytest.mark.parametrize("column", ["average_rating", "num_ratings", "avg.rating"])
def test_what_is_said_of_all_users_is_no_rating(folder: Folder, column: str) -> None:
    reading = read_files(folder({"r.csv": f"user_id,item_id,{column}\na,x,4.5\nb,x,4.5\n"}))
    assert not reading.table.is_rated.any()


def test_of_two_ids_of_a_book_its_own_counts(folder: Folder) -> None:
    reading = read_files(folder({"r.csv": "User,Book Id,ISBN,My Rating\na,7,x,4\nb,8,,5\n"}))
    assert reading.table.movies.movie_ids == ("7", "8")


def test_of_two_years_of_a_book_the_first_edition_counts(folder: Folder) -> None:
    rows = "Book Id,Year Published,Original Publication Year,My Rating\n7,2003,1815,4\n8,2004,,5\n"
    movies = read_files(folder({"r.csv": rows}), ReadingOptions(user="me")).table.movies
    assert movies.years.tolist() == [1815, 0]


def test_two_columns_of_one_name_are_asked_about(folder: Folder) -> None:
    path = folder({"r.csv": "user,item,rating,rating\na,x,4,5\n"})
    with pytest.raises(DataError, match="rating#3 or rating#4 as rating"):
        read_files(path / "r.csv")
    assert read_files(path, ReadingOptions(columns={"rating": "4"})).table.stars.tolist() == [5]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<!DOCTYPE html><html><body>404, not found</body></html>\n", "got a page of HTML or XML"),
        (
            "1:\n1488844,3,2005-09-06\n2:\n885013,4,2005-10-19\n",
            "below lines such as '1:'",
        ),
    ],
)
def test_what_is_no_table_is_refused(folder: Folder, content: str, expected: str) -> None:
    path = folder({"ratings.csv": content})
    for one in (path, path / "ratings.csv"):
        with pytest.raises(DataError, match=expected):
            read_files(one, ReadingOptions(skip_bad_rows=True))


def test_a_table_with_a_column_for_each_item_is_told_how_to_become_rows(folder: Folder) -> None:
    films = [f"film{film}" for film in range(12)]
    path = folder({"r.csv": f"user,{','.join(films)}\na{',5' * 12}\n"})
    with pytest.raises(DataError, match="if each column is an item, write a row for each rating"):
        read_files(path / "r.csv")
