"""The JSON of answers, read by Python's own parser and compared with documents written by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from service.bundle.catalogue import Catalogue
from service.errors import UnknownUser
from service.recommending.encoding import AnswerEncoder
from service.recommending.queries import (
    Answer,
    Contribution,
    PredictedRating,
    Query,
    RatingQuery,
    Recommendation,
    RecommendQuery,
)

CATALOGUE = Catalogue(
    movie_ids=["a", 'b"', "影"],
    titles=["A", "Bé\n", "🎬"],
    genres=[[], ["War"], ["Drama", "War"]],
    years=[None, 1990, 2000],
    num_ratings=[1, 1, 1],
)
MOVIES: list[dict[str, object]] = [
    {"movie_id": "a", "title": "A", "display_title": "A", "genres": [], "year": None},
    {"movie_id": 'b"', "title": "Bé\n", "display_title": "Bé", "genres": ["War"], "year": 1990},
    {"movie_id": "影", "title": "🎬", "display_title": "🎬", "genres": ["Drama", "War"], "year": 2000},
]
LIST = Recommendation(
    source="history",
    offset=4,
    rows=np.array([2, 0], np.int32),
    scores=np.array([0.5, 0.25], np.float32),
    rank_scores=np.array([3.5, 1.5]),
    predicted_ratings=np.array([4.25, 2.0]),
)
STARS = PredictedRating(row=1, stars=3.125, known_user=False)


def encode(encoder: AnswerEncoder, query: Query, answer: Answer) -> bytes:
    [encoded] = encoder.encode([query], [answer])
    assert isinstance(encoded, bytes)
    return encoded


@pytest.fixture
def encoder() -> AnswerEncoder:
    return AnswerEncoder(CATALOGUE, 'of "today"')


@pytest.mark.parametrize(("diversity", "keys"), [(0, [0.5, 0.25]), (0.5, [3.5, 1.5])])
def test_a_list_has_all_of_its_movies_scores_and_stars_and_what_orders_it(
    diversity: float, keys: list[float], encoder: AnswerEncoder
) -> None:
    query = RecommendQuery(user_id='é"', diversity=diversity)
    answer = replace(LIST, is_reordered=diversity > 0)
    items: list[dict[str, object]] = [
        {"rank": 5, "score": 0.5, "rank_score": keys[0], "predicted_rating": 4.25, **MOVIES[2]},
        {"rank": 6, "score": 0.25, "rank_score": keys[1], "predicted_rating": 2.0, **MOVIES[0]},
    ]
    expected = {
        "user_id": 'é"',
        "bundle_id": 'of "today"',
        "source": "history",
        "items": [item | {"source": "history"} for item in items],
    }
    for _ in range(2):  # the second time with cached fragments
        assert json.loads(encode(encoder, query, answer)) == expected


def test_movies_that_were_ignored_are_named_only_if_there_are_any(encoder: AnswerEncoder) -> None:
    for query, answer in ((RecommendQuery(), LIST), (RatingQuery(), STARS)):
        named = json.loads(encode(encoder, query, replace(answer, ignored=('"', "影"))))
        assert named.pop("ignored") == ['"', "影"]
        assert named == json.loads(encode(encoder, query, answer))


def test_what_was_explored_is_marked_and_has_another_key(encoder: AnswerEncoder) -> None:
    answer = replace(LIST, explored=np.array([False, True]))
    items = json.loads(encode(encoder, RecommendQuery(explore=0.5), answer))["items"]
    usual = json.loads(encode(encoder, RecommendQuery(), LIST))["items"]
    assert items[0] == usual[0] | {"rank_score": 3.5}
    assert items[1] == usual[1] | {"rank_score": 1.5, "explored": True}


def test_stars_that_are_not_predicted_are_null() -> None:
    encoder = AnswerEncoder(CATALOGUE, "one", has_ratings=False)
    answer = replace(LIST, predicted_ratings=np.array([np.nan, np.nan]))
    items = json.loads(encode(encoder, RecommendQuery(), answer))["items"]
    assert [item["predicted_rating"] for item in items] == [None, None]


def test_a_movies_fragment_is_made_once() -> None:
    titles = [*CATALOGUE.titles]
    encoder = AnswerEncoder(replace(CATALOGUE, titles=titles), "one")
    first = encode(encoder, RecommendQuery(), LIST)
    titles[2] = "changed"
    assert encode(encoder, RecommendQuery(), LIST) == first


def test_json_is_compact_utf_8(encoder: AnswerEncoder) -> None:
    encoded = encode(encoder, RecommendQuery(), LIST).decode("utf-8")
    assert '"genres":["Drama","War"],' in encoded
    assert "影" in encoded


def test_an_explained_list_names_the_movies_of_the_history(encoder: AnswerEncoder) -> None:
    answer = replace(LIST, because=[[Contribution(1, 0.75), Contribution(0, 0.5, 4.5)], []])
    items = json.loads(encode(encoder, RecommendQuery(explain=True), answer))["items"]
    assert items[0]["because"] == [
        {"movie_id": 'b"', "title": "Bé\n", "display_title": "Bé", "rating": None, "contribution": 0.75},
        {"movie_id": "a", "title": "A", "display_title": "A", "rating": 4.5, "contribution": 0.5},
    ]
    assert items[1]["because"] == []
    assert "because" not in json.loads(encode(encoder, RecommendQuery(), LIST))["items"][0]


@pytest.mark.parametrize("known", [True, False])
def test_a_rating_names_its_movie_and_whether_the_user_is_known(known: bool, encoder: AnswerEncoder) -> None:
    encoded = encode(encoder, RatingQuery(user_id=None), replace(STARS, known_user=known))
    assert json.loads(encoded) == {
        "user_id": None,
        "movie_id": 'b"',
        "title": "Bé\n",
        "display_title": "Bé",
        "predicted_rating": 3.125,
        "known_user": known,
        "bundle_id": 'of "today"',
    }


def test_stars_for_fewer_movies_than_the_list_has_are_no_answer(encoder: AnswerEncoder) -> None:
    with pytest.raises(ValueError, match="sequence of size 1 to extended slice of size 2"):
        encode(encoder, RecommendQuery(), replace(LIST, predicted_ratings=np.array([4.0])))


def test_an_answer_to_the_other_kind_of_query_is_refused(encoder: AnswerEncoder) -> None:
    with pytest.raises(TypeError, match="expected the answer to a RatingQuery, got a Recommendation"):
        encode(encoder, RatingQuery(), LIST)
    with pytest.raises(TypeError, match="expected the answer to a RecommendQuery, got a PredictedRating"):
        encode(encoder, RecommendQuery(), STARS)


def test_each_answer_of_a_batch_is_the_json_that_it_is_alone(encoder: AnswerEncoder) -> None:
    """Numbers and movies of a batch are encoded together: no list may get those of another one."""
    explained = replace(LIST, because=[[Contribution(1, 0.75)], []], although=[[], [Contribution(0, 0.5)]])
    asked: list[tuple[Query, Answer]] = [
        (RecommendQuery(user_id="a"), LIST),
        (
            RecommendQuery(user_id="b"),
            replace(
                LIST,
                offset=0,
                rows=LIST.rows[:0],
                scores=LIST.scores[:0],
                rank_scores=LIST.rank_scores[:0],
                predicted_ratings=LIST.predicted_ratings[:0],
            ),
        ),
        (RatingQuery(user_id="c"), STARS),
        (RecommendQuery(user_id="d", explain=True), replace(explained, source="personalized")),
        (RecommendQuery(user_id="e", diversity=0.5), replace(LIST, is_reordered=True, ignored=("x",))),
        (
            RecommendQuery(user_id="f"),
            replace(
                LIST,
                rows=np.array([1], np.int32),
                scores=LIST.scores[1:],
                rank_scores=LIST.rank_scores[1:],
                predicted_ratings=LIST.predicted_ratings[1:],
            ),
        ),
        (RecommendQuery(user_id="g", explore=0.5), replace(LIST, explored=np.array([True, False]))),
    ]
    together = encoder.encode([query for query, _ in asked], [answer for _, answer in asked])
    assert together == [encode(encoder, query, answer) for query, answer in asked]
    assert json.loads(encode(encoder, *asked[1]))["items"] == []


def test_an_error_stays_in_its_place(encoder: AnswerEncoder) -> None:
    error = UnknownUser("who?", field="user_id")
    query = RecommendQuery(user_id="a")
    expected = encode(encoder, query, LIST)
    assert encoder.encode([query, query, query], [LIST, error, LIST]) == [expected, error, expected]


def test_lists_of_one_source_have_one_id_and_lists_of_a_store_that_is_away_say_so(
    encoder: AnswerEncoder,
) -> None:
    query = RecommendQuery(user_id="a")
    answers = [LIST, replace(LIST, source="popular"), LIST]
    encoded = encoder.encode(
        [query] * 3, answers, is_live=False, recommendation_id=lambda source: f"of {source}"
    )
    documents = [json.loads(each) for each in encoded if isinstance(each, bytes)]
    assert [each["recommendation_id"] for each in documents] == ["of history", "of popular", "of history"]
    assert [each["live"] for each in documents] == [False] * 3
