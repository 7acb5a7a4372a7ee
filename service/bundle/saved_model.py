"""`model/`: one SavedModel, and the signatures of it that the service calls.

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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_encoding import CANDIDATE_DTYPES
from service.bundle.model_signatures import ModelSignature, read_signatures
from service.bundle.query_encoding import QUERY_DTYPES
from service.bundle.tensorflow_import import import_tensorflow
from service.bundle.tensorflow_session import SessionFunction, TensorFlowError, TensorFlowSession
from service.errors import BundleInconsistent

MODEL_DIRECTORY = "model"
FILES = (f"{MODEL_DIRECTORY}/saved_model.pb",)

CandidateSignature = Callable[[Mapping[str, NDArray[Any]]], dict[str, NDArray[np.float32]]]
"""From what `candidate_encoding` encodes to arrays by name."""


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
        function: The signature.
        width: Columns of the query states.
        embed_candidate: The signature `embed_candidate`; None where the bundle has none.
    """

    def __init__(
        self, function: SessionFunction, width: int, embed_candidate: CandidateSignature | None
    ) -> None:
        self._function = function
        self.width = width
        self.embed_candidate = embed_candidate

    @classmethod
    def open(cls, directory: Path, *, intra_op_threads: int, inter_op_threads: int) -> QueryStateSignature:
        """Load the model of a bundle.

        Args:
            directory: The bundle.
            intra_op_threads: As of `TensorFlowSession`.
            inter_op_threads: As of `TensorFlowSession`.

        Raises:
            BundleInconsistent: The model cannot be loaded, lacks the signature, or has another one.
            BundleIncompatible: TensorFlow is not installed.
        """
        path = directory / MODEL_DIRECTORY
        try:
            session = TensorFlowSession(
                path, intra_op_threads=intra_op_threads, inter_op_threads=inter_op_threads
            )
            signatures = read_signatures(path)
            signature = signatures["query_state"]
            if signature.inputs.keys() != QUERY_DTYPES.keys():
                raise BundleInconsistent(
                    f"{path}: expected query_state to take {sorted(QUERY_DTYPES)}, it takes "
                    f"{sorted(signature.inputs)}; export again"
                )
            function = session.function(signature.inputs, signature.outputs)
            embed_candidate = _candidate_signature(session, signatures)
        except KeyError as error:
            raise BundleInconsistent(
                f"{path}: expected the signature query_state, found none; export again"
            ) from error
        except (OSError, ValueError, TensorFlowError) as error:
            raise BundleInconsistent(f"{path}: TensorFlow cannot load it ({error}); export again") from error
        return cls(function, signature.widths["query_states"], embed_candidate)

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Query states, float32 `[B, width]`, of the arrays that `QUERY_DTYPES` names."""
        return self._function(columns)["query_states"]


def _candidate_signature(
    session: TensorFlowSession, signatures: Mapping[str, ModelSignature]
) -> CandidateSignature | None:
    signature = signatures.get("embed_candidate")
    if signature is None or signature.inputs.keys() != CANDIDATE_DTYPES.keys():
        return None
    return session.function(signature.inputs, signature.outputs)
