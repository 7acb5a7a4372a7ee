import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_bundle import seal
from tiny_model import (
    FIRST_TIMESTAMP,
    LAST_TIMESTAMP,
    MAX_HISTORY,
    MOVIE_IDS,
    NUM_CANDIDATES,
    TWIN_TITLE,
    USER_IDS,
    TinyModel,
)

from service.bundle import NO_TIMESTAMP
from service.bundle.catalogue import CATALOGUE_FILE
from service.bundle.golden_requests import HistoryEntry
from service.bundle.rating_head import RatingHead
from service.errors import BundleCorrupt, BundleInconsistent, InvalidField, UnknownMovie
from service.loading import load_recommender
from service.recommending.queries import MovieFilter, RatingQuery, Recommendation, RecommendQuery
from service.recommending.recommender import Recommender
from service.settings import Settings

LIKED: list[HistoryEntry] = [{"movie_id": "m3", "rating": 5.0}, {"movie_id": "m90", "rating": None}]
DISLIKED: list[HistoryEntry] = [{"movie_id": "m3", "rating": 1.0}, {"movie_id": "m90", "rating": None}]


def pairs(answer: Recommendation) -> list[tuple[int, float]]:
    return list(zip(answer.rows.tolist(), answer.scores.tolist(), strict=True))


def exact(recommender: Recommender, **fields: object) -> Recommendation:
    return recommender.recommend(RecommendQuery(**fields), exactly=True)  # type: ignore[arg-type] # each test gives its own


@pytest.mark.parametrize("user_id", USER_IDS)
@pytest.mark.parametrize("timestamp", [None, FIRST_TIMESTAMP + 128])
def test_a_known_user_gets_the_best_movies_they_have_not_seen(
    user_id: str, timestamp: int | None, recommender: Recommender, tiny: TinyModel
) -> None:
    answer = exact(recommender, user_id=user_id, timestamp=timestamp, k=25)
    assert answer.source == "personalized"
    assert pairs(answer) == tiny.recommend(user_id, timestamp=timestamp)[:25]


def test_predicted_ratings_belong_to_their_movies(recommender: Recommender, tiny: TinyModel) -> None:
    answer = recommender.recommend(RecommendQuery(user_id="42", history=LIKED))
    expected = [tiny.stars(row, "42", LIKED) for row in answer.rows.tolist()]
    assert answer.predicted_ratings.tolist() == pytest.approx(expected, abs=1e-6)


def test_stars_stay_within_a_scale_that_float32_cannot_represent(
    recommender: Recommender, tiny_artifacts: Path
) -> None:
    """The float32 nearest to 3.1 is 3.0999999, that nearest to 4.3 is 4.3000002."""
    manifest = replace(recommender.manifest, rating_scale=(3.1, 3.2))
    narrow = replace(recommender, rating_head=RatingHead.open(tiny_artifacts / "tiny-1", manifest))
    answer = narrow.recommend(RecommendQuery(user_id="42", k=NUM_CANDIDATES))
    stars = answer.predicted_ratings.tolist()
    assert (min(stars), max(stars)) == (3.1, 3.2)
    row = int(answer.rows[stars.index(3.2)])
    assert narrow.predict_rating(RatingQuery(user_id="42", movie_id=MOVIE_IDS[row])).stars == 3.2


def test_the_index_finds_what_the_exact_search_finds(recommender: Recommender, tiny: TinyModel) -> None:
    for user_id in USER_IDS:
        answer = recommender.recommend(RecommendQuery(user_id=user_id))
        assert [score for _, score in pairs(answer)] == [score for _, score in tiny.recommend(user_id)[:10]]


def test_a_cold_start_user_with_a_history_gets_its_results(recommender: Recommender, tiny: TinyModel) -> None:
    for user_id in (None, "nobody"):
        answer = exact(recommender, user_id=user_id, history=LIKED)
        assert answer.source == "history"
        assert pairs(answer) == tiny.recommend(None, LIKED)[:10]


def test_other_ratings_of_the_same_movies_give_other_lists(recommender: Recommender, tiny: TinyModel) -> None:
    liked, disliked = (exact(recommender, history=each, rank_by="retrieval") for each in (LIKED, DISLIKED))
    assert pairs(liked) != pairs(disliked)
    assert pairs(disliked) == tiny.recommend(None, DISLIKED)[:10]


def test_a_sent_history_is_appended_to_the_stored_one(recommender: Recommender, tiny: TinyModel) -> None:
    answer = exact(recommender, user_id="42", history=LIKED, k=NUM_CANDIDATES)
    assert answer.source == "personalized"
    assert pairs(answer) == tiny.recommend("42", LIKED)
    assert pairs(answer) != tiny.recommend("42")


