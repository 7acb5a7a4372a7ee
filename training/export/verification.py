"""Verify a bundle in fresh processes: against the model in memory, and as the service loads it.

`python -m training.export.verification BUNDLE EXPECTED` is the first of these processes. It shares nothing
with the training process but EXPECTED, a directory of queries and answers. The second is
`python -m service --verify BUNDLE`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_index import CANDIDATES_FILE
from service.bundle.catalogue import Catalogue
from service.bundle.checksums import verify_files
from service.bundle.manifest import read_manifest
from service.bundle.saved_model import MODEL_DIRECTORY
from service.bundle.tolerances import stars_tolerance
from training.errors import ExportError

if TYPE_CHECKING:
    # The fresh process must not need the code of training.
    from training.model.trained_model import TrainedModel

EMBEDDING_TOLERANCE = 1e-5
"""Of numbers up to 1, of larger ones relative."""
STARS_TOLERANCE = 2.5e-5
"""A share of the rating scale's width: 0.0001 stars of 1 to 5."""
_MOST_QUERIES = 500
_QUERIES_AT_ONCE = 64
"""So that the scores of all candidates for them take tens of megabytes, whatever the catalogue."""
_RATED_CANDIDATES = 20
_ARRAYS_FILE, _USER_IDS_FILE = "expected.npz", "user_ids.json"


def verify_in_fresh_process(bundle: Path, trained: TrainedModel, *, keep_model: bool = True) -> None:
    """Compare embeddings, ratings and top-k of up to 500 users with the model's in memory.

    Args:
        bundle: The bundle's directory, which was moved after the model was saved.
        trained: What was exported.
        keep_model: Otherwise its memory is freed before the fresh process needs as much.

    Raises:
        ExportError: Something differs; the message says what.
    """
    with tempfile.TemporaryDirectory() as directory:
        _write_expected(Path(directory), trained)
        if not keep_model:
            trained.free()
        command = [sys.executable, "-m", "training.export.verification", str(bundle), directory]
        if reason := _failure(command):
            raise ExportError(f"{bundle.name} does not answer as the model in memory does: {reason}")


def _write_expected(directory: Path, trained: TrainedModel) -> None:
    histories = trained.histories
    count = min(len(histories), _MOST_QUERIES)
    user_rows = np.linspace(0, len(histories) - 1, count).astype(np.int32)
    inputs = histories.query_inputs(user_rows, trained.config.max_history)
    random = np.random.default_rng(0)
    candidate_rows = random.integers(
        trained.vocabulary.num_candidates, size=(count, _RATED_CANDIDATES), dtype=np.int32
    )
    expected: dict[str, Any] = {
        **inputs,
        "candidate_rows": candidate_rows,
        "candidates": trained.candidate_embeddings,
        "query_embeddings": trained.embed_queries(inputs),
        "ratings": trained.predict_ratings(inputs, candidate_rows),
    }
    np.savez(directory / _ARRAYS_FILE, **expected)
    user_ids = [histories.user_ids[row] for row in user_rows.tolist()]
    (directory / _USER_IDS_FILE).write_text(json.dumps(user_ids), encoding="utf-8")


def verify_served(bundle: Path) -> None:
    """Have the service's own loader load a bundle and replay its golden requests, in a fresh process.

    Args:
        bundle: The bundle's directory, named by its bundle id.

    Raises:
        ExportError: The service would refuse the bundle; the message says why.
    """
    command = [sys.executable, "-m", "service", "--verify", str(bundle.absolute())]
    if reason := _failure(command):
        raise ExportError(f"{bundle.name} cannot be served: {reason.removeprefix('service: ')}")


def _failure(command: list[str]) -> str | None:
    """Run a command; the last line of its standard error if it failed."""
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own
    if outcome.returncode == 0:
        return None
    return (outcome.stderr.strip().splitlines() or [f"exit code {outcome.returncode}"])[-1]


