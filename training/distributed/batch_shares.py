"""Cut a batch by users, so that several workers train on one global batch."""

from __future__ import annotations

import numpy as np

from training.model.examples import Batch

_OF_USERS = "user_rows", "timestamps", "history_lengths", "periods"
_OF_HISTORIES = "history_rows", "history_ratings", "history_timestamps"
_OF_PAIRS = {
    "retrieval_pairs": ("retrieval_weights",),
    "masked_pairs": (),
    "rating_pairs": ("ratings", "rating_weights"),
}


def share_of(batch: Batch, rank: int, workers: int) -> Batch:
    """Take one worker's users of a batch of `ExampleSampler`, about as many for each.

    Columns of the softmax and weights stay those of the whole batch: losses are sums over users, and so the
    losses of all shares, and their gradients, add up to the whole batch's.

    Args:
        batch: The global batch.
        rank: The worker, from 0.
        workers: How many share the batch; where they are more than its users, some shares are empty.

    Returns:
        A batch of `B / workers` users, rounded up or down.
    """
    users = len(batch["user_rows"])
    first, end = users * rank // workers, users * (rank + 1) // workers
    history_ends = np.concatenate([[0], np.cumsum(batch["history_lengths"])])
    share = {"candidate_rows": batch["candidate_rows"], "log_sampling": batch["log_sampling"]}
    share |= {name: batch[name][first:end] for name in _OF_USERS if name in batch}
    share |= {name: batch[name][history_ends[first] : history_ends[end]] for name in _OF_HISTORIES}
    for name, beside in _OF_PAIRS.items():
        pairs = np.asarray(batch[name], np.int32)
        mine = (pairs[:, 0] >= first) & (pairs[:, 0] < end)
        share[name] = pairs[mine] - np.array([first, 0], np.int32)
        share |= {values: batch[values][mine] for values in beside}
    return share
