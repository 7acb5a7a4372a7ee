import keras
import numpy as np
import pytest
import tensorflow as tf

from service.bundle import NO_ROW
from training.model.features import FeatureBags
from training.model.layers import DenseStack, EmbeddingBag, OptionalEmbedding, sum_runs


@pytest.mark.parametrize("empty_after", [0, 1, 3])
def test_groups_after_the_last_one_with_a_value_sum_to_0(empty_after: int) -> None:
    summed = sum_runs(tf.constant([1.0, 2.0, 4.0]), tf.constant([1, 1, 2]), tf.constant(3 + empty_after))
    assert summed.numpy().tolist() == [0, 3, 4, *[0] * empty_after]


def test_an_embedding_bag_is_a_weighted_sum() -> None:
    bags = FeatureBags.from_groups([[["a"], ["b", "c"]], [], [["c"]]])
    layer = EmbeddingBag(bags, 4, 1.0)
    table = layer.table.numpy()
    assert table.shape == (3, 4)
    assert np.ptp(table) > 0
    by_name = dict(zip(bags.names, table, strict=True))
    expected = [
        by_name["c"],
        by_name["a"] + (by_name["b"] + by_name["c"]) * 0.5**0.5,
        np.zeros(4),
        np.zeros(4),
    ]
    np.testing.assert_allclose(layer(tf.constant([2, 0, 1, NO_ROW])).numpy(), expected, atol=1e-6)


def test_a_padded_bag_is_the_same_sum() -> None:
    bags = FeatureBags.from_groups([[["a"], ["b", "c"]], [], [["c"]]])
    padded, plain = EmbeddingBag(bags, 4, 1.0, padded=True), EmbeddingBag(bags, 4, 1.0)
    padded.table.assign(plain.table)
    of = tf.constant([2, 0, 1, NO_ROW])
    np.testing.assert_allclose(padded(of).numpy(), plain(of).numpy(), atol=1e-6)


def test_only_the_table_of_a_bag_is_trained() -> None:
    layer = EmbeddingBag(FeatureBags.from_groups([[["a"]]]), 4, 1.0)
    assert [weight.name for weight in layer.trainable_weights] == ["table"]


def test_a_bag_without_any_names_embeds_to_zeros() -> None:
    layer = EmbeddingBag(FeatureBags.from_groups([[], []]), 4, 1.0)
    assert layer(tf.constant([0, 1, NO_ROW])).numpy().tolist() == [[0] * 4] * 3


def test_no_row_has_no_embedding() -> None:
    layer = OptionalEmbedding(3, 2, 1.0)
    table = layer.table.numpy()
    expected = [table[2], [0, 0], table[0]]
    assert layer(tf.constant([2, NO_ROW, 0])).numpy().tolist() == np.array(expected).tolist()


def test_a_stack_is_dense_layers_with_relu_on_all_but_the_last() -> None:
    keras.utils.set_random_seed(0)
    stack = DenseStack((6, 3))
    values = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    found = stack(tf.constant(values)).numpy()
    first, first_bias, second, second_bias = (weight.numpy() for weight in stack.weights)
    hidden = values @ first + first_bias
    np.testing.assert_allclose(found, np.maximum(hidden, 0) @ second + second_bias, atol=1e-6)
    assert (hidden < 0).any()
    assert (found < 0).any()


def test_a_stack_of_no_layers_changes_nothing() -> None:
    values = tf.constant([[1.0, -2.0]])
    assert DenseStack(())(values).numpy().tolist() == [[1, -2]]


def test_the_global_seed_fixes_initial_weights() -> None:
    tables = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        tables.append(OptionalEmbedding(3, 2, 1.0).table.numpy().tolist())
    assert tables[0] == tables[1] != tables[2]
