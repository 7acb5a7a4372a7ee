"""Replay the golden requests of a bundle, so that none goes live which answers otherwise than training did.

Answers are compared twice: scored exactly they must equal training's, and answered as every request is, most
of the items must be as good as those, or the index belongs to other candidates. It warms the model as well.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from service.bundle.golden_requests import (
    GOLDEN_FILE,
    GoldenItem,
    GoldenRating,
    GoldenRecommendation,
    read_golden,
)
from service.bundle.tolerances import stars_tolerance
from service.errors import BundleDisagrees, BundleInconsistent, RequestError
from service.recommending.queries import RatingQuery, Recommendation, RecommendQuery

if TYPE_CHECKING:
    from service.recommending.recommender import Recommender

# Another processor orders float32 sums otherwise: training holds embeddings to 1e-5, and a score sums dozens.
SCORE_TOLERANCE = 1e-4
"""Relative, and absolute as a share of the answer's largest score: small ones are sums that cancel."""
STARS_TOLERANCE = 2.5e-4
"""A share of the rating scale's width: 0.001 stars of 1 to 5."""
# The exporter holds the mean over users at 0.99: a few requests may lie lower, a wrong index far lower.
LEAST_RECALL = 0.9


def replay(recommender: Recommender, bundle_directory: Path) -> None:
    """Answer every golden request and compare.

    Raises:
        BundleUnreadable, BundleInconsistent: See `read_golden`.
        BundleDisagrees: An answer differs; the message says where.
    """
    path = bundle_directory / GOLDEN_FILE
    requests = read_golden(bundle_directory)
    if not requests["predict_rating"] and recommender.rating_head is not None:
        raise BundleInconsistent(f"{path}: expected requests for ratings, got none; export again")
    try:
        found, wanted = 0, 0
        for position, golden in enumerate(requests["recommend"]):
            found += _replay_recommendation(recommender, golden, f"{path}: recommend.{position}")
            wanted += len(golden["items"])
        for position, rating in enumerate(requests["predict_rating"]):
            _replay_rating(recommender, rating, f"{path}: predict_rating.{position}")
    except RequestError as error:
        raise BundleDisagrees(f"{path}: a request is refused ({error}); export again") from error
    if found < LEAST_RECALL * wanted:
        raise BundleDisagrees(
            f"{path}: expected the index to find {LEAST_RECALL:.0%} of {wanted} golden items, "
            f"it found {found}; export again"
        )


def _replay_recommendation(recommender: Recommender, golden: GoldenRecommendation, where: str) -> int:
    """Compare the exact answer; returns how many items of a request's are as good as the exact ones."""
    query = RecommendQuery(
        user_id=golden["user_id"],
        history=golden["history"],
        timestamp=golden["timestamp"],
        k=golden["k"],
        exclude_seen=golden["exclude_seen"],
        rank_by="retrieval",
        explore=0,
        strict=True,
    )
    exact = recommender.recommend(query, exactly=True)
    if exact.source != golden["source"]:
        raise BundleDisagrees(f"{where}: expected source {golden['source']}, got {exact.source}")
    tolerance = _stars_tolerance(recommender)
    _compare_items(_items(recommender, exact), golden["items"], where, tolerance)
    if len(exact.scores) == 0:
        return 0
    # By score, not by movie: where many are as good as the last, it does not matter which of them it is.
    return int(np.count_nonzero(recommender.recommend(query).scores >= exact.scores[-1]))


def _stars_tolerance(recommender: Recommender) -> float:
    scale = recommender.manifest.rating_scale
    return 0.0 if scale is None else stars_tolerance(scale, STARS_TOLERANCE)


def _compare_items(
    served: list[GoldenItem], golden: list[GoldenItem], where: str, tolerance_stars: float
) -> None:
    """Equal but for the order of movies whose scores are equal within the tolerance."""
    if len(served) != len(golden):
        raise BundleDisagrees(f"{where}: expected {len(golden)} items, got {len(served)}")
    least = SCORE_TOLERANCE * max([1.0, *(abs(item["score"]) for item in golden)])
    expected = {item["movie_id"]: item for item in golden}
    for position, (got, same_place) in enumerate(zip(served, golden, strict=True)):
        # A movie that golden lacks may only stand in for one that is as good, the one in its place.
        own = expected.get(got["movie_id"], same_place)
        for item in (same_place, own):
            if not math.isclose(got["score"], item["score"], rel_tol=SCORE_TOLERANCE, abs_tol=least):
                raise BundleDisagrees(
                    f"{where}.items.{position}: expected movie {item['movie_id']!r} with score "
                    f"{item['score']}, got {got['movie_id']!r} with {got['score']}"
                )
        if own["movie_id"] == got["movie_id"]:
            at = f"{where}.items.{position}"
            _compare_stars(got["predicted_rating"], own["predicted_rating"], at, tolerance_stars)


def _replay_rating(recommender: Recommender, golden: GoldenRating, where: str) -> None:
    query = RatingQuery(
        user_id=golden["user_id"],
        history=golden["history"],
        timestamp=golden["timestamp"],
        movie_id=golden["movie_id"],
        strict=True,
    )
    stars = recommender.predict_rating(query).stars
    _compare_stars(stars, golden["predicted_rating"], where, _stars_tolerance(recommender))


def _compare_stars(got: float | None, expected: float | None, where: str, tolerance_stars: float) -> None:
    equal = got is expected if got is None or expected is None else abs(got - expected) <= tolerance_stars
    if not equal:  # nor is NaN
        raise BundleDisagrees(f"{where}: expected a predicted rating of {expected} stars, got {got}")


def _items(recommender: Recommender, answer: Recommendation) -> list[GoldenItem]:
    movie_ids = recommender.catalogue.movie_ids
    return [
        {
            "movie_id": movie_ids[row],
            "score": score,
            "predicted_rating": None if recommender.rating_head is None else stars,
        }
        for row, score, stars in zip(
            answer.rows.tolist(), answer.scores.tolist(), answer.predicted_ratings.tolist(), strict=True
        )
    ]
