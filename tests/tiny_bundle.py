"""Write the bundle of `tiny_model` in the format of training, in about two seconds."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray
from tiny_model import (
    DIMENSION,
    FIRST_TIMESTAMP,
    LAST_TIMESTAMP,
    MAX_HISTORY,
    MOVIE_IDS,
    NUM_CANDIDATES,
    SCALE,
    USER_IDS,
    Rated,
    TinyModel,
    title_of,
)

from service import bundle
from service.bundle import NO_ROW, NO_TIMESTAMP, HistoryEntry
from service.bundle.checksums import list_files
from service.bundle.current import go_live
from service.bundle.manifest import Manifest


def write_tiny_bundle(artifacts: Path, model: TinyModel, bundle_id: str = "tiny-1") -> Path:
    """Write the bundle and CURRENT; return the bundle's directory."""
    directory = artifacts / bundle_id
    (directory / "histories").mkdir(parents=True)
    np.save(directory / bundle.CANDIDATES_FILE, model.candidates)
    write_index(directory / bundle.INDEX_FILE, model.candidates, trees=20)
    _write_histories(directory, model.histories)
    catalogue = {
        "movie_ids": MOVIE_IDS,
        "titles": [title_of(row) for row in range(NUM_CANDIDATES)],
        "genres": [["Drama", "War"][: row % 3] for row in range(NUM_CANDIDATES)],
        "years": [None if row % 7 == 0 else 1900 + row for row in range(NUM_CANDIDATES)],
        "num_ratings": [model.num_ratings(row) for row in range(NUM_CANDIDATES)],
    }
    (directory / bundle.CATALOGUE_FILE).write_text(json.dumps(catalogue), encoding="utf-8")
    (directory / bundle.GOLDEN_FILE).write_text(json.dumps(_golden(model)), encoding="utf-8")
    _write_rating_head(directory, model)
    _save_model(directory / bundle.MODEL_DIRECTORY, model)
    seal(
        directory,
        Manifest(
            bundle_id=bundle_id,
            created_utc="2025-01-01T00:00:00Z",
            dataset={"name": "tiny", **_counts(model)},
            hyperparameters={},
            seed=0,
            embedding_dimension=DIMENSION,
            max_history=MAX_HISTORY,
            rating_scale=SCALE,
            index={
                "backend": "annoy",
                "metric": "angular",
                "augmentation": bundle.INDEX_AUGMENTATION,
                "trees": 20,
                "search_k": 4000,
                "deep_search_k": 4000,
                "candidates": NUM_CANDIDATES,
            },
            metrics={"rmse": 0.5},
            libraries={},
            files={},
        ),
    )
    go_live(artifacts, bundle_id)
    return directory


def seal(directory: Path, manifest: Manifest | None = None, **changes: Any) -> None:
    """Rewrite the manifest with the checksums of the files as they are now."""
    path = directory / bundle.MANIFEST_FILE
    # Not by `read_manifest`, which refuses a copy whose directory has a new name.
    written = manifest or Manifest.from_document(json.loads(path.read_bytes()), path)
    fields = asdict(written)
    fields |= {"bundle_id": directory.name, "files": list_files(directory)}
    path.write_text(json.dumps(Manifest(**fields | changes).to_document()), encoding="utf-8")


def write_index(path: Path, candidates: NDArray[np.float32], *, trees: int) -> None:
    """Annoy over the augmented candidates, as the contract has it."""
    squares = np.square(candidates.astype(float)).sum(axis=1)
    index = AnnoyIndex(candidates.shape[1] + 1, "angular")
    index.set_seed(1)
    for row, vector in enumerate(np.c_[candidates, np.sqrt(squares.max() - squares)]):
        index.add_item(row, vector.tolist())
    index.build(trees, n_jobs=1)
    index.save(str(path))


def _write_histories(directory: Path, histories: dict[str, list[Rated]]) -> None:
    ids = [user_id.encode() for user_id in histories]
    assert ids == sorted(ids)
    rated = [each for history in histories.values() for each in history]
    arrays: dict[str, NDArray[Any]] = {
        "user_id_bytes": np.frombuffer(b"".join(ids), np.uint8),
        "user_id_offsets": np.cumsum([0, *map(len, ids)], dtype=np.int64),
        "offsets": np.cumsum([0, *map(len, histories.values())], dtype=np.int64),
        "movie_rows": np.array([row for row, _, _ in rated], np.int32),
        "ratings": np.array([stars for _, stars, _ in rated], np.float32),
        "timestamps": np.array([seconds for _, _, seconds in rated], np.int64),
    }
    for name, array in arrays.items():
        np.save(directory / bundle.HISTORY_ARRAYS[name], array)


