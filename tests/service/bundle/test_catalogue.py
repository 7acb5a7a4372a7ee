import json
from pathlib import Path
from typing import Any

import pytest

from service.bundle.catalogue import Catalogue
from service.errors import BundleInconsistent, UnknownMovie, UnknownTitle

COLUMNS: dict[str, Any] = {
    "movie_ids": ["9", "8", "", "6"],
    "titles": ["Twins", "Alone", "Twins", "Twins"],
    "genres": [["Comedy"], [], ["Drama", "War"], []],
    "years": [1988, None, 1989, 1990],
    "num_ratings": [1, 7, 3, 3],
}


def load(directory: Path, **changes: Any) -> Catalogue:
    (directory / "catalogue.json").write_text(json.dumps(COLUMNS | changes), encoding="utf-8")
    return Catalogue.load(directory)


def test_a_movie_is_found_by_its_id(tmp_path: Path) -> None:
    catalogue = load(tmp_path)
    assert [catalogue.row_of(movie_id) for movie_id in ("6", "", "9")] == [3, 2, 0]


def test_a_shared_title_means_the_most_rated_movie_and_of_equals_the_first(tmp_path: Path) -> None:
    assert load(tmp_path).row_of_title("Twins") == 2


def test_an_unknown_movie_is_named(tmp_path: Path) -> None:
    catalogue = load(tmp_path)
    with pytest.raises(UnknownMovie, match="'5'") as by_id:
        catalogue.row_of("5", field="history.0.movie_id")
    assert by_id.value.field == "history.0.movie_id"
    with pytest.raises(UnknownMovie, match="'twins'") as by_title:
        catalogue.row_of_title("twins")
    assert by_title.value.field == "movie_title"


def test_the_most_rated_are_popular_and_equals_keep_their_order(tmp_path: Path) -> None:
    assert load(tmp_path).popular_rows.tolist() == [1, 2, 3, 0]


@pytest.mark.parametrize(
    "changes",
    [
        {"titles": ["Twins"]},
        {"movie_ids": ["9", "9", "", "6"]},
        {"movie_ids": [["9"], "8", "", "6"]},
        {"num_ratings": ["many", 1, 1, 1]},
        {"years": 5},
        {"surplus": []},
        {name: [] for name in COLUMNS},
    ],
)
def test_columns_that_do_not_fit_are_inconsistent(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(BundleInconsistent, match=r"catalogue\.json"):
        load(tmp_path, **changes)


def test_genres_are_counted_without_their_case_as_first_spelt(tmp_path: Path) -> None:
    catalogue = load(tmp_path, genres=[["war"], ["Drama", "WAR", "drama"], ["Drama"], []])
    assert catalogue.genre_counts == {"Drama": 2, "war": 2}
    assert catalogue.search("", "War").tolist() == [1, 0]


def test_an_unknown_title_suggests_the_closest_the_more_rated_first(tmp_path: Path) -> None:
    with pytest.raises(UnknownTitle) as raised:
        load(tmp_path).row_of_title("twins")
    raised.value.suggest()
    assert raised.value.suggestions == [("", "Twins"), ("6", "Twins"), ("9", "Twins")]
