"""The two-tower model as one of several workers trains it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from training.distributed.gradient_exchange import GradientExchange
from training.model.two_tower_model import TwoTowerModel


class SharedTwoTowerModel(TwoTowerModel):
    """Sums gradients and losses over the workers between a step's backward pass and its update.

    Every worker's batch is its share of the same global batch, `share_of`, and so every worker has the whole
    batch's gradients, losses and, after the update, weights.

    Args:
        exchange: Of the workers.
    """

    def __init__(self, *arguments: Any, exchange: GradientExchange, **kwargs: Any) -> None:
        super().__init__(*arguments, **kwargs)
        self._exchange = exchange

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Train on a share of a batch; called by Keras in its graph."""
        with tf.GradientTape() as tape:
            mine = self(data)
            loss = self.total_loss(mine)
        variables = self.trainable_variables
        shapes = [variable.value.shape for variable in variables]
        names = sorted(mine)
        gradients, values = self._exchange.sum(
            tape.gradient(loss, variables), shapes, tf.stack([mine[name] for name in names])
        )
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        losses = dict(zip(names, tf.unstack(values, len(names)), strict=True))
        # Weighed as Keras does.
        self._loss_tracker.update_state(
            self.compute_loss(y_pred=losses), sample_weight=tf.shape(data["candidate_rows"])[0]
        )
        figures: dict[str, tf.Tensor] = self.compute_metrics(None, None, losses)
        return figures
