import numpy as np
import pytest

from service.bundle.catalogue import Catalogue
from service.recommending.filters import Filters
from service.recommending.queries import MovieFilter

CATALOGUE = Catalogue(
    movie_ids=["a", "b", "c", "d", "e"],
    titles=["A", "B", "C", "D", "E"],
    genres=[["Comedy", "Romance"], ["Comedy"], ["Straße", "Horror"], [], ["Horror", "Comedy"]],
    years=[1980, None, 1990, 2000, 1990],
    num_ratings=[1, 1, 1, 1, 1],
)
NOTHING = np.empty(0, np.int32)


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        (MovieFilter(), "abcde"),
        (MovieFilter(genres_any=["comedy", "HORROR"]), "abce"),
        (MovieFilter(genres_any=["comedy", "nowhere"]), "abe"),
        (MovieFilter(genres_any=["nowhere"]), ""),
        (MovieFilter(genres_all=["Comedy", "horror"]), "e"),
        (MovieFilter(genres_all=["Comedy", "nowhere"]), ""),
        (MovieFilter(genres_none=["Comedy"]), "cd"),
        (MovieFilter(genres_none=["nowhere"]), "abcde"),
        (MovieFilter(genres_any=["STRASSE"]), "c"),
        (MovieFilter(genres_any=["Comedy"], genres_none=["Horror"]), "ab"),
        (MovieFilter(year_min=1990), "cde"),
        (MovieFilter(year_max=1990), "ace"),
        (MovieFilter(year_min=1981, year_max=1999), "ce"),
        (MovieFilter(year_min=1999, year_max=1981), ""),
        (MovieFilter(year_max=0), ""),
        (MovieFilter(movie_ids=["e", "unknown", "a", "a"]), "ae"),
        (MovieFilter(movie_ids=[]), ""),
        (MovieFilter(movie_ids=["a", "b", "c"], genres_any=["Comedy"], year_min=1970), "a"),
    ],
)
def test_movies_that_meet_every_condition_pass(conditions: MovieFilter, left: str) -> None:
    allowed = Filters(CATALOGUE).allow(conditions, NOTHING)
    assert [CATALOGUE.movie_ids[row] for row in np.flatnonzero(allowed.mask)] == list(left)
    assert (allowed.num_left, allowed.num_passing, allowed.num_excluded) == (len(left), len(left), 0)


def test_excluded_movies_are_removed_too() -> None:
    allowed = Filters(CATALOGUE).allow(MovieFilter(genres_any=["Comedy"]), np.array([4, 4, 2], np.int32))
    assert np.flatnonzero(allowed.mask).tolist() == [0, 1]
    assert (allowed.num_left, allowed.num_passing, allowed.num_excluded) == (2, 3, 3)


def test_filters_keep_no_state_between_answers() -> None:
    filters = Filters(CATALOGUE)
    for conditions in (None, MovieFilter(genres_any=["Comedy"]), MovieFilter(genres_any=["nowhere"])):
        first = filters.allow(conditions, np.array([0], np.int32)).mask.tolist()
        filters.allow(conditions, np.arange(5, dtype=np.int32))
        assert filters.allow(conditions, np.array([0], np.int32)).mask.tolist() == first
