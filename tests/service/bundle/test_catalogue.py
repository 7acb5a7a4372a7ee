import json
from pathlib import Path
from typing import Any

import pytest

from service.bundle.catalogue import Catalogue
from service.errors import BundleInconsistent, UnknownMovie

COLUMNS: dict[str, Any] = {
    "movie_ids": ["9", "8", "", "6"],
    "titles": ["Twins", "Alone", "Twins", "Twins"],
    "genres": [["Comedy"], [], ["Drama", "War"], []],
    "years": [1988, None, 1989, 1990],
    "num_ratings": [1, 7, 3, 3],
}


def load(directory: Path, **changes: Any) -> Catalogue:
    (directory / "catalogue.json").write_text(json.dumps(COLUMNS | changes), encoding="utf-8")
    return Catalogue.open(directory)


def test_a_catalogue_comes_back_as_it_was_written(tmp_path: Path) -> None:
    Catalogue(**COLUMNS).write(tmp_path)
    assert Catalogue.open(tmp_path) == Catalogue(**COLUMNS)
    assert json.loads((tmp_path / "catalogue.json").read_text(encoding="utf-8")) == COLUMNS


def test_a_movie_is_found_by_its_id(tmp_path: Path) -> None:
    catalogue = load(tmp_path)
    assert [catalogue.row_of(movie_id) for movie_id in ("6", "", "9")] == [3, 2, 0]


def test_an_unknown_movie_is_named(tmp_path: Path) -> None:
    catalogue = load(tmp_path)
    with pytest.raises(UnknownMovie, match="'5'") as by_id:
        catalogue.row_of("5", field="history.0.movie_id")
    assert by_id.value.field == "history.0.movie_id"


def test_the_most_rated_are_popular_and_equals_keep_their_order(tmp_path: Path) -> None:
    assert load(tmp_path).popular_rows.tolist() == [1, 2, 3, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surplus": []}, "expected the columns"),
        ({"titles": ["Twins"]}, "expected columns of one length above 0"),
        ({name: [] for name in COLUMNS}, "expected columns of one length above 0"),
        ({"movie_ids": ["9", "9", "", "6"]}, "expected 4 different movie ids, got 3"),
        *(
            ({name: column}, rf"the columns \['{name}'\] are malformed")
            for name, column in (
                ("movie_ids", [["9"], "8", "", "6"]),
                ("movie_ids", [9, 8, 7, 6]),
                ("titles", ["Twins", "Alone", None, "Twins"]),
                ("titles", {"Twins": 1, "Alone": 2, "Heat": 3, "Cat": 4}),
                ("titles", "Twin"),
                ("genres", [["Comedy"], [], None, []]),
                ("genres", [["Comedy"], [], ["Drama", 7], []]),
                ("years", 5),
                ("years", [1988, None, "1989", 1990]),
                ("num_ratings", ["many", 1, 1, 1]),
                ("num_ratings", [None, 1, 1, 1]),
                ("num_ratings", [1.5, 1, 1, 1]),
            )
        ),
    ],
)
def test_columns_that_do_not_fit_are_inconsistent(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(BundleInconsistent, match=rf"catalogue\.json: {message}"):
        load(tmp_path, **changes)


def test_a_column_missing_and_a_document_that_is_no_object_are_inconsistent(tmp_path: Path) -> None:
    for document in ({name: COLUMNS[name] for name in ("movie_ids", "titles")}, [COLUMNS]):
        (tmp_path / "catalogue.json").write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(BundleInconsistent, match="expected the columns"):
            Catalogue.open(tmp_path)


def test_a_catalogue_of_another_number_of_movies_than_candidates_is_inconsistent(tmp_path: Path) -> None:
    Catalogue(**COLUMNS).write(tmp_path)
    assert len(Catalogue.open(tmp_path, num_candidates=4)) == 4
    for candidates in (3, 5):
        message = rf"catalogue\.json: expected {candidates} movies, one for each candidate, got 4"
        with pytest.raises(BundleInconsistent, match=message):
            Catalogue.open(tmp_path, num_candidates=candidates)


def test_genres_are_counted_without_their_case_as_first_spelt(tmp_path: Path) -> None:
    catalogue = load(tmp_path, genres=[["war"], ["Drama", "WAR", "drama"], ["Drama"], []])
    assert catalogue.genre_counts == {"Drama": 2, "war": 2}
    assert catalogue.rows_of_genre("War").tolist() == [0, 1]
    assert catalogue.rows_of_genre("none").tolist() == []
