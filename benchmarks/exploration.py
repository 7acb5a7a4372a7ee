"""What `explore` costs in hit rate, and what it shows.

    python -m benchmarks.exploration --data auto --page docs/evaluation.md

Trains on the training rows of the temporal split, exports a bundle, and asks it for the first ten for the
users of test rows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.page import markdown_table, replace_between
from service.loading import load_recommender
from service.recommending.queries import COLD_RATINGS, RecommendQuery
from service.recommending.recommender import Recommender
from service.settings import Settings
from training.config import TrainingConfig
from training.data.sources import load_ratings
from training.data.splits import temporal_split
from training.data.table import RatingsTable
from training.export.bundle_export import export_bundle
from training.model.fitting import fit_model

K = 10
SHARES = (0.0, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Outcome:
    """What lists of one share had.

    Attributes:
        hit_rate: Share of test rows whose movie is in its user's list.
        cold_share: Share of the places that cold movies have.
        cold_movies: Different cold movies in all lists.
        cold_hit_rate: Share of the places of cold movies whose movie is a test row of the user.
    """

    hit_rate: float
    cold_share: float
    cold_movies: int
    cold_hit_rate: float


def main() -> None:
    """Train, measure every share and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="auto", help="what `fit --data` takes")
    parser.add_argument("--epochs", type=int, help="passes over all users; the default of `fit` if left out")
    parser.add_argument("--shares", type=float, nargs="*", default=SHARES)
    parser.add_argument("--page", type=Path, help="a page with the comments `exploration`")
    options = parser.parse_args()
    table = load_ratings(options.data)
    split = temporal_split(table)
    train, test = table.take(split.train), table.take(split.test)
    config = TrainingConfig()
    if options.epochs is not None:
        config = replace(config, epochs=options.epochs)
    with tempfile.TemporaryDirectory() as directory:
        bundle = export_bundle(fit_model(train, config), train, None, Path(directory))
        recommender = load_recommender(bundle, Settings(index="exact"))
        outcomes = {share: measure(recommender, test, share) for share in options.shares}
    num_cold = int(np.count_nonzero(train.movie_counts < COLD_RATINGS))
    headings = [
        "`explore`:",
        f"hit rate@{K}",
        "places of cold movies",
        "cold movies shown",
        "of them watched",
    ]
    rows = [
        [
            f"{share:g}",
            f"{each.hit_rate:.4f}",
            f"{each.cold_share:.1%}",
            f"{each.cold_movies:,} of {num_cold:,}",
            f"{each.cold_hit_rate:.2%}",
        ]
        for share, each in outcomes.items()
    ]
    users = len(np.unique(test.user_rows))
    text = (
        f"`python -m benchmarks.exploration`, {table.name}, temporal split, {users:,} users, one seed. Cold: "
        f"fewer than {COLD_RATINGS} users of the training rows.\n\n{markdown_table(headings, rows)}\n"
    )
    sys.stdout.write(text)
    if options.page is not None:
        replace_between(options.page, "exploration", text)


def measure(recommender: Recommender, test: RatingsTable, share: float) -> Outcome:
    """Ask for the list of every user of the test rows, and compare."""
    is_cold = np.array(recommender.catalogue.num_ratings) < COLD_RATINGS
    hits = places = cold_places = cold_hits = 0
    shown: set[int] = set()
    for user in np.unique(test.user_rows).tolist():
        watched = test.movie_rows[test.user_rows == user]
        query = RecommendQuery(user_id=test.user_ids[user], k=K, explore=share)
        rows = recommender.recommend(query).rows
        hit, cold = np.isin(rows, watched), is_cold[rows]
        hits, places = hits + int(hit.sum()), places + len(rows)
        cold_places, cold_hits = cold_places + int(cold.sum()), cold_hits + int((hit & cold).sum())
        shown.update(rows[cold].tolist())
    return Outcome(hits / len(test), cold_places / places, len(shown), cold_hits / max(cold_places, 1))


if __name__ == "__main__":
    main()
