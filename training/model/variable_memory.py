"""Free the memory of variables that are no longer needed.

TensorFlow 2.21 never frees the bodies of loops in a traced function, nor the variables that they captured:
without this, a model's tables and moments stay in memory after the model is gone.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable

import keras
import tensorflow as tf

_Handle = tuple[tf.Tensor, tf.DType]

_unowned: list[_Handle] = []


def free(variables: Iterable[keras.Variable]) -> None:
    """Free the values of variables, which cannot be read afterwards."""
    _empty(_handles_of(variables))


def own(owner: object, variables: Iterable[keras.Variable]) -> None:
    """Have `free_unowned` free the values of variables once their owner is gone."""
    weakref.finalize(owner, _unowned.extend, _handles_of(variables)).atexit = False


def free_unowned() -> None:
    """Free what belonged to owners that are gone.

    Not at once when they are: that may be while another graph is built, whose operation it would become.
    """
    gc.collect()  # models are cycles
    _empty(_unowned)
    _unowned.clear()


def _handles_of(variables: Iterable[keras.Variable]) -> list[_Handle]:
    return [(variable.value.handle, variable.value.dtype) for variable in variables]


def _empty(handles: Iterable[_Handle]) -> None:
    for handle, dtype in handles:
        tf.raw_ops.AssignVariableOp(resource=handle, value=tf.zeros(0, dtype), validate_shape=False)
