"""Begin training with what an earlier model has learned, of the users, movies and features that it knew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW
from training.data.table import RatingsTable
from training.errors import ConfigurationError
from training.model.histories import Histories
from training.model.learned_tables import Rows
from training.model.trained_model import TrainedModel
from training.model.two_tower_model import TwoTowerModel
from training.model.vocabulary import Vocabulary

TowerFactors = tuple[NDArray[np.float32], NDArray[np.float32]]
"""`read_factors` and `predicted_factors` of a `StartingPoint`."""


@dataclass(frozen=True, eq=False)
class WarmStart:
    """What an earlier model learned, by the names of what it is about.

    Attributes:
        names: Of the rows of its tables: user ids, movie ids, features.
        boundaries: int64, between its time buckets.
        factors: Of its starting point.
        learned: Its variables by the names of `TwoTowerModel.learned`.
        retrieval_share, rating_share: How much of what it learned was kept, see `TwoTowerModel.keeping`.
    """

    names: Mapping[Rows, Sequence[str]]
    boundaries: NDArray[np.int64]
    factors: TowerFactors
    learned: Mapping[str, NDArray[Any]]
    retrieval_share: float
    rating_share: float

    @classmethod
    def of(cls, trained: TrainedModel, table: RatingsTable) -> WarmStart:
        """What a model that is in memory learned of a table."""
        vocabulary, config = trained.vocabulary, trained.config
        constants = {name: of.numpy() for name, of in trained.model.constants().items()}
        predicted = constants["predicted_factors"]
        read = constants.get("read_factors", np.zeros_like(predicted))
        return cls(
            names=row_names(vocabulary, trained.histories.user_ids, table.movies.movie_ids),
            boundaries=vocabulary.boundaries,
            factors=(read, predicted),
            learned={name: of.variable.numpy() for name, of in trained.model.learned().items()},
            retrieval_share=config.retrieval_share,
            rating_share=config.rating_share,
        )

    def turned(self, vocabulary: Vocabulary, movie_ids: Sequence[str]) -> Vocabulary:
        """Turn a vocabulary's item factors to agree with the earlier ones, which were trained with.

        Singular vectors of other rows have other signs and, where singular values are alike, other
        directions. What the factors say are their products, which no rotation changes: so they get the one
        that brings known movies nearest to where they were (orthogonal Procrustes, Schoenemann 1966, doi
        10.1007/BF02289451).
        """
        known = places(self.names[Rows.CANDIDATES], movie_ids)
        now = vocabulary.start.read_factors, vocabulary.start.predicted_factors
        new, old = (
            np.concatenate([factors[rows] for factors in of]).astype(np.float64)
            for of, rows in ((now, known != NO_ROW), (self.factors, known[known != NO_ROW]))
        )
        left, _, right = np.linalg.svd(new.T @ old)
        read, predicted = (np.asarray(factors @ (left @ right), np.float32) for factors in now)
        return vocabulary._replace(
            start=vocabulary.start._replace(read_factors=read, predicted_factors=predicted)
        )

    def restore(
        self, model: TwoTowerModel, vocabulary: Vocabulary, histories: Histories, movie_ids: Sequence[str]
    ) -> None:
        """Give a new model what was learned; what it is not known of begins at random, as ever.

        Raises:
            ConfigurationError: The variables are not those of such a model.
        """
        names = row_names(vocabulary, histories.user_ids, movie_ids)
        places_of = {rows: places(self.names[rows], names[rows]) for rows in names}
        # A bucket was what it is now part of.
        starts = np.concatenate([[vocabulary.time_range[0]], vocabulary.boundaries])
        places_of[Rows.TIMES] = np.searchsorted(self.boundaries, starts, side="right")
        tables = model.learned()
        if unlike := sorted(tables.keys() ^ self.learned.keys()):
            raise ConfigurationError(
                f"cannot begin with the bundle's model: {', '.join(unlike)} in one only; train without "
                "--warm-start"
            )
        for name, (rows, variable) in tables.items():
            old = self.learned[name]
            if rows is Rows.NONE:
                _require_shape(name, variable.shape, old.shape)
                variable.assign(old)
                continue
            _require_shape(name, variable.shape[1:], old.shape[1:])
            known = np.flatnonzero(places_of[rows] != NO_ROW)
            values = variable.numpy()
            values[known] = old[places_of[rows][known]]
            variable.assign(values)
        # What was not kept is learned on with, and not kept once more: shares do not multiply.
        model.keep_shares(retrieval=1 / (self.retrieval_share or 1), rating=1 / (self.rating_share or 1))


def row_names(
    vocabulary: Vocabulary, user_ids: Sequence[str], movie_ids: Sequence[str]
) -> dict[Rows, Sequence[str]]:
    """Return the names of the rows of a model's tables, but for times."""
    return {
        Rows.USERS: user_ids,
        Rows.CANDIDATES: movie_ids,
        Rows.CONTENT: vocabulary.candidates.names,
        Rows.USER_FEATURES: vocabulary.users.names,
    }


def places(former: Sequence[str], now: Sequence[str]) -> NDArray[np.int64]:
    """Where each of `now` is in `former`, int64; `NO_ROW` where it is not."""
    place_of = {name: place for place, name in enumerate(former)}
    return np.fromiter((place_of.get(name, NO_ROW) for name in now), np.int64, len(now))


def _require_shape(name: str, expected: tuple[int, ...], found: tuple[int, ...]) -> None:
    if tuple(expected) != tuple(found):
        raise ConfigurationError(
            f"cannot begin with the bundle's model: expected {name} of shape {tuple(expected)}, got "
            f"{tuple(found)}; train without --warm-start"
        )
