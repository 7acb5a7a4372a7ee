import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from synthetic_ratings import FIRST_TIMESTAMP, Rating, table_of

from training.data.table import RatingsTable
from training.model.popularity_trend import fit_trend

DAY = 86_400
MOVIES = ["faded", "risen", "steady", "unrated"]
NEW = 4


def risen_and_faded(days: int = 400, each_day: int = 8, movies: Sequence[str] = MOVIES) -> RatingsTable:
    """'faded' is watched in the first half, 'risen' in the second, and 'steady' as often in both."""
    random = np.random.default_rng(0)
    ratings: list[Rating] = []
    for day in range(days):
        popular = "faded" if day < days // 2 else "risen"
        for _ in range(each_day):
            movie = popular if random.random() < 0.6 else "steady"
            moment = FIRST_TIMESTAMP + day * DAY + int(random.integers(DAY))
            ratings.append((str(len(ratings)), movie, 3.0, moment))
    return table_of(ratings, movies)


def test_what_was_popular_only_long_ago_has_fallen_and_what_is_popular_now_has_risen() -> None:
    table = risen_and_faded()
    counts = dict(zip(MOVIES, table.movie_counts.tolist(), strict=True))
    assert 0.9 < counts["faded"] / counts["risen"] < 1.1
    now = dict(zip(MOVIES, np.exp(fit_trend(table).now).tolist(), strict=True))
    assert now["risen"] > 10 * now["faded"]
    assert now["risen"] > 1.3 * counts["risen"] / len(table)
    assert now["steady"] == pytest.approx(counts["steady"] / len(table), abs=0.06)
    assert 0 < now["unrated"] <= now["faded"]


def test_in_the_middle_of_time_what_was_popular_then_is_popular() -> None:
    table = risen_and_faded()
    trend = fit_trend(table)
    [early, late] = trend.periods(FIRST_TIMESTAMP + DAY * np.array([190, 399])).tolist()
    shares = np.exp(trend.log_shares)
    assert shares[early, 0] > 0.5
    assert shares[late, 1] > 0.5
    assert shares[late, 0] < 0.1


def test_the_shares_of_every_period_sum_to_one() -> None:
    for table in (risen_and_faded(), risen_and_faded(days=3, each_day=2)):
        trend = fit_trend(table)
        assert trend.log_shares.shape == (len(trend.boundaries) + 2, 4)
        assert trend.log_shares.dtype == np.float32
        np.testing.assert_allclose(np.exp(trend.log_shares).sum(axis=1), 1, atol=1e-5)


def test_before_the_first_rating_all_are_alike() -> None:
    np.testing.assert_allclose(np.exp(fit_trend(risen_and_faded()).log_shares[0]), 1 / 4, atol=1e-5)


@pytest.mark.parametrize("day", [0, 3, 200, 399])
def test_a_rating_never_counts_in_its_own_period(day: int) -> None:
    """A movie that is first watched on one day is until the next period as one that nobody has watched."""
    table = risen_and_faded(movies=[*MOVIES, "watched once"])
    first = np.flatnonzero((table.timestamps - FIRST_TIMESTAMP) // DAY == day)[3]
    table.movie_rows[first] = NEW
    trend = fit_trend(table)
    [period] = trend.periods(table.timestamps[[first]]).tolist()
    np.testing.assert_array_equal(trend.log_shares[: period + 1, NEW], trend.log_shares[: period + 1, 3])
    assert (trend.log_shares[period + 1 :, NEW] > trend.log_shares[period + 1 :, 3]).all()


def test_a_moment_belongs_to_the_period_that_it_begins() -> None:
    trend = fit_trend(risen_and_faded())
    boundary = trend.boundaries[4]
    around = np.array([boundary - 1, boundary, FIRST_TIMESTAMP - DAY, FIRST_TIMESTAMP + 10_000 * DAY])
    last = len(trend.boundaries)
    assert trend.periods(around).tolist() == [4, 5, 0, last]
    assert trend.periods(around).dtype == np.int32
    assert trend.now.tolist() == trend.log_shares[last + 1].tolist()


def test_of_a_few_ratings_there_are_two_periods() -> None:
    table = table_of([(str(at), MOVIES[at % 2], 3.0, DAY * at) for at in range(6)], MOVIES)
    trend = fit_trend(table)
    assert len(trend.boundaries) == 1
    shares = np.exp(trend.now)
    assert shares[0] == pytest.approx(shares[1], abs=0.05)
    assert shares[0] > shares[3]


def test_of_one_moment_there_is_nothing_to_follow() -> None:
    table = table_of([(str(at), MOVIES[min(at, 2)], 3.0, 7) for at in range(10)], MOVIES)
    trend = fit_trend(table)
    assert np.isfinite(trend.log_shares).all()
    np.testing.assert_allclose(np.exp(trend.log_shares).sum(axis=1), 1, atol=1e-5)
    assert np.argmax(trend.now) == 2


def test_where_most_ratings_have_the_first_time_of_all_no_period_before_it_is_empty() -> None:
    """As an export that gives old ratings one time. The first period has no ratings before it to count."""
    table = table_of([(str(at), MOVIES[at % 3], 3.0, at) for at in range(400)], MOVIES)
    times = np.array([0] * 300 + [DAY * at for at in range(1, 101)])
    trend = fit_trend(dataclasses.replace(table, timestamps=times, has_times=True))
    assert trend.boundaries.min() > 0
    np.testing.assert_allclose(np.exp(trend.log_shares).sum(axis=1), 1, atol=1e-5)


def test_a_movie_that_nobody_watched_keeps_a_share_of_about_one_rating() -> None:
    """So that its log is a number, from which training can raise it."""
    table = table_of([(str(at), "steady", 3.0, DAY * at) for at in range(400)], MOVIES)
    table = dataclasses.replace(table, timestamps=DAY * np.arange(400), has_times=True)
    unrated = np.exp(fit_trend(table).now[3])
    assert 0.1 / 400 / 4 < unrated < 1 / 400
