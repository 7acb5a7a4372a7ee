from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from service.bundle.learned_variables import read_learned, track
from service.bundle.saved_model import MODEL_DIRECTORY, save
from service.errors import BundleInconsistent, BundleUnreadable


def saved(directory: Path, variables: dict[str, tf.Variable]) -> Path:
    module = tf.Module()
    if variables:
        track(module, variables)
    save(module, directory / MODEL_DIRECTORY, {})
    return directory


def test_variables_are_read_back_by_name(tmp_path: Path) -> None:
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    variables = {"tower:ids": tf.Variable(table), "names": tf.Variable(["é", "b"])}
    found = read_learned(saved(tmp_path, variables))
    assert found.keys() == variables.keys()
    np.testing.assert_array_equal(found["tower:ids"], table)
    assert [name.decode() for name in found["names"].tolist()] == ["é", "b"]


def test_a_model_without_them_is_told_from_one_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BundleInconsistent, match="found none: the bundle is of an earlier version"):
        read_learned(saved(tmp_path / "earlier", {}))
    with pytest.raises(BundleUnreadable, match="TensorFlow cannot read it"):
        read_learned(tmp_path / "missing")
