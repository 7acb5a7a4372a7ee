"""The C library's answers are those of TensorFlow itself, without its import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle.model_signatures import read_signatures
from service.bundle.tensorflow_session import SessionFunction, TensorFlowError, TensorFlowSession

LONG = b"a text that is longer than the 22 bytes that are kept within a tensor"


class Joined(tf.Module):  # type: ignore[misc] # TensorFlow has no types
    """One function of each type that tensors have here."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable([[2.0], [0.5]])
        names = tf.lookup.KeyValueTensorInitializer(tf.constant([LONG, b""]), tf.constant([7, 9], tf.int64))
        self.table = tf.lookup.StaticHashTable(names, default_value=-1)

    @tf.function(  # type: ignore[untyped-decorator] # likewise
        input_signature=[
            tf.TensorSpec([None, 2], tf.float32, "numbers"),
            tf.TensorSpec([None], tf.string, "texts"),
            tf.TensorSpec([None], tf.int32, "small"),
            tf.TensorSpec([None], tf.int64, "large"),
        ]
    )
    def join(
        self, numbers: tf.Tensor, texts: tf.Tensor, small: tf.Tensor, large: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        return {
            "products": numbers @ self.weight,
            "found": self.table.lookup(texts),
            "sums": large + tf.cast(small, tf.int64),
        }


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("model")
    module = Joined()
    tf.saved_model.save(module, str(directory), {"join": module.join})
    return directory


@pytest.fixture(scope="module")
def join(model: Path) -> SessionFunction:
    signature = read_signatures(model)["join"]
    session = TensorFlowSession(model, intra_op_threads=1, inter_op_threads=1)
    return session.function(signature.inputs, signature.outputs)


def columns(count: int) -> dict[str, NDArray[np.generic]]:
    return {
        "numbers": np.arange(2 * count, dtype=np.float32).reshape(count, 2),
        "texts": np.array([LONG, b"", b"unknown"] * count, object),
        "small": np.arange(count, dtype=np.int32),
        "large": np.full(count, 2**40),
    }


@pytest.mark.parametrize("count", [0, 1, 5])
def test_numbers_and_texts_go_in_and_numbers_come_out(count: int, join: SessionFunction) -> None:
    found = join(columns(count))
    assert found["products"].tolist() == [[4.0 * row + 0.5 * (2 * row + 1)] for row in range(count)]
    assert found["found"].tolist() == [7, 9, -1] * count
    assert found["sums"].tolist() == [2**40 + row for row in range(count)]


def test_an_array_of_every_other_row_is_passed_as_it_is(join: SessionFunction) -> None:
    given = columns(4)
    found = join(given | {"small": np.arange(8, dtype=np.int32)[::2]})
    assert found["sums"].tolist() == [2**40 + each for each in (0, 2, 4, 6)]


def test_what_an_operation_refuses_is_an_error_that_says_why(join: SessionFunction) -> None:
    with pytest.raises(TensorFlowError, match="Incompatible shapes"):
        join(columns(2) | {"small": np.zeros(3, np.int32)})


def test_the_width_of_a_result_is_that_of_its_signature(model: Path) -> None:
    assert read_signatures(model)["join"].widths == {"found": -1, "products": 1, "sums": -1}


def test_a_tensor_that_the_graph_lacks_is_named(model: Path) -> None:
    session = TensorFlowSession(model, intra_op_threads=1, inter_op_threads=1)
    with pytest.raises(TensorFlowError, match="expected the tensor other:0"):
        session.function({"other": "other:0"}, {})


def test_a_directory_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TensorFlowError, match="Could not find SavedModel"):
        TensorFlowSession(tmp_path, intra_op_threads=1, inter_op_threads=1)


def test_a_bundle_is_served_without_an_import_of_tensorflow(artifacts: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from service.loading import load_recommender
from service.recommending.queries import RecommendQuery
from service.settings import Settings
recommender = load_recommender(Path({str(artifacts / "tiny-1")!r}), Settings())
print(len(recommender.recommend(RecommendQuery(user_id="42")).rows))
assert not {{"tensorflow", "keras"}} & sys.modules.keys()
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert int(ended.stdout) > 0
