"""A catalogue with what was posted over it."""

import numpy as np

from service.bundle.catalogue import Catalogue
from service.live.posted_movies import PostedMovie
from service.recommending.posted_catalogue import posted_over

BUNDLED = Catalogue(
    movie_ids=["a", "b", "c"],
    titles=["Alpha", "Beta", "Gamma"],
    genres=[["Drama", "War"], ["drama"], ["Horror"]],
    years=[1990, None, 1992],
    num_ratings=[3, 2, 1],
)


def test_genres_are_those_of_all_movies_as_they_are_now() -> None:
    over = posted_over(
        BUNDLED,
        [
            PostedMovie("z", "Zeta", ("WAR", "Myth")),
            PostedMovie("c", genres=("Drama", "DRAMA")),
            PostedMovie("y", "Ypsilon (2001)"),
            PostedMovie("noted only", available=False),
        ],
    )
    now = over.catalogue
    assert now.movie_ids == ["a", "b", "c", "y", "z"]
    assert now.genres[2:] == [["Drama"], [], ["War", "Myth"]]
    assert now.years == [1990, None, 1992, 2001, None]
    anew = Catalogue(now.movie_ids, now.titles, now.genres, now.years, now.num_ratings)
    assert now.genre_counts == anew.genre_counts == {"Drama": 3, "War": 2, "Myth": 1}
    for genre in ("drama", "war", "myth", "horror"):
        np.testing.assert_array_equal(now.rows_of_genre(genre), anew.rows_of_genre(genre))
    assert over.edited.tolist() == [2]
    assert BUNDLED.genre_counts == {"Drama": 2, "Horror": 1, "War": 1}


def test_without_new_ones_only_the_bundles_movies_are_described_anew() -> None:
    over = posted_over(
        BUNDLED, [PostedMovie("z", "Zeta"), PostedMovie("a", "Aleph", None, 0)], with_new=False
    )
    assert over.catalogue.titles == ["Aleph", "Beta", "Gamma"]
    assert over.catalogue.years == [None, None, 1992]
    assert not over.content


def test_a_movie_that_is_put_as_it_is_known_is_not_edited() -> None:
    over = posted_over(BUNDLED, [PostedMovie("a", "Alpha", ("drama", "WAR"), 1990)])
    assert over.edited.tolist() == []
    assert over.catalogue.genres[0] == ["Drama", "War"]