def test_a_stored_movie_sent_again_takes_the_new_rating_and_position(
    recommender: Recommender, tiny: TinyModel
) -> None:
    first_row = tiny.histories["42"][0][0]
    again: list[HistoryEntry] = [{"movie_id": MOVIE_IDS[first_row], "rating": 4.5}]  # none is stored so
    answer = exact(recommender, user_id="42", history=again)
    by_hand = tiny.embed("42", [*tiny.histories["42"][1:], (first_row, 4.5, NO_TIMESTAMP)], None)
    best = max(tiny.candidates[row] @ by_hand for row, _ in tiny.recommend("42", again))
    assert answer.scores[0] == best
    assert first_row not in answer.rows


def test_the_last_entry_of_a_movie_sent_twice_counts(recommender: Recommender) -> None:
    others: list[HistoryEntry] = [
        {"movie_id": f"m{row}", "rating": 4.0} for row in range(100, 100 + MAX_HISTORY)
    ]
    once: HistoryEntry = {"movie_id": "m3", "rating": 5.0}
    twice = exact(recommender, history=[{"movie_id": "m3", "rating": 1.0}, *others, once])
    assert pairs(twice) == pairs(exact(recommender, history=[*others, once]))
    assert pairs(twice) != pairs(exact(recommender, history=[once, *others]))  # m3 is then too old to be read


def test_the_model_reads_the_most_recent_movies_but_all_seen_ones_are_excluded(
    recommender: Recommender, tiny: TinyModel
) -> None:
    long: list[HistoryEntry] = [{"movie_id": f"m{row}", "rating": 5.0} for row in range(100, 130)]
    answer = exact(recommender, history=long, k=NUM_CANDIDATES)
    assert pairs(answer) == tiny.recommend(None, long)
    assert not set(answer.rows.tolist()) & set(range(100, 130))
    assert len(answer.rows) == NUM_CANDIDATES - 30


def test_seen_movies_are_returned_without_exclude_seen(recommender: Recommender, tiny: TinyModel) -> None:
    answer = exact(recommender, user_id="42", history=LIKED, exclude_seen=False, k=NUM_CANDIDATES)
    assert pairs(answer) == tiny.recommend("42", LIKED, exclude_seen=False)
    assert len(answer.rows) == NUM_CANDIDATES


def test_a_cold_start_user_without_history_gets_the_most_rated_movies(
    recommender: Recommender, tiny: TinyModel
) -> None:
    answer = recommender.recommend(RecommendQuery(user_id="nobody", k=50))
    assert answer.source == "popular"
    assert pairs(answer) == tiny.recommend("nobody")[:50]
    stars = [tiny.stars(row) for row in answer.rows.tolist()]
    assert answer.predicted_ratings.tolist() == pytest.approx(stars, abs=1e-6)


def test_a_user_who_has_seen_everything_gets_nothing(recommender: Recommender) -> None:
    everything: list[HistoryEntry] = [{"movie_id": movie_id, "rating": None} for movie_id in MOVIE_IDS]
    assert exact(recommender, history=everything).rows.tolist() == []
    assert recommender.recommend(RecommendQuery(history=everything[3:], k=500)).rows.tolist() != []
    assert len(recommender.recommend(RecommendQuery(history=everything[3:], k=500)).rows) == 3


@pytest.mark.parametrize(
    ("timestamp", "same_as"),
    [
        (LAST_TIMESTAMP + 5, LAST_TIMESTAMP),
        (2**63 - 1, LAST_TIMESTAMP),
        (0, FIRST_TIMESTAMP),
        (-(2**63), FIRST_TIMESTAMP),
    ],
)
def test_timestamps_are_clipped_to_the_time_range_of_training(
    timestamp: int, same_as: int, recommender: Recommender, tiny: TinyModel
) -> None:
    answer = exact(recommender, user_id="42", timestamp=timestamp)
    assert pairs(answer) == tiny.recommend("42", timestamp=same_as)[:10]


def test_concurrent_threads_get_their_own_answers(recommender: Recommender, tiny: TinyModel) -> None:
    people = USER_IDS * 20
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda user_id: exact(recommender, user_id=user_id), people))
    for user_id, answer in zip(people, answers, strict=True):
        assert pairs(answer) == tiny.recommend(user_id)[:10]


def test_a_rating_is_predicted_by_id_and_by_title(recommender: Recommender, tiny: TinyModel) -> None:
    by_id = recommender.predict_rating(RatingQuery(user_id="42", movie_id="🎬", timestamp=FIRST_TIMESTAMP))
    assert (by_id.row, by_id.known_user) == (MOVIE_IDS.index("🎬"), True)
    assert by_id.stars == pytest.approx(tiny.stars(by_id.row, "42", timestamp=FIRST_TIMESTAMP), abs=1e-6)
    by_title = recommender.predict_rating(RatingQuery(user_id="nobody", movie_title=TWIN_TITLE))
    assert (by_title.row, by_title.known_user) == (20, False)  # rated as often as movie 30, and before it
    assert by_title.stars == pytest.approx(tiny.stars(20), abs=1e-6)