def _write_rating_head(directory: Path, model: TinyModel) -> None:
    """`TinyModel.stars` as the contract spells it, without an MLP."""
    arrays = {
        "vectors": model.candidates / np.float32(16),
        "biases": np.arange(NUM_CANDIDATES, dtype=np.float32) / np.float32(512),
        "confidences": np.zeros(NUM_CANDIDATES, np.float32),
    }
    (directory / "ratings").mkdir()
    for name, array in arrays.items():
        np.save(directory / bundle.RATING_ARRAYS[name], array)
    head: dict[str, Any] = {"mean_stars": 3, "spread_stars": 1, "layers": []}
    (directory / bundle.RATING_HEAD_FILE).write_text(json.dumps(head), encoding="utf-8")


def _counts(model: TinyModel) -> dict[str, int]:
    num_ratings = sum(len(history) for history in model.histories.values())
    return {"users": len(USER_IDS), "movies": NUM_CANDIDATES, "ratings": num_ratings}


def _golden(model: TinyModel) -> dict[str, Any]:
    liked: list[HistoryEntry] = [{"movie_id": "m3", "rating": 5.0}, {"movie_id": "🎬", "rating": None}]
    people: list[tuple[str | None, list[HistoryEntry], str]] = [
        *((user_id, [], "personalized") for user_id in USER_IDS),
        ("42", liked, "personalized"),
        (None, liked, "history"),
        ("nobody", [], "popular"),
    ]
    recommend, ratings = [], []
    for user_id, history, source in people:
        for timestamp in (None, FIRST_TIMESTAMP + 512):
            ranked = model.popular() if source == "popular" else model.recommend(user_id, history, timestamp)
            request = {"user_id": user_id, "history": history, "timestamp": timestamp}
            items = [
                {
                    "movie_id": MOVIE_IDS[row],
                    "score": score,
                    "predicted_rating": model.stars(row, user_id, history, timestamp),
                }
                for row, score in ranked[:10]
            ]
            recommend.append(request | {"k": 10, "exclude_seen": True, "source": source, "items": items})
            stars = model.stars(17, user_id, history, timestamp)
            ratings.append(request | {"movie_id": MOVIE_IDS[17], "predicted_rating": stars})
    return {"recommend": recommend, "predict_rating": ratings}


def _save_model(path: Path, model: TinyModel) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    import tensorflow as tf  # noqa: PLC0415 tests that need no bundle do not wait for it

    candidates, users = tf.constant(model.candidates), tf.constant(model.user_vectors)
    query = {
        "user_rows": tf.TensorSpec([None], tf.int32, name="user_rows"),
        "timestamps": tf.TensorSpec([None], tf.int64, name="timestamps"),
        "history_lengths": tf.TensorSpec([None], tf.int32, name="history_lengths"),
        "history_rows": tf.TensorSpec([None], tf.int32, name="history_rows"),
        "history_ratings": tf.TensorSpec([None], tf.float32, name="history_ratings"),
        "history_timestamps": tf.TensorSpec([None], tf.int64, name="history_timestamps"),
    }

    def query_state(  # noqa: PLR0917 as the contract has it
        user_rows: Any,
        timestamps: Any,
        history_lengths: Any,
        history_rows: Any,
        history_ratings: Any,
        history_timestamps: Any,
    ) -> dict[str, Any]:
        user = tf.gather(users, tf.where(user_rows == NO_ROW, len(USER_IDS), user_rows))
        clipped = tf.minimum(tf.maximum(timestamps, FIRST_TIMESTAMP), LAST_TIMESTAMP) - FIRST_TIMESTAMP
        moment = tf.where(timestamps == NO_TIMESTAMP, 0.0, tf.cast(clipped, tf.float32) / 1024)
        liking = tf.where(tf.math.is_nan(history_ratings), 1.0, (history_ratings - 3) / 4)
        weight = liking * tf.where(history_timestamps == NO_TIMESTAMP, 1.0, 0.5)
        of_query = tf.repeat(tf.range(tf.size(user_rows)), history_lengths)
        weighted = weight[:, tf.newaxis] * tf.gather(candidates, history_rows)
        seen = tf.math.unsorted_segment_sum(weighted, of_query, tf.size(user_rows))
        embedding = user + moment[:, tf.newaxis] * model.time_vector + seen
        # Ratings depend on the score only: the rating vector is the embedding, bias and confidence are 0.
        return {"query_states": tf.concat([embedding, embedding, tf.zeros_like(embedding[:, :2])], axis=1)}

    def serving_default(user_ids: Any) -> dict[str, Any]:
        return {"movie_ids": tf.fill([tf.shape(user_ids)[0], 1], MOVIE_IDS[0])}

    user_ids = tf.TensorSpec([None], tf.string, name="user_ids")
    root = tf.Module()
    signatures = {
        "query_state": tf.function(query_state).get_concrete_function(**query),
        "serving_default": tf.function(serving_default).get_concrete_function(user_ids),
    }
    tf.saved_model.save(root, str(path), signatures)
