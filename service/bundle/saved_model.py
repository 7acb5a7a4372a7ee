"""`model/`: one SavedModel, and the signature of it that the service calls; the only importer of TensorFlow.

Its signatures:

query_state       what the service calls, once for all that an answer needs of a query
embed_query       the query embedding alone
predict_rating    ratings alone, of `candidate_rows` int32 `[B, K]`; none in a bundle without ratings
embed_candidate   movies that the bundle does not know, by their content; older bundles have none
serving_default   user ids in, the exact best movies out, for TensorFlow Serving alone

The first three take queries as `service.bundle.query_encoding` encodes them.

`query_state` returns `query_states` float32 `[B, S]`, S = embedding_dimension + rating_dimension + 2: the
query embedding as `embed_query` gives it, then what `rating_head` needs: a vector, a bias and a confidence.
In a bundle without ratings S = embedding_dimension.

`embed_candidate` takes what `candidate_encoding` encodes and returns `candidate_embeddings` float32
`[B, embedding_dimension]`, the last column a bias as of a movie without ratings, and, unless the bundle has
no ratings, what `rating_head` needs: `rating_vectors` `[B, rating_dimension]`, `rating_biases` and
`rating_confidences` `[B]`. Words, genres and years that the bundle does not know are ignored.
"""

from __future__ import annotations

import errno
import gc
import logging
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_encoding import CANDIDATE_DTYPES
from service.bundle.query_encoding import QUERY_DTYPES
from service.bundle.tensorflow_import import import_tensorflow
from service.errors import BundleInconsistent

logger = logging.getLogger(__name__)

MODEL_DIRECTORY = "model"
FILES = (f"{MODEL_DIRECTORY}/saved_model.pb",)


def query_specs() -> dict[str, Any]:
    """`QUERY_DTYPES` as `tf.TensorSpec` by name, for `tf.function`."""
    tensorflow = import_tensorflow()

    return {name: tensorflow.TensorSpec([None], dtype, name) for name, dtype in QUERY_DTYPES.items()}


def candidate_specs() -> dict[str, Any]:
    """`CANDIDATE_DTYPES` as `tf.TensorSpec` by name, for `tf.function`."""
    tensorflow = import_tensorflow()

    return {
        name: tensorflow.TensorSpec([None], tensorflow.as_dtype(dtype), name)
        for name, dtype in CANDIDATE_DTYPES.items()
    }


def save(module: Any, directory: Path, signatures: Mapping[str, Any]) -> None:
    """Write a `tf.Module` as a SavedModel.

    Args:
        module: What is saved, with all the variables and tables it reaches.
        directory: Where, such as `MODEL_DIRECTORY` of a bundle.
        signatures: Functions by name.

    Raises:
        OSError: TensorFlow cannot write it.
    """
    tensorflow = import_tensorflow()

    try:
        tensorflow.saved_model.save(module, str(directory), dict(signatures))
    except tensorflow.errors.OpError as error:  # a full disk, which TensorFlow does not call an OSError
        reason = f"{type(error).__name__}: {error.message.splitlines()[0]}"
        raise OSError(errno.EIO, reason, str(directory)) from error


class QueryStateSignature:
    """The signature `query_state` of a loaded SavedModel, from numpy to numpy. Made by `open`.

    Args:
        model: As TensorFlow loaded it. Kept whole: signatures alone do not keep variables and tables alive.
        function: Its signature.
    """

    def __init__(self, model: Any, function: Any) -> None:
        tensorflow = import_tensorflow()

        self._model = model
        self._captured = list(function.captured_inputs)
        self._arguments = _arguments(function)
        # The function as one operation: the signature checks and binds its arguments in Python, which takes
        # about as long as the model does for one query.
        self._call = partial(
            tensorflow.raw_ops.StatefulPartitionedCall, Tout=[tensorflow.float32], f=function
        )
        self.embed_candidate = _candidate_signature(model)
        """`embed_candidate`; None where the bundle has none."""
        self.width = int(function.structured_outputs["query_states"].shape[-1])
        """Columns of the query states."""

    @classmethod
    def open(cls, directory: Path, *, intra_op_threads: int, inter_op_threads: int) -> QueryStateSignature:
        """Load the model of a bundle.

        Args:
            directory: The bundle.
            intra_op_threads: Threads inside one operation of TensorFlow. Both numbers hold from the first use
                of TensorFlow in a process until its end.
            inter_op_threads: Operations run at the same time.

        Raises:
            BundleInconsistent: The model cannot be loaded, lacks the signature, or has another one.
        """
        tensorflow = _set_up_tensorflow(intra_op_threads, inter_op_threads)
        path = directory / MODEL_DIRECTORY
        try:
            model = tensorflow.saved_model.load(str(path))
            function = model.signatures["query_state"]
        except KeyError as error:
            raise BundleInconsistent(
                f"{path}: expected the signature query_state, found none; export again"
            ) from error
        except (OSError, ValueError, tensorflow.errors.OpError) as error:
            raise BundleInconsistent(f"{path}: TensorFlow cannot load it ({error}); export again") from error
        if {*(arguments := _arguments(function))} != QUERY_DTYPES.keys():
            raise BundleInconsistent(
                f"{path}: expected query_state to take {sorted(QUERY_DTYPES)}, it takes {arguments}; "
                "export again"
            )
        return cls(model, function)

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Query states, float32 `[B, width]`, of the arrays that `QUERY_DTYPES` names."""
        [states] = self._call(args=[columns[name] for name in self._arguments] + self._captured)
        return np.asarray(states)


CandidateSignature = Callable[[Mapping[str, NDArray[Any]]], dict[str, NDArray[np.float32]]]
"""From what `candidate_encoding` encodes to arrays by name."""


def _candidate_signature(model: Any) -> CandidateSignature | None:
    function = model.signatures.get("embed_candidate")
    if function is None or {*_arguments(function)} != CANDIDATE_DTYPES.keys():
        return None
    tensorflow = import_tensorflow()

    def embed(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        given = {name: tensorflow.constant(columns[name], dtype) for name, dtype in CANDIDATE_DTYPES.items()}
        return {name: value.numpy() for name, value in function(**given).items()}

    return embed


def _arguments(function: Any) -> list[str]:
    """Names of what a signature takes, in order; after them come the variables that it captures."""
    num_arguments = len(function.inputs) - len(function.captured_inputs)
    return [each.op.name for each in function.inputs[:num_arguments]]


def _set_up_tensorflow(intra_op_threads: int, inter_op_threads: int) -> Any:
    """TensorFlow with its threads set.

    Imported when a bundle is loaded, not with this module: it takes seconds and hundreds of megabytes, and
    must not be in a process that forks workers.
    """
    is_first = "tensorflow" not in sys.modules
    tensorflow = import_tensorflow()
    if is_first:
        # What came with it is never garbage; each full collection would visit its 280,000 objects for
        # about 0.3 s, in which nothing else runs.
        gc.collect()
        gc.freeze()
    threading = tensorflow.config.threading
    try:
        threading.set_intra_op_parallelism_threads(intra_op_threads)
        threading.set_inter_op_parallelism_threads(inter_op_threads)
    except RuntimeError:
        logger.info("TensorFlow was used in this process before; its threads stay as they are")
    return tensorflow
