from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from training.model.features import FeatureBags
from training.model.layers import (
    DenseStack,
    EmbeddingBag,
    FlatHistory,
    OpenEmbedding,
    OptionalEmbedding,
    sum_runs,
)

NAN = float("nan")


def history_inputs(
    histories: list[list[tuple[int, float, int]]], moments: list[int], width: int
) -> dict[str, tf.Tensor]:
    """Padded tensors of (candidate row, stars, Unix seconds)."""
    shape = (len(histories), width)
    rows, ratings = np.full(shape, NO_ROW, np.int32), np.full(shape, NAN, np.float32)
    times = np.full(shape, NO_TIMESTAMP, np.int64)
    for at, history in enumerate(histories):
        for column, (row, stars, seconds) in enumerate(history):
            rows[at, column], ratings[at, column], times[at, column] = row, stars, seconds
    columns: dict[str, NDArray[Any]] = {
        "timestamps": np.array(moments, np.int64),
        "history_rows": rows,
        "history_ratings": ratings,
        "history_timestamps": times,
    }
    return {name: tf.constant(values) for name, values in columns.items()}


def distances(history: list[tuple[int, float, int]], moment: int) -> list[float]:
    flat = FlatHistory.from_inputs(history_inputs([history], [moment], max(1, len(history))))
    found: list[float] = flat.distances.numpy().tolist()
    return found


HISTORY = [(7, 5.0, 10), (3, 1.0, 20), (4, NAN, 20), (1, 2.0, 30)]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NO_TIMESTAMP, [3, 2, 1, 0]),
        (30, [3, 2, 1, 0]),
        (1_000, [3, 2, 1, 0]),
        (29, [2, 1, 0, 0]),
        (20, [2, 1, 0, 0]),
        (19, [0, 0, 1, 2]),
        (9, [0, 1, 2, 3]),
    ],
)
def test_distance_counts_the_movies_between_one_and_the_moment_of_the_query(
    moment: int, expected: list[float]
) -> None:
    assert distances(HISTORY, moment) == expected


def test_movies_without_a_time_of_their_own_count_as_earlier() -> None:
    timeless = [(row, stars, NO_TIMESTAMP) for row, stars, _ in HISTORY]
    assert distances(timeless, NO_TIMESTAMP) == [3, 2, 1, 0]
    assert distances(timeless, 15) == [3, 2, 1, 0]


def test_what_a_person_sends_counts_as_earlier_than_what_is_stored_from_later() -> None:
    sent = [(8, 4.0, NO_TIMESTAMP), (9, 4.0, NO_TIMESTAMP)]
    # Before the moment: 7, 8, 9; after it: 3, 4, 1.
    assert distances(HISTORY + sent, 15) == [2, 0, 1, 2, 1, 0]


def test_padding_is_left_out_whatever_its_width() -> None:
    histories = [HISTORY[:2], [], HISTORY]
    for width in (4, 5, 9):
        flat = FlatHistory.from_inputs(history_inputs(histories, [NO_TIMESTAMP, 5, 20], width))
        assert flat.queries.numpy().tolist() == [0, 0, 2, 2, 2, 2]
        assert flat.movie_rows.numpy().tolist() == [7, 3, 7, 3, 4, 1]
        np.testing.assert_array_equal(flat.ratings.numpy(), [5, 1, 5, 1, NAN, 2])
        assert flat.distances.numpy().tolist() == [1, 0, 2, 1, 0, 0]
        assert int(flat.num_queries) == 3


@pytest.mark.parametrize("width", [0, 1, 4])
def test_queries_without_any_history_are_fine(width: int) -> None:
    flat = FlatHistory.from_inputs(history_inputs([[], []], [NO_TIMESTAMP, 5], width))
    assert flat.sum(tf.ones_like(flat.distances)).numpy().tolist() == [0, 0]


def test_values_are_summed_by_query() -> None:
    flat = FlatHistory.from_inputs(history_inputs([HISTORY[:2], [], HISTORY], [NO_TIMESTAMP] * 3, 4))
    values = np.arange(12.0, dtype=np.float32).reshape(6, 2)
    expected = [values[:2].sum(0), [0, 0], values[2:].sum(0)]
    np.testing.assert_array_equal(flat.sum(tf.constant(values)).numpy(), expected)


@pytest.mark.parametrize("empty_after", [0, 1, 3])
def test_those_after_the_last_with_a_value_sum_to_0(empty_after: int) -> None:
    summed = sum_runs(tf.constant([1.0, 2.0, 4.0]), tf.constant([1, 1, 2]), tf.constant(3 + empty_after))
    assert summed.numpy().tolist() == [0, 3, 4, *[0] * empty_after]


def test_histories_without_padding_are_read_as_those_with_it() -> None:
    histories, moments = [HISTORY[:2], [], HISTORY, []], [NO_TIMESTAMP, 3, HISTORY[1][2], NO_TIMESTAMP]
    padded = FlatHistory.from_inputs(history_inputs(histories, moments, 5))
    every = [entry for history in histories for entry in history]
    flat = FlatHistory.from_flat_inputs(
        {
            "timestamps": tf.constant(moments, tf.int64),
            "history_lengths": tf.constant([len(history) for history in histories], tf.int32),
            "history_rows": tf.constant([row for row, _, _ in every], tf.int32),
            "history_ratings": tf.constant([stars for _, stars, _ in every], tf.float32),
            "history_timestamps": tf.constant([seconds for _, _, seconds in every], tf.int64),
        }
    )
    for expected, column in zip(padded, flat, strict=True):
        np.testing.assert_array_equal(column.numpy(), expected.numpy())


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


def test_what_is_unknown_has_an_embedding_of_its_own() -> None:
    layer = OpenEmbedding(2, 4, 1.0)
    table = layer.table.numpy()
    assert table.shape == (3, 4)
    np.testing.assert_array_equal(layer(tf.constant([1, NO_ROW, 0])).numpy(), table[[2, 0, 1]])


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
