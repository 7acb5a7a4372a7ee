import numpy as np
import tensorflow as tf

from service.bundle import NO_ROW
from training.experiments.tutorial_tower import EmbeddingWithUnknown, TutorialTower


def test_all_unknown_rows_share_an_embedding_of_their_own() -> None:
    layer = EmbeddingWithUnknown(2, 4)
    table = layer.table.numpy()
    assert table.shape == (3, 4)
    np.testing.assert_array_equal(layer(tf.constant([1, NO_ROW, 0])).numpy(), table[[2, 0, 1]])


def test_features_are_concatenated_in_order() -> None:
    one, two = EmbeddingWithUnknown(3, 2), EmbeddingWithUnknown(5, 2)
    tower = TutorialTower([("a", one), ("b", two)], ())
    found = tower({"a": tf.constant([2, 0]), "b": tf.constant([4, 1])}).numpy()
    np.testing.assert_array_equal(found, np.c_[one.table.numpy()[[3, 1]], two.table.numpy()[[5, 2]]])
