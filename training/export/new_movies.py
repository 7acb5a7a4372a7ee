"""Movies that the model was not trained with, placed by their content: the signature `embed_candidate`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from training.model.content_regression import fit_content, smearing
from training.model.new_content import ContentNames, NewContent
from training.model.trained_model import TrainedModel

_TRUSTED = 10
"""Ratings by which half of what was learned of a movie's vector counts; of popularity, everything does."""


class NewMovies(tf.Module):
    """The candidate tower's content, and what content says of the rest of the catalogue's embeddings.

    Of the bias too: a movie without ratings because it is new is expected to be as popular as those like it,
    not as those that are no longer watched; as popular, not as likely to be so (`smearing`).

    Args:
        trained: The model.
    """

    def __init__(self, trained: TrainedModel) -> None:
        super().__init__()
        vocabulary = trained.vocabulary
        self._trained = trained  # not the model: Keras would save it with functions of its own
        self._has_ratings = vocabulary.rating_scale is not None
        self._names = ContentNames(vocabulary.candidates.names)
        content = NewContent.of_bags(vocabulary.candidates)
        learned = trained.candidate_embeddings - trained.model.candidate_tower.embed_content(content).numpy()
        stars = trained.movie_biases - trained.model.rating_task.content_bias(content).numpy()
        counts = vocabulary.candidate_counts
        trust = counts / (counts + np.float32(_TRUSTED))
        if not trust.any():
            trust = np.ones_like(trust)
        vectors = np.concatenate([learned[:, :-1], stars[:, None]], axis=1)
        of_vectors = fit_content(vocabulary.candidates, vectors, trust)
        of_bias = fit_content(vocabulary.candidates, learned[:, -1:], np.ones_like(trust))
        raised = smearing(vocabulary.candidates, learned[:, -1])
        of_bias = of_bias._replace(mean=of_bias.mean + np.float32(raised))
        # Embedding, bias, rating bias.
        parts = [
            np.concatenate([first[..., :-1], second, first[..., -1:]], axis=-1)
            for first, second in zip(of_vectors, of_bias, strict=True)
        ]
        self._mean, self._weights = (tf.Variable(part, trainable=False) for part in parts)

    def embed(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What `service.bundle.saved_model` says that the signature returns."""
        content = self._names.find(inputs)
        weighted = content.weights[:, None] * tf.gather(self._weights, content.rows)
        rest = self._mean + tf.math.unsorted_segment_sum(weighted, content.owners, content.count)
        embeddings = self._trained.model.candidate_tower.embed_content(content) + rest[:, :-1]
        if not self._has_ratings:
            return {"candidate_embeddings": embeddings}
        task = self._trained.model.rating_task
        return {
            "candidate_embeddings": embeddings,
            "rating_vectors": task.project(embeddings),
            "rating_biases": task.content_bias(content) + rest[:, -1],
            "rating_confidences": task.confidence(tf.zeros_like(rest[:, 0])),
        }
