import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.recommending.title_search import TitleSearch

# Most rated first, so that a title's position is its popularity rank.
TITLES = [
    "Star Wars (1977)",
    "Return of the Jedi (1983)",
    "Toy Story (1995)",
    "Godfather, The (1972)",
    "Lion King, The (1994)",
    "Star Trek: First Contact (1996)",
    "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)",
    "Matrix, The (1999)",
    "Godfather: Part II, The (1974)",
    "M*A*S*H (1970)",
    "Die Hard (1988)",
    "Seven Samurai (The Seven Samurai) (Shichinin no samurai) (1954)",
    "Hard Target (1993)",
    "Stargate (1994)",
    "Matrix, The (1979)",
    "Kingpin (1996)",
    "Lone Star (1996)",
    "Shawshank Redemption, The (1994)",
    "King (1978)",
    "Starman (1984)",
    "影武者 (1980)",
    "$ (1971)",
    "",
]


@pytest.fixture(scope="module")
def search() -> TitleSearch:
    return TitleSearch(TITLES, np.arange(len(TITLES), dtype=np.int32))


def found(search: TitleSearch, query: str) -> list[str]:
    return [TITLES[row].partition(" (")[0] for row in search.search(query).tolist()]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("star wars", "Star Wars"),
        ("STAR WARS (1977)", "Star Wars"),
        ("star wras", "Star Wars"),
        ("starwars", "Star Wars"),
        ("wars star", "Star Wars"),
        ("star wars a new hope", "Star Wars"),
        ("the matrix", "Matrix, The"),
        ("matrix", "Matrix, The"),
        ("a matrix", "Matrix, The"),
        ("godfather", "Godfather, The"),
        ("godfahter", "Godfather, The"),
        ("god father", "Godfather, The"),
        ("godfather 1974", "Godfather: Part II, The"),
        ("amélie", "Amelie"),
        ("amelei", "Amelie"),
        ("fabuleux destin d\u2019amelie", "Amelie"),
        ("mash", "M*A*S*H"),
        ("die hard", "Die Hard"),
        ("seven samurai", "Seven Samurai"),
        ("shichinin", "Seven Samurai"),
        ("sevn samuraj", "Seven Samurai"),
        ("shawshenk red", "Shawshank Redemption, The"),
        ("shawshonk redempt", "Shawshank Redemption, The"),
        ("影武", "影武者"),
        ("$", "$"),
    ],
)
def test_the_first_match_is_the_intended_movie(query: str, first: str, search: TitleSearch) -> None:
    assert found(search, query)[0] == first


def test_the_year_separates_movies_of_one_name(search: TitleSearch) -> None:
    assert [TITLES[row] for row in search.search("the matrix 1979")[:1]] == ["Matrix, The (1979)"]
    assert [TITLES[row] for row in search.search("matrix")] == ["Matrix, The (1999)", "Matrix, The (1979)"]


def test_names_rank_before_prefixes_before_words_before_parts_of_words(search: TitleSearch) -> None:
    assert found(search, "king") == ["King", "Lion King, The", "Kingpin"]
    # Both begin with the word, one contains it elsewhere, in two it is the prefix of a word.
    assert found(search, "star") == [
        "Star Wars",
        "Star Trek: First Contact",
        "Lone Star",
        "Stargate",
        "Starman",
    ]


def test_similar_titles_come_last_however_popular() -> None:
    titles = ["Amelie (2001)", "Amelia Earhart (1999)", "Amelia (2009)"]
    rows = TitleSearch(titles, np.array([0, 1, 2], np.int32)).search("amelia")
    assert rows.tolist() == [2, 1, 0]


def test_ties_go_to_the_movie_with_more_ratings() -> None:
    titles = ["Alien (1979)", "Aliens (1986)", "Alien (1996)"]
    rows = TitleSearch(titles, np.array([2, 1, 0], np.int32)).search("alien")
    assert rows.tolist() == [2, 0, 1]


def test_a_blank_query_lists_all_by_popularity(search: TitleSearch) -> None:
    popular = np.random.default_rng(1).permutation(len(TITLES)).astype(np.int32)
    assert TitleSearch(TITLES, popular).search(" ").tolist() == popular.tolist()
    assert search.search("").tolist() == list(range(len(TITLES)))


def test_nonsense_finds_nothing(search: TitleSearch) -> None:
    for query in ("xyzzy", "zzzz qqqq", "!", "🎬"):
        assert found(search, query) == []


def test_a_catalogue_without_any_word_is_searchable() -> None:
    search = TitleSearch(["", " "], np.array([0, 1], np.int32))
    assert search.search("star").tolist() == []
    assert search.search("").tolist() == [0, 1]


@given(st.text(max_size=40))
def test_any_query_finds_each_movie_at_most_once(search: TitleSearch, query: str) -> None:
    rows = search.search(query).tolist()
    assert len(set(rows)) == len(rows)
    assert all(0 <= row < len(TITLES) for row in rows)


@given(st.sampled_from([title for title in TITLES if title]))
def test_every_title_finds_itself_first(search: TitleSearch, title: str) -> None:
    assert TITLES[search.search(title)[0]] == title


@pytest.mark.slow
def test_a_hundred_thousand_titles_are_searched_quickly() -> None:
    random = np.random.default_rng(1)
    letters = np.array(list("etaoinshrdlu"))
    words = ["".join(letters[random.integers(12, size=n)]) for n in random.integers(3, 11, 30_000)]
    rows = random.integers(30_000, size=(100_000, 4))
    titles = [" ".join(words[row] for row in of_title) + " (1999)" for of_title in rows.tolist()]
    search = TitleSearch(titles, np.arange(100_000, dtype=np.int32))
    seconds = []
    for query in ("star wras", "a", "the lord of the rings", "shawshenk redemt", "1999"):
        started = time.perf_counter()
        search.search(query)
        seconds.append(time.perf_counter() - started)
    assert max(seconds) < 0.05
