"""The trained model behind its exported signatures: the only user of TensorFlow."""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import MODEL_DIRECTORY, NO_ROW, NO_TIMESTAMP
from service.bundle.histories import History
from service.bundle.tensorflow_import import import_tensorflow
from service.errors import BundleInconsistent
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
    """The signature `query_state` of one SavedModel, from numpy to numpy.

    Args:
        bundle_directory: The bundle.
        settings: Numbers of threads. They hold from the first use of TensorFlow in a process until its end.

    Raises:
        BundleInconsistent: The model cannot be loaded or lacks the signature.
    """

    def __init__(self, bundle_directory: Path, settings: Settings) -> None:
        tensorflow = _import_tensorflow(settings)
        path = bundle_directory / MODEL_DIRECTORY
        known = {id(graph) for graph in _graphs(tensorflow)}
        try:
            # Kept whole: signatures alone do not keep the model's variables and tables alive.
            self._model = tensorflow.saved_model.load(str(path))
            self._query_state = self._model.signatures["query_state"]
        except KeyError as error:
            raise BundleInconsistent(
                f"{path}: expected the signature query_state, found none; export again"
            ) from error
        except (OSError, ValueError, tensorflow.errors.OpError) as error:
            raise BundleInconsistent(f"{path}: TensorFlow cannot load it ({error}); export again") from error
        self._captured = list(self._query_state.captured_inputs)
        num_arguments = len(self._query_state.inputs) - len(self._captured)
        self._arguments = [each.op.name for each in self._query_state.inputs[:num_arguments]]
        if set(self._arguments) != (expected := flat_inputs([_LAST]).keys()):
            raise BundleInconsistent(
                f"{path}: expected query_state to take {sorted(expected)}, it takes {self._arguments}; "
                "export again"
            )
        # The function as one operation: the signature checks and binds its arguments in Python, which takes
        # about as long as the model does for one person.
        self._call = partial(
            tensorflow.raw_ops.StatefulPartitionedCall, Tout=[tensorflow.float32], f=self._query_state
        )
        self._width = int(self._query_state.structured_outputs["query_states"].shape[-1])
        # What runs is TensorFlow's own copy. What loading made of it in Python, 12,000 objects of four
        # signatures, would be given back at once when the next bundle goes live, and hold up everybody.
        for graph in _graphs(tensorflow):
            if id(graph) not in known:
                graph.Dismantle()
        self._delay_seconds = settings.model_delay_ms / 1000

    @property
    def width(self) -> int:
        """Columns of the states that the model makes."""
        return self._width

    def read(self, inputs: Sequence[TowerInput]) -> NDArray[np.float32]:
        """Query states, float32 `[len(inputs), width]`, as `service.bundle` describes them.

        In one model call, or in several where it would need too much memory at once, see
        `MOST_MOVIES_PER_CALL`. A person's state is the same whoever is in the batch, bit for bit.
        """
        outputs = []
        for part in _parts(inputs):
            people = inputs[part]
            columns = flat_inputs([*people, *[_NOBODY] * (-(len(people) + 1) % _MULTIPLE), _LAST])
            if self._delay_seconds:
                time.sleep(self._delay_seconds)
            [states] = self._call(args=[columns[name] for name in self._arguments] + self._captured)
            outputs.append(np.asarray(states)[: len(people)])
        return np.concatenate(outputs) if len(outputs) != 1 else outputs[0]


_NOBODY = TowerInput(
    NO_ROW, NO_TIMESTAMP, History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int64))
)
_LAST = TowerInput(
    NO_ROW,
    NO_TIMESTAMP,
    History(np.zeros(16, np.int32), np.full(16, np.nan, np.float32), np.full(16, NO_TIMESTAMP, np.int64)),
)
_MULTIPLE = 16
"""Batches are filled up with nobody to a multiple of this, and end in `_LAST`; their answers are thrown away.
TensorFlow computes as many elements at once as the processor can, and the last few of an array by other
instructions, whose results differ in the last bit. So that equal scores stay equal and pages fit together,
neither people nor movies that matter are ever among those last few."""

MOST_MOVIES_PER_CALL = 2**17
"""Movies of all histories of one call: each takes a few hundred bytes on the way."""


def _parts(inputs: Sequence[TowerInput]) -> Iterator[slice]:
    start, num_movies = 0, 0
    for end, each in enumerate(inputs):
        if end > start and num_movies + len(each.history) > MOST_MOVIES_PER_CALL:
            yield slice(start, end)
            start, num_movies = end, 0
        num_movies += len(each.history)
    yield slice(start, len(inputs))


def flat_inputs(inputs: Sequence[TowerInput]) -> dict[str, NDArray[Any]]:
    """The arguments of `query_state` by name, as `service.bundle` states them."""
    histories = [each.history for each in inputs]
    return {
        "user_rows": np.array([each.user_row for each in inputs], np.int32),
        "timestamps": np.array([each.timestamp for each in inputs], np.int64),
        "history_lengths": np.array([len(each) for each in histories], np.int32),
        "history_rows": np.concatenate([each.rows for each in histories]),
        "history_ratings": np.concatenate([each.ratings for each in histories]),
        "history_timestamps": np.concatenate([each.timestamps for each in histories]),
    }


def _graphs(tensorflow: Any) -> list[Any]:
    return [each for each in gc.get_objects() if isinstance(each, tensorflow.Graph)]


def _import_tensorflow(settings: Settings) -> Any:
    """TensorFlow with its threads set.

    Imported when a bundle is loaded, not with this module: it takes seconds and hundreds of megabytes, and
    must not be in a process that forks workers.
    """
    is_first = "tensorflow" not in sys.modules
    tensorflow = import_tensorflow()
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
