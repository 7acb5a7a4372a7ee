"""What a training leaves in memory; TensorFlow does not free what its traces captured."""

import gc
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from synthetic_ratings import SMALL_CONFIG

from training.data.table import RatingsTable
from training.model.fitting import fit_model, prepare_fit
from training.model.variable_memory import free, free_unowned, own


class Owner:
    pass


def number_of_values(variable: tf.Variable) -> int:
    values = tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)
    return int(tf.size(values))


def traced_graphs() -> int:
    return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())


def test_values_of_any_type_are_freed() -> None:
    variables = [keras.Variable(np.ones((3, 4), dtype)) for dtype in ("float32", "int32", "int64")]
    free(variables)
    assert [number_of_values(variable.value) for variable in variables] == [0, 0, 0]


def test_values_are_freed_once_their_owner_is_gone_and_not_before() -> None:
    owner, variable = Owner(), keras.Variable(np.ones(5, np.float32))
    own(owner, [variable])
    free_unowned()
    assert number_of_values(variable.value) == 5
    del owner
    free_unowned()
    assert number_of_values(variable.value) == 0


@pytest.mark.parametrize("building", [tf.Graph, lambda: tf.__internal__.FuncGraph("traced")])
def test_an_owner_may_go_while_a_graph_is_built(building: Callable[[], tf.Graph]) -> None:
    owner, variable = Owner(), keras.Variable(np.ones(5, np.float32))
    own(owner, [variable])
    graph = building()
    with graph.as_default():
        del owner
    assert not graph.get_operations()
    free_unowned()
    assert number_of_values(variable.value) == 0


def test_moments_are_freed_by_the_end_of_a_training_and_tables_with_the_model(clusters: RatingsTable) -> None:
    fit = prepare_fit(clusters, SMALL_CONFIG)
    moments = [each.value for each in fit.trained.model.optimizer.variables]
    weights = [each.value for each in fit.trained.model.variables]
    assert all(map(number_of_values, [*moments, *weights]))
    trained = fit.finish()
    assert not any(map(number_of_values, moments))
    assert all(map(number_of_values, weights))
    del fit, trained
    free_unowned()
    assert not any(map(number_of_values, weights))


def test_a_model_that_is_called_leaves_no_traced_graph(clusters: RatingsTable) -> None:
    gc.collect()
    before = traced_graphs()
    prepare_fit(clusters, SMALL_CONFIG)
    gc.collect()
    assert traced_graphs() == before


def test_a_second_training_frees_the_first(clusters: RatingsTable) -> None:
    first = [each.value for each in fit_model(clusters, SMALL_CONFIG).model.variables]
    prepare_fit(clusters, SMALL_CONFIG)
    assert not any(map(number_of_values, first))
