import pytest

from service.bundle.catalogue import Catalogue
from service.errors import UnknownTitle
from service.recommending.movie_search import MovieSearch
from service.recommending.recommender import Recommender

SEARCH = MovieSearch(
    Catalogue(
        movie_ids=["9", "8", "", "6"],
        titles=["Twins", "Alone", "Twins", "Twins"],
        genres=[["war"], ["Drama", "WAR"], ["Drama"], []],
        years=[1988, None, 1989, 1990],
        num_ratings=[1, 7, 3, 3],
    )
)


def test_a_shared_title_means_the_most_rated_movie_and_of_equals_the_first() -> None:
    assert SEARCH.row_of_title("Twins") == 2


def test_the_case_of_a_title_is_ignored() -> None:
    assert SEARCH.row_of_title("tWINS") == 2
    assert SEARCH.row_of_title("alone") == 1


def test_several_genres_are_a_list_or_have_commas_between_them() -> None:
    assert (
        SEARCH.search("", ["drama", "war"]).tolist()
        == SEARCH.search("", ["war, Drama"]).tolist()
        == [1, 2, 0]
    )
    assert SEARCH.search("", ["Comedy"]).tolist() == []


def test_a_search_finds_the_more_rated_first_and_may_be_of_one_genre() -> None:
    assert SEARCH.search("twins").tolist() == [2, 3, 0]
    assert SEARCH.search("").tolist() == [1, 2, 3, 0]
    assert SEARCH.search("", ["War"]).tolist() == [1, 0]
    assert SEARCH.search("twins", ["drama"]).tolist() == [2]


def test_an_unknown_title_suggests_the_closest_the_more_rated_first() -> None:
    with pytest.raises(UnknownTitle, match=r"no movie has the title 'twinz'.* such as 'Alone'") as raised:
        SEARCH.row_of_title("twinz")
    assert raised.value.field == "movie_title"
    raised.value.suggest()
    assert raised.value.suggestions == [
        ("", "Twins", "Twins"),
        ("6", "Twins", "Twins"),
        ("9", "Twins", "Twins"),
    ]


def test_a_blank_title_suggests_nothing() -> None:
    with pytest.raises(UnknownTitle) as raised:
        SEARCH.row_of_title(" ")
    raised.value.suggest()
    assert raised.value.suggestions == []


def test_the_search_of_a_loaded_bundle_is_prepared_before_any_request(recommender: Recommender) -> None:
    assert "movie_search" in vars(recommender)