def test_unknown_movies_of_a_history_are_ignored_and_named(recommender: Recommender, tiny: TinyModel) -> None:
    unknown: list[HistoryEntry] = [{"movie_id": f"new-{at}", "rating": None} for at in (2, 1, 2)]
    answer = recommender.recommend(RecommendQuery(user_id="42", history=[unknown[0], *LIKED, *unknown]))
    assert answer.ignored == ("new-2", "new-1")
    assert pairs(answer) == pairs(recommender.recommend(RecommendQuery(user_id="42", history=LIKED)))
    rating = recommender.predict_rating(RatingQuery(history=[*LIKED, *unknown], movie_id="m4"))
    assert rating.ignored == ("new-2", "new-1")
    assert rating.stars == pytest.approx(tiny.stars(4, None, LIKED), abs=1e-6)
    nothing_known = recommender.recommend(RecommendQuery(history=unknown))
    assert (nothing_known.source, nothing_known.ignored) == ("popular", ("new-2", "new-1"))
    known_user = recommender.recommend(RecommendQuery(user_id="42", history=unknown))
    assert pairs(known_user) == pairs(recommender.recommend(RecommendQuery(user_id="42")))


def test_unknown_movies_are_named_wherever_they_stand(recommender: Recommender) -> None:
    unknown: HistoryEntry = {"movie_id": "new-1", "rating": None}
    narrow = MovieFilter(movie_ids=["m3", "new-3", "new-1"])
    answer = recommender.recommend(
        RecommendQuery(history=[unknown], exclude=["new-2", "m4", "new-2"], filter=narrow)
    )
    assert answer.ignored == ("new-1", "new-2", "new-3")


def test_nobody_in_particular_gets_what_an_unknown_user_gets(recommender: Recommender) -> None:
    nobody = recommender.recommend(RecommendQuery())
    assert nobody.source == "popular"
    assert pairs(nobody) == pairs(recommender.recommend(RecommendQuery(user_id="nobody")))
    stars = recommender.predict_rating(RatingQuery(movie_id="m4")).stars
    assert stars == recommender.predict_rating(RatingQuery(user_id="nobody", movie_id="m4")).stars


def test_an_invalid_query_names_its_field(recommender: Recommender) -> None:
    def field_of(query: RecommendQuery | RatingQuery, error: type[InvalidField | UnknownMovie]) -> str:
        ask = recommender.recommend if isinstance(query, RecommendQuery) else recommender.predict_rating
        with pytest.raises(error) as raised:
            ask(query)  # type: ignore[arg-type] # mypy joins the two methods
        return raised.value.field

    low: HistoryEntry = {"movie_id": "m1", "rating": 0.5}
    high: HistoryEntry = {"movie_id": "m1", "rating": 5.5}
    unknown: HistoryEntry = {"movie_id": "m999", "rating": 5.0}
    assert field_of(RecommendQuery(history=[low]), InvalidField) == "history.0.rating"
    assert field_of(RecommendQuery(user_id="42", history=[*LIKED, high]), InvalidField) == "history.2.rating"
    strict = RecommendQuery(history=[*LIKED, unknown], strict=True)
    assert field_of(strict, UnknownMovie) == "history.2.movie_id"
    excluding = RecommendQuery(exclude=["m1", "m999"], strict=True)
    assert field_of(excluding, UnknownMovie) == "exclude.1"
    among = RecommendQuery(filter=MovieFilter(movie_ids=["m999"]), strict=True)
    assert field_of(among, UnknownMovie) == "filter.movie_ids.0"
    unknown_and_high: HistoryEntry = {"movie_id": "m999", "rating": 9.0}
    assert field_of(RecommendQuery(history=[unknown_and_high]), InvalidField) == "history.0.rating"
    assert field_of(RatingQuery(user_id="42", movie_id="m999"), UnknownMovie) == "movie_id"
    assert field_of(RatingQuery(user_id="42", movie_title="m1"), UnknownMovie) == "movie_title"
    assert field_of(RatingQuery(user_id="42"), InvalidField) == "movie_id"


def test_a_bundle_with_a_changed_byte_is_refused(artifacts: Path) -> None:
    path = artifacts / "tiny-1" / CATALOGUE_FILE
    path.write_bytes(path.read_bytes().replace(b"Twins", b"Twine", 1))
    with pytest.raises(BundleCorrupt, match=r"catalogue\.json: expected sha256"):
        load_recommender(artifacts / "tiny-1", Settings())


def test_a_bundle_with_a_missing_movie_is_refused(artifacts: Path) -> None:
    path = artifacts / "tiny-1" / CATALOGUE_FILE
    columns = {"movie_ids": ["1"], "titles": ["One"], "genres": [[]], "years": [1], "num_ratings": [1]}
    path.write_text(json.dumps(columns), encoding="utf-8")
    seal(artifacts / "tiny-1")
    with pytest.raises(BundleInconsistent, match="expected 240 movies"):
        load_recommender(artifacts / "tiny-1", Settings())
