import dataclasses

import numpy as np
import pytest
from synthetic_ratings import table_of

from service.bundle import NO_ROW
from service.bundle.candidate_encoding import title_words
from training.data.assembly import assemble_movies
from training.data.table import UserFeature
from training.model.features import FeatureBags, candidate_content, time_boundaries, user_content

A_FEW_WORDS = 100


def as_dicts(bags: FeatureBags) -> list[dict[str, float]]:
    """Each bag's weights by name; padding must weigh nothing."""
    for row, weight in zip(bags.rows.ravel(), bags.weights.ravel(), strict=True):
        assert (row == NO_ROW) == (weight == 0)
    return [
        {bags.names[row]: float(weight) for row, weight in zip(rows, weights, strict=True) if row != NO_ROW}
        for rows, weights in zip(bags.rows.tolist(), bags.weights.tolist(), strict=True)
    ]


def test_names_of_a_group_share_its_weight_whatever_their_number() -> None:
    bags = FeatureBags.from_groups([[["a"], ["b", "c"]], [], [["c", "a", "d", "e"]]])
    assert as_dicts(bags) == [
        pytest.approx({"a": 1, "b": 0.5**0.5, "c": 0.5**0.5}),
        {},
        pytest.approx(dict.fromkeys("cade", 0.5)),
    ]
    assert bags.rows.dtype == np.int32
    assert bags.weights.dtype == np.float32
    assert bags.rows.shape == (3, 4)


def test_without_any_feature_there_is_still_a_column() -> None:
    bags = FeatureBags.from_groups([[], [[]]])
    assert bags.rows.tolist() == [[NO_ROW], [NO_ROW]]
    assert bags.names == ()


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Dances with Wolves (1990)", ["dances", "with", "wolves"]),
        ("M*A*S*H (1970)", ["m", "a", "s", "h"]),
        ("Star Wars, Star Trek (1999)", ["star", "wars", "trek"]),
        ("Land Before Time III (1995) (V)", ["land", "before", "time", "iii"]),
        ("Misérables, Les (1995)", ["misérables", "les"]),
        ("2001: A Space Odyssey (1968)", ["2001", "a", "space", "odyssey"]),
        ("1984", ["1984"]),
        ("", []),
    ],
)
def test_a_title_is_its_distinct_lower_case_words_without_the_year(title: str, words: list[str]) -> None:
    assert title_words(title) == words


def test_a_movie_has_the_words_genres_and_years_that_others_have_too() -> None:
    movies = assemble_movies(
        ["1", "2", "3", "4"],
        ["Star Wars (1977)", "Star Trek (1979)", "Wars of Roses (1979)", "Alien"],
        [["Sci-Fi", "War"], ["Sci-Fi"], ["Comedy"], ["Sci-Fi"]],
    )
    assert as_dicts(candidate_content(movies, A_FEW_WORDS)) == [
        pytest.approx(
            {"word:star": 0.5**0.5, "word:wars": 0.5**0.5, "genre:Sci-Fi": 1, "half-decade:1975": 1}
        ),
        {"word:star": 1, "genre:Sci-Fi": 1, "year:1979": 1, "half-decade:1975": 1},
        {"word:wars": 1, "year:1979": 1, "half-decade:1975": 1},
        {"genre:Sci-Fi": 1},
    ]


def test_further_features_of_the_data_join_them_named_by_their_column() -> None:
    movies = dataclasses.replace(
        assemble_movies(list("123"), ["One", "Two", "Three"], [["War"], ["War"], []]),
        features={
            "author": (("Ann", "Bob"), ("Bob",), ("Ann",)),
            "publisher": (("Bob",), (), ("Zed",)),  # a value of another column is another feature
        },
    )
    assert as_dicts(candidate_content(movies, A_FEW_WORDS)) == [
        pytest.approx({"genre:War": 1, "author:Ann": 0.5**0.5, "author:Bob": 0.5**0.5}),
        {"genre:War": 1, "author:Bob": 1},
        {"author:Ann": 1},
    ]


def test_of_the_title_words_the_most_frequent_are_kept() -> None:
    movies = assemble_movies(list("1234"), ["b a", "b a", "b c", "c"], [[]] * 4)
    names = [candidate_content(movies, most).names for most in (1, 2, 3)]
    assert [sorted(each) for each in names] == [
        ["word:b"],
        ["word:a", "word:b"],  # of two that are as frequent, the first of the alphabet
        ["word:a", "word:b", "word:c"],
    ]


def test_a_user_has_one_name_for_each_known_feature() -> None:
    features = {"group": UserFeature.of(["x", "", "y"]), "age": UserFeature.of(["25", "", "25"])}
    bags = user_content(features, np.array([2, 1, 0], np.int32))
    assert as_dicts(bags) == [{"group:y": 1, "age:25": 1}, {}, {"group:x": 1, "age:25": 1}]


def test_data_without_user_features_gives_empty_bags() -> None:
    table = table_of([("1", "1", 3, 0), ("2", "1", 4, 1)])
    assert as_dicts(user_content(table.user_features, np.array([0, 1], np.int32))) == [{}, {}]


def test_time_buckets_hold_equal_shares_of_the_ratings() -> None:
    seconds = np.random.default_rng(0).permutation(np.arange(1_000) ** 2)
    boundaries = time_boundaries(seconds, 4)
    assert boundaries.dtype == np.int64
    counts = np.bincount(np.searchsorted(boundaries, seconds, side="right"))
    assert counts.tolist() == pytest.approx([250] * 4, abs=1)


@pytest.mark.parametrize(
    ("seconds", "buckets", "most"), [([5, 5, 5], 10, 1), ([1, 2, 3], 1, 0), ([7], 50, 1)]
)
def test_there_are_never_more_boundaries_than_buckets_or_times(
    seconds: list[int], buckets: int, most: int
) -> None:
    boundaries = time_boundaries(np.array(seconds), buckets)
    assert len(boundaries) <= most
    assert boundaries.dtype == np.int64