def verify(bundle: Path, expected_directory: Path) -> None:
    """Compare a bundle with the answers of the training process; run in the fresh process.

    Args:
        bundle: The bundle's directory.
        expected_directory: What `verify_in_fresh_process` wrote.

    Raises:
        ExportError: An answer differs.
        BundleError: A file is not what the manifest says.
    """
    import tensorflow as tf  # noqa: PLC0415  # `training verify` imports this module and needs none

    manifest = read_manifest(bundle)
    verify_files(bundle, manifest)
    with np.load(expected_directory / _ARRAYS_FILE) as arrays:
        expected = dict(arrays)
    signatures = tf.saved_model.load(str(bundle / MODEL_DIRECTORY)).signatures
    inputs = {
        name: tf.constant(expected[name]) for name in signatures["embed_query"].structured_input_signature[1]
    }
    if manifest.rating_scale is not None:
        rows = tf.constant(expected["candidate_rows"])
        stars = signatures["predict_rating"](**inputs, candidate_rows=rows)["ratings"].numpy()
        tolerance = stars_tolerance(manifest.rating_scale, STARS_TOLERANCE)
        _compare("predicted ratings", stars, expected["ratings"], tolerance)
    queries = signatures["embed_query"](**inputs)["query_embeddings"].numpy()
    _compare_embeddings("query embeddings", queries, expected["query_embeddings"])
    candidates = np.load(bundle / CANDIDATES_FILE)
    _compare_embeddings("candidate embeddings", candidates, expected["candidates"])
    user_ids = json.loads((expected_directory / _USER_IDS_FILE).read_text(encoding="utf-8"))
    row_of = {movie_id.encode(): row for row, movie_id in enumerate(Catalogue.open(bundle).movie_ids)}
    longest = _lengths(candidates).max()
    named_rows = np.vectorize(row_of.__getitem__, otypes=[np.int64])
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        block = slice(start, start + _QUERIES_AT_ONCE)
        exact = expected["query_embeddings"][block] @ expected["candidates"].T
        tolerances = EMBEDDING_TOLERANCE * np.maximum(1, _lengths(queries[block]) * longest)
        served = signatures["serving_default"](user_ids=tf.constant(user_ids[block], tf.string))
        rows = named_rows(served["movie_ids"].numpy())
        best = _best_columns(queries[block] @ candidates.T, 100)
        _compare_rows("top-k", best, exact, tolerances)
        _compare_rows("serving_default's top-k", rows, exact, tolerances)


def _lengths(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 `[n]`, the length of each of them."""
    lengths: NDArray[np.float32] = np.linalg.norm(embeddings, axis=1)
    return lengths


def _compare_embeddings(what: str, found: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    largest = float(np.max(np.abs(expected), initial=1))
    _compare(what, found, expected, EMBEDDING_TOLERANCE * largest)


def _compare(what: str, found: NDArray[np.float32], expected: NDArray[np.float32], tolerance: float) -> None:
    if found.shape != expected.shape:
        raise ExportError(f"{what} have shape {found.shape}, expected {expected.shape}")
    difference = float(np.max(np.abs(found - expected), initial=0))
    if not difference <= tolerance:
        raise ExportError(f"{what} differ by {difference:.2e}, expected at most {tolerance:.0e}")


def _best_columns(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the columns of the k largest scores of each row, best first, int64 `[B, min(k, C)]`."""
    k = min(k, scores.shape[1])
    columns = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :]
    order = np.argsort(-np.take_along_axis(scores, columns, axis=1), axis=1)
    return np.take_along_axis(columns, order, axis=1)


def _compare_rows(
    what: str,
    rows: NDArray[np.int64],
    scores: NDArray[np.float32],
    tolerances: NDArray[np.floating],
) -> None:
    """Rows `[B, k]` must be the best by `scores` `[B, C]`, in order; equals may change places."""
    found = np.take_along_axis(scores, rows, axis=1)
    best = np.take_along_axis(scores, _best_columns(scores, rows.shape[1]), axis=1)
    difference = np.abs(found - best)
    if not np.all(difference <= tolerances[:, None]):
        raise ExportError(f"{what} holds other movies: a score is off by {float(difference.max()):.2e}")


if __name__ == "__main__":
    verify(Path(sys.argv[1]), Path(sys.argv[2]))
