"""Adapt hyper-parameters to the size and kind of the data, by rules."""

from __future__ import annotations

from dataclasses import replace

from training.config import TrainingConfig
from training.data.table import RatingsTable

_STEPS_PER_EPOCH = 30
_BATCH_SIZES = 32, 512
_EPOCHS_PER_RATING = 45 / 68
_EPOCHS = 6, 45
_RATE_POWER = 0.25
_ALL_ALIKE = 1e6


def adapt(config: TrainingConfig, table: RatingsTable) -> TrainingConfig:
    """Replace what is 0, "as the data needs", and what the data cannot be trained with.

    Batches: the thirtieth part of the users, from 32, on which MovieLens 100K trains best, to 512. A step
    costs about the same for any batch, as the optimizer passes over whole tables: so time is bounded by the
    number of steps, and 30 in an epoch are 100K's.

    Epochs: 45 for the 68 ratings of a user of 100K (of its validation split) and for more, else in
    proportion, for a user of n ratings has about n moments to look forward from. No more of them than make as
    many steps as 100K has, which matters from 15,360 users on. At least 6.
    `training.evaluation.training_length` looks for fewer.

    The learning rate grows with the fourth root of the batch: with the square root, as gradients' noise falls
    (Malladi et al. 2022, arXiv:2205.10287), MovieTweetings 100K lost hit rate@100, without it NDCG@10.

    Without times nothing comes first: examples predict what is hidden at random, movies of a history weigh
    the same, and there is neither time feature nor trend. Without ratings there is no rating loss.

    Args:
        config: What was asked for.
        table: The training rows.

    Returns:
        The configuration to train with, which is no longer changed by this.
    """
    users = max(1, table.num_rating_users)
    smallest, largest = _BATCH_SIZES
    fewest, most = _EPOCHS
    batch_size = config.batch_size or min(max(users // _STEPS_PER_EPOCH, smallest), largest)
    by_ratings = min(round(_EPOCHS_PER_RATING * len(table) / users), most)
    by_steps = int(_STEPS_PER_EPOCH * most * largest / users)
    epochs = config.epochs or max(min(by_ratings, by_steps), fewest)
    adapted = replace(config, batch_size=batch_size, epochs=epochs)
    if not config.batch_size:
        rate = config.learning_rate * (batch_size / smallest) ** _RATE_POWER
        adapted = replace(adapted, learning_rate=round(rate, 6))
    if not table.has_times:
        adapted = replace(
            adapted,
            forward_share=0.0,
            hidden_low=0.2,
            hidden_high=0.5,
            user_dropout=0.2,
            history_scales=(_ALL_ALIKE,),
            time_buckets=0,
            use_history_times=False,
            use_trend=False,
        )
    if table.rating_scale is None:
        adapted = replace(adapted, rating_weight=0.0, retrieval_weight=config.retrieval_weight or 1.0)
    return adapted
