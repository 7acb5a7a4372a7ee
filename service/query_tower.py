"""The trained model behind its exported signatures: the only importer of TensorFlow."""

from __future__ import annotations

import gc
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import MODEL_DIRECTORY, NO_ROW, NO_TIMESTAMP
from service.errors import BundleInconsistent
from service.histories import History
from service.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TowerInput:
    """What the query tower reads of one request.

    Attributes:
        user_row: Position among the bundle's users; `NO_ROW` for a stranger.
        timestamp: Unix seconds; `NO_TIMESTAMP` for a time-agnostic query.
        history: What the person saw, oldest first, no longer than the manifest's `max_history`.
    """

    user_row: int
    timestamp: int
    history: History


class QueryTower:
    """The signatures `embed_query` and `predict_rating` of one SavedModel, from numpy to numpy.

    Args:
        bundle_directory: The bundle.
        settings: Numbers of threads. They hold from the first use of TensorFlow in a process until its end.

    Raises:
        BundleInconsistent: The model cannot be loaded or lacks a signature.
    """

    def __init__(self, bundle_directory: Path, settings: Settings) -> None:
        tensorflow = _import_tensorflow(settings)
        path = bundle_directory / MODEL_DIRECTORY
        try:
            # Kept whole: signatures alone do not keep the model's variables and tables alive.
            self._model = tensorflow.saved_model.load(str(path))
            self._embed_query = self._model.signatures["embed_query"]
            self._predict_rating = self._model.signatures["predict_rating"]
        except KeyError as error:
            raise BundleInconsistent(
                f"{path}: expected the signatures embed_query and predict_rating, {error} is missing; "
                "export again"
            ) from error
        except (OSError, ValueError, tensorflow.errors.OpError) as error:
            raise BundleInconsistent(f"{path}: TensorFlow cannot load it ({error}); export again") from error
        self._constant = tensorflow.constant
        self._delay_seconds = settings.model_delay_ms / 1000

    @property
    def dimension(self) -> int:
        """Columns of the query embeddings that the model makes."""
        return int(self._embed_query.structured_outputs["query_embeddings"].shape[-1])

    def embed(self, inputs: Sequence[TowerInput]) -> NDArray[np.float32]:
        """Query embeddings, float32 `[len(inputs), embedding_dimension]`, in one model call.

        Like `predict_ratings`, it splits what would need too much memory at once, see `MOST_MOVIES_PER_CALL`.
        A person's embedding is the same whoever is in the batch, bit for bit.
        """
        outputs = []
        for part in _parts(inputs):
            columns = pad_inputs([*inputs[part], _LAST])
            outputs.append(np.asarray(self._call(self._embed_query, columns)["query_embeddings"])[:-1])
        return np.concatenate(outputs)

    def predict_ratings(
        self, inputs: Sequence[TowerInput], candidate_rows: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Ratings of several candidates by each person, in one model call.

        Args:
            inputs: B people.
            candidate_rows: int32 `[B, K]`.

        Returns:
            float32 `[B, K]`, stars.
        """
        outputs = []
        for part in _parts(inputs):
            columns = pad_inputs([*inputs[part], _LAST])
            rows = candidate_rows[part]
            columns["candidate_rows"] = np.concatenate([rows, rows[:1]])
            outputs.append(np.asarray(self._call(self._predict_rating, columns)["ratings"])[:-1])
        return np.concatenate(outputs)

    def _call(self, signature: Any, columns: dict[str, NDArray[Any]]) -> Any:
        if self._delay_seconds:
            time.sleep(self._delay_seconds)
        return signature(**{name: self._constant(column) for name, column in columns.items()})


_LAST = TowerInput(
    NO_ROW,
    NO_TIMESTAMP,
    History(np.zeros(16, np.int32), np.full(16, np.nan, np.float32), np.full(16, NO_TIMESTAMP, np.int64)),
)
"""Put at the end of every batch, its answer thrown away. TensorFlow computes the last few elements of an
array, and a batch of one, by other instructions, whose sums differ in the last bit. So that equal scores stay
equal and pages fit together, nobody who asks is ever last or alone."""

MOST_MOVIES_PER_CALL = 2**17
"""Movies of all histories of one call, padding included: each takes a few hundred bytes on the way."""


def _parts(inputs: Sequence[TowerInput]) -> list[slice]:
    longest = max([len(_LAST.history), *(len(each.history) for each in inputs)])
    step = max(MOST_MOVIES_PER_CALL // longest, 1)
    return [slice(start, start + step) for start in range(0, len(inputs), step)]


def pad_inputs(inputs: Sequence[TowerInput]) -> dict[str, NDArray[Any]]:
    """The model's arguments by name, `[B]` or `[B, L]` as `service.bundle` states, L at least 1."""
    shape = (len(inputs), max([1, *(len(each.history) for each in inputs)]))
    history_rows = np.full(shape, NO_ROW, np.int32)
    history_ratings = np.full(shape, np.nan, np.float32)
    history_timestamps = np.full(shape, NO_TIMESTAMP, np.int64)
    for position, each in enumerate(inputs):
        length = len(each.history)
        history_rows[position, :length] = each.history.rows
        history_ratings[position, :length] = each.history.ratings
        history_timestamps[position, :length] = each.history.timestamps
    return {
        "user_rows": np.array([each.user_row for each in inputs], np.int32),
        "timestamps": np.array([each.timestamp for each in inputs], np.int64),
        "history_rows": history_rows,
        "history_ratings": history_ratings,
        "history_timestamps": history_timestamps,
    }


def _import_tensorflow(settings: Settings) -> Any:
    """TensorFlow with its threads set.

    Imported when a bundle is loaded, not with this module: it takes seconds and hundreds of megabytes, and
    must not be in a process that forks workers.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    is_first = "tensorflow" not in sys.modules
    import tensorflow  # noqa: PLC0415 see above

    if is_first:
        # What came with it is never garbage; each full collection would look through its 280,000 objects for
        # about 0.3 s, in which nothing else runs.
        gc.collect()
        gc.freeze()
    threading = tensorflow.config.threading
    try:
        threading.set_intra_op_parallelism_threads(settings.tensorflow_intra_op_threads)
        threading.set_inter_op_parallelism_threads(settings.tensorflow_inter_op_threads)
    except RuntimeError:
        logger.info("TensorFlow was used in this process before; its threads stay as they are")
    return tensorflow
