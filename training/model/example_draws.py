"""Draw training examples of many users at once: what each reads of its history, and what it predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_TIMESTAMP
from training.config import TrainingConfig
from training.model.histories import Histories


@dataclass(frozen=True, eq=False)
class ExampleDraws:
    """One example for each of `B` users, as masks over their `n` ratings, one history after another.

    Movies of the history are either read (the query's input) or hidden (its targets), never both, or the
    model would learn to copy.

    Attributes:
        places: int64 `[n]`, where the ratings are in `Histories`, ascending within a user.
        owners: int64 `[n]`, ascending: position in the batch of the user that each belongs to.
        read: bool `[n]`, the query's input.
        retrieved: bool `[n]`, targets of the retrieval task.
        rated: bool `[n]`, targets of the rating task, all of `retrieved` among them.
        timestamps: int64 `[B]`, time of the query, Unix seconds, or `NO_TIMESTAMP`.
        moments: int64 `[B]`, when the targets were watched, whether the query says so or not; Unix seconds.
    """

    places: NDArray[np.int64]
    owners: NDArray[np.int64]
    read: NDArray[np.bool_]
    retrieved: NDArray[np.bool_]
    rated: NDArray[np.bool_]
    timestamps: NDArray[np.int64]
    moments: NDArray[np.int64]


class _Ratings(NamedTuple):
    """The ratings of `B` users, one history after another, `n` in all.

    Attributes:
        lengths: int64 `[B]`, above 0.
        first: int64 `[B]`, where each history begins among the n.
        owners: int64 `[n]`.
        positions: int64 `[n]`, within the history.
    """

    lengths: NDArray[np.int64]
    first: NDArray[np.int64]
    owners: NDArray[np.int64]
    positions: NDArray[np.int64]

    @classmethod
    def of(cls, lengths: NDArray[np.int64]) -> _Ratings:
        owners = np.repeat(np.arange(len(lengths)), lengths)
        first = np.cumsum(lengths) - lengths
        return cls(lengths, first, owners, np.arange(len(owners)) - first[owners])


def draw_examples(
    histories: Histories, users: NDArray[np.int64], config: TrainingConfig, random: np.random.Generator
) -> ExampleDraws:
    """Draw an example of each user: predict the future, movies hidden at random, or all from nothing.

    Args:
        histories: Of all users.
        users: int64 `[B]`, their rows, at least one.
        config: With which shares each kind is drawn.
        random: Advanced by the draws.
    """
    starts = histories.offsets[users]
    ratings = _Ratings.of(histories.offsets[users + 1] - starts)
    owners, positions = ratings.owners, ratings.positions
    is_timed = random.random(len(users)) >= config.time_dropout
    is_empty = random.random(len(users)) < config.empty_share
    looks_forward = random.random(len(users)) < config.forward_share
    cut, read, dropped = _look_forward(ratings, config, random)
    retrieved = positions >= cut[owners]
    at = cut
    if config.forward_share < 1:
        hides = ~looks_forward[owners]
        hidden, near, anchor = _hide(ratings, is_timed, config, random)
        read, dropped = np.where(hides, ~hidden, read), np.where(hides, hidden, dropped)
        retrieved = np.where(hides, near, retrieved)
        at = np.where(looks_forward, cut, anchor)
    of_empty = is_empty[owners]
    read, retrieved = read & ~of_empty, retrieved | of_empty
    moments = histories.timestamps[starts + np.where(is_empty, 0, at)]
    return ExampleDraws(
        places=starts[owners] + positions,
        owners=owners,
        read=read,
        retrieved=retrieved,
        rated=retrieved | dropped,
        timestamps=np.where(is_timed, moments, NO_TIMESTAMP),
        moments=moments,
    )


def _look_forward(
    ratings: _Ratings, config: TrainingConfig, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Cut histories in two: where, which of the earlier part is read, and which is dropped but rated."""
    lengths, _, owners, positions = ratings
    users = len(lengths)
    cut = np.rint(lengths * random.uniform(config.cut_low, config.cut_high, users)).astype(np.int64)
    cut = np.where(lengths > 1, np.clip(cut, 1, lengths - 1), 0)
    is_past = positions < cut[owners]
    drop_rates = random.uniform(0, config.history_dropout, users)
    kept = is_past & (random.random(len(owners)) >= drop_rates[owners])
    is_short = (random.random(users) < config.short_share)[owners]
    newest = random.integers(1, config.short_history + 1, users)
    recent = is_past & (positions >= (cut - newest)[owners])
    return cut, np.where(is_short, recent, kept), is_past & ~kept & ~is_short


def _hide(
    ratings: _Ratings, is_timed: NDArray[np.bool_], config: TrainingConfig, random: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """Hide a random part: which, what of it is retrieved, and the position whose time the query has."""
    lengths, first, owners, positions = ratings
    users = len(lengths)
    rates = random.uniform(config.hidden_low, config.hidden_high, users)
    hidden = random.random(len(owners)) < rates[owners]
    hidden[first + random.integers(0, lengths)] = True  # at least one
    keys = np.where(hidden, random.random(len(owners)), -1.0)
    is_anchor = keys == np.maximum.reduceat(keys, first)[owners]
    anchor = np.empty(users, np.int64)
    anchor[owners[is_anchor]] = positions[is_anchor]
    window = random.integers(1, config.time_window + 1, users)
    places = np.flatnonzero(hidden)
    of = owners[places]
    order = np.lexsort((positions[places], np.abs(positions[places] - anchor[of]), of))
    counts = np.bincount(of, minlength=users)
    rank = np.arange(len(places)) - (np.cumsum(counts) - counts)[of]
    near = np.zeros(len(owners), np.bool_)
    near[places[order[rank < window[of]]]] = True
    return hidden, np.where(is_timed[owners], near, hidden), anchor
