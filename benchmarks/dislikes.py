"""How often cold-start users who sent low ratings are shown what they will not like, and what heeding costs.

    python -m benchmarks.dislikes --data auto --page docs/evaluation.md

Trains without a fifth of the users, exports a bundle, and asks it as the service does: each of those users
sends the first 1 to 20 ratings, oldest first, of which at least one is below the middle of the scale. What
they watched afterwards is what lists are measured on. Half of the users are for choosing
(`service.recommending.dislikes`), the other half for the report.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.page import markdown_table, replace_between
from service.loading import load_recommender
from service.recommending.dislikes import are_disliked
from service.recommending.queries import RankBy, RecommendQuery
from service.recommending.recommender import Recommender
from service.settings import Settings
from training.config import TrainingConfig
from training.data.sources import load_ratings
from training.data.table import RatingsTable
from training.export.bundle_export import export_bundle
from training.model.fitting import fit_model

MARK = "dislikes"
K = 10
SENT = (1, 3, 5, 10, 20)
_LEAST_LEFT = 10
_SHARE = 0.2
_ORDERS: tuple[tuple[str, RankBy | None], ...] = (
    ("by score alone", "retrieval"),
    ("heeding dislikes", None),
    ("`blend`", "blend"),
)


@dataclass(frozen=True)
class Asked:
    """A cold-start user's history as sent, and what came after.

    Attributes:
        movie_ids: Sent, oldest first.
        ratings: Of these.
        rows: int32, of what the user watched afterwards.
        stars: float32, of these.
    """

    movie_ids: list[str]
    ratings: list[float]
    rows: NDArray[np.int32]
    stars: NDArray[np.float32]


def main() -> None:
    """Train, measure both halves in every order and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="auto", help="what `fit --data` takes")
    parser.add_argument("--seed", type=int, default=7, help="of which users are left out")
    parser.add_argument("--page", type=Path, help=f"a page with the comments `{MARK}`")
    options = parser.parse_args()
    table = load_ratings(options.data)
    random = np.random.default_rng(options.seed)
    users = random.choice(table.num_users, round(_SHARE * table.num_users), replace=False)
    is_out = np.isin(table.user_rows, users)
    train = table.take(np.flatnonzero(~is_out))
    with tempfile.TemporaryDirectory() as directory:
        bundle = export_bundle(fit_model(train, TrainingConfig()), train, None, Path(directory))
        recommender = load_recommender(bundle, Settings(index="exact"))
        halves = {"validation": users[: len(users) // 2], "test": users[len(users) // 2 :]}
        rows = []
        for name, half in halves.items():
            asked = [each for user in half.tolist() for each in histories(table, user)]
            for order, rank_by in _ORDERS:
                rows.append([name, f"{len(asked)}", order, *measure(recommender, asked, rank_by)])
    headings = [
        *("users:", "histories", "order", f"hit rate@{K}", f"NDCG@{K}"),
        *("below the user's mean", "below the middle", "watched and liked", "watched and disliked"),
    ]
    text = (
        f"`python -m benchmarks.dislikes`, {table.name}, {len(users)} users left out, each with the first "
        f"{', '.join(map(str, SENT))} ratings where one of them is low. Shares of the first {K} places: "
        "predicted below the mean of what was sent; below the middle of the scale; watched afterwards and "
        f"rated 4 or more, or below the middle.\n\n{markdown_table(headings, rows)}\n"
    )
    sys.stdout.write(text)
    if options.page is not None:
        replace_between(options.page, MARK, text)


def histories(table: RatingsTable, user: int) -> Iterator[Asked]:
    """What a user sends: of each length that has a low rating, and enough after it."""
    places = np.flatnonzero(table.user_rows == user)
    places = places[np.lexsort((table.movie_rows[places], table.timestamps[places]))]
    for length in SENT:
        sent, left = places[:length], places[length:]
        if len(left) < _LEAST_LEFT or not are_disliked(table.stars[sent], table.rating_scale).any():
            continue
        movie_ids = [table.movies.movie_ids[row] for row in table.movie_rows[sent].tolist()]
        yield Asked(movie_ids, table.stars[sent].tolist(), table.movie_rows[left], table.stars[left])


def measure(recommender: Recommender, asked: list[Asked], rank_by: RankBy | None) -> list[str]:
    """Ask for the list of every history; return the cells of a row of the table."""
    scale = recommender.manifest.rating_scale or (np.nan, np.nan)
    hits = wanted = places = below_mean = below_middle = liked = disliked = 0
    gains = []
    for each in asked:
        history = [
            {"movie_id": movie_id, "rating": rating}
            for movie_id, rating in zip(each.movie_ids, each.ratings, strict=True)
        ]
        answer = recommender.recommend(RecommendQuery(history=history, k=K, rank_by=rank_by))  # type: ignore[arg-type] # a list of literals
        hit = np.isin(answer.rows, each.rows)
        hits, wanted, places = hits + int(hit.sum()), wanted + len(each.rows), places + len(answer.rows)
        discounts = 1 / np.log2(np.arange(2, K + 2))
        gains.append(float(discounts[: len(hit)][hit].sum() / discounts[: min(K, len(each.rows))].sum()))
        below_mean += int((answer.predicted_ratings < np.mean(each.ratings)).sum())
        below_middle += int((answer.predicted_ratings < sum(scale) / 2).sum())
        liked += int(np.isin(answer.rows, each.rows[each.stars >= 4]).sum())
        disliked += int(np.isin(answer.rows, each.rows[are_disliked(each.stars, scale)]).sum())
    shares = (f"{count / places:.1%}" for count in (below_mean, below_middle, liked, disliked))
    return [f"{hits / wanted:.4f}", f"{np.mean(gains):.4f}", *shares]


if __name__ == "__main__":
    main()
