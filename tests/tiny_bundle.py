"""Write the bundle of `tiny_model` in the format of training, in about two seconds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
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
    unrated,
)

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.annoy_index import AnnoyIndex
from service.bundle.candidate_index import CandidateIndex
from service.bundle.catalogue import Catalogue
from service.bundle.checksums import list_files
from service.bundle.current import go_live
from service.bundle.golden_requests import GoldenItem, GoldenRequests, HistoryEntry, write_golden
from service.bundle.histories import Histories, History
from service.bundle.manifest import MANIFEST_FILE, Manifest, document_sha256
from service.bundle.rating_head import RatingHead
from service.bundle.saved_model import MODEL_DIRECTORY, candidate_specs, query_specs, save


def write_tiny_bundle(
    artifacts: Path, model: TinyModel, bundle_id: str = "tiny-1", *, has_ratings: bool = True
) -> Path:
    """Write the bundle and CURRENT; return the bundle's directory.

    Args:
        artifacts: Where.
        model: What it holds; `tiny_model.watches_of` another if it has no ratings.
        bundle_id: Its name.
        has_ratings: Whether it is as of data with ratings and times, or as of watches alone.
    """
    directory = artifacts / bundle_id
    directory.mkdir(parents=True)
    CandidateIndex.write_candidates(directory, model.candidates)
    index = AnnoyIndex.build(directory, model.candidates, trees=20, seed=1)
    _write_histories(directory, model.histories)
    Catalogue(
        movie_ids=MOVIE_IDS,
        titles=[title_of(row) for row in range(NUM_CANDIDATES)],
        genres=[["Drama", "War"][: row % 3] for row in range(NUM_CANDIDATES)],
        years=[None if row % 7 == 0 else 1900 + row for row in range(NUM_CANDIDATES)],
        num_ratings=[model.num_ratings(row) for row in range(NUM_CANDIDATES)],
    ).write(directory)
    write_golden(directory, _golden(model, has_ratings))
    if has_ratings:
        RatingHead.write(  # `TinyModel.stars`
            directory,
            vectors=model.candidates / np.float32(16),
            biases=np.arange(NUM_CANDIDATES, dtype=np.float32) / np.float32(512),
            confidences=np.zeros(NUM_CANDIDATES, np.float32),
            mean_stars=3,
            spread_stars=1,
        )
    _save_model(directory / MODEL_DIRECTORY, model, has_ratings)
    Manifest(
        bundle_id=bundle_id,
        created_utc="2025-01-01T00:00:00Z",
        dataset={
            "name": "tiny",
            **_counts(model),
            "first_timestamp": FIRST_TIMESTAMP if has_ratings else None,
            "last_timestamp": LAST_TIMESTAMP if has_ratings else None,
        },
        hyperparameters={},
        seed=0,
        embedding_dimension=DIMENSION,
        max_history=MAX_HISTORY,
        rating_scale=SCALE if has_ratings else None,
        index=index.describe(search_k=4000, deep_search_k=4000),
        metrics={"rmse": 0.5},
        libraries={},
        files=list_files(directory),
    ).write(directory)
    go_live(artifacts, bundle_id)
    return directory


def seal(directory: Path, manifest: Manifest | None = None, **changes: Any) -> None:
    """Writes the manifest anew over the files as they are, so that checksums fit what a test changed.

    Args:
        directory: The bundle.
        manifest: Of what it says; None: what it says already.
        changes: Fields as they are in JSON, with whatever is wrong in them.
    """
    path = directory / MANIFEST_FILE
    document = json.loads(path.read_bytes()) if manifest is None else manifest.to_document()
    del document["manifest_sha256"]
    document |= {"bundle_id": directory.name, "files": list_files(directory)} | changes
    path.write_text(json.dumps(document | {"manifest_sha256": document_sha256(document)}), encoding="utf-8")


def _write_histories(directory: Path, histories: dict[str, list[Rated]]) -> None:
    rows, stars, seconds = zip(*(each for history in histories.values() for each in history), strict=True)
    offsets = np.cumsum([0, *map(len, histories.values())], dtype=np.int64)
    ratings = History(np.array(rows, np.int32), np.array(stars, np.float32), np.array(seconds, np.int64))
    Histories.write(directory, list(histories), offsets, ratings)


def _counts(model: TinyModel) -> dict[str, int]:
    num_ratings = sum(len(history) for history in model.histories.values())
    return {"users": len(USER_IDS), "movies": NUM_CANDIDATES, "ratings": num_ratings}


def _golden(model: TinyModel, has_ratings: bool) -> GoldenRequests:
    liked: list[HistoryEntry] = [{"movie_id": "m3", "rating": 5.0}, {"movie_id": "🎬", "rating": None}]
    people: list[tuple[str | None, list[HistoryEntry], str]] = [
        *((user_id, [], "personalized") for user_id in USER_IDS),
        ("42", liked, "personalized"),
        (None, liked, "history"),
        ("nobody", [], "popular"),
    ]
    requests: GoldenRequests = {"recommend": [], "predict_rating": []}
    for user_id, history, source in people:
        for timestamp in (None, FIRST_TIMESTAMP + 512) if has_ratings else (None,):
            read = history if has_ratings else unrated(history)
            ranked = model.recommend(user_id, read, timestamp)
            items: list[GoldenItem] = [
                {
                    "movie_id": MOVIE_IDS[row],
                    "score": score,
                    "predicted_rating": model.stars(row, user_id, history, timestamp)
                    if has_ratings
                    else None,
                }
                for row, score in ranked[:10]
            ]
            requests["recommend"].append(
                {
                    "user_id": user_id,
                    "history": history,
                    "timestamp": timestamp,
                    "k": 10,
                    "exclude_seen": True,
                    "source": source,
                    "items": items,
                }
            )
            if not has_ratings:
                continue
            requests["predict_rating"].append(
                {
                    "user_id": user_id,
                    "history": history,
                    "timestamp": timestamp,
                    "movie_id": MOVIE_IDS[17],
                    "predicted_rating": model.stars(17, user_id, history, timestamp),
                }
            )
    return requests


def _save_model(path: Path, model: TinyModel, has_ratings: bool) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    import tensorflow as tf  # noqa: PLC0415 tests that need no bundle do not wait for it

    candidates, users = tf.constant(model.candidates), tf.constant(model.user_vectors)

    def query_state(  # noqa: PLR0917 as `saved_model` has it
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
        if not has_ratings:
            return {"query_states": embedding}
        # Ratings depend on the score only: the rating vector is the embedding, bias and confidence are 0.
        return {"query_states": tf.concat([embedding, embedding, tf.zeros_like(embedding[:, :2])], axis=1)}

    def embed_candidate(
        title_words: Any, title_word_counts: Any, genres: Any, genre_counts: Any, years: Any
    ) -> dict[str, Any]:
        del title_words, title_word_counts, genres
        further = (
            tf.cast(genre_counts, tf.float32)[:, tf.newaxis] * tf.one_hot([DIMENSION - 1], DIMENSION) / 16
        )
        placed = tf.gather(candidates, years % NUM_CANDIDATES) + further  # `TinyModel.place`
        if not has_ratings:
            return {"candidate_embeddings": placed}
        nothing = tf.zeros_like(placed[:, 0])
        return {
            "candidate_embeddings": placed,
            "rating_vectors": placed / 16,
            "rating_biases": nothing,
            "rating_confidences": nothing,
        }

    def serving_default(user_ids: Any) -> dict[str, Any]:
        return {"movie_ids": tf.fill([tf.shape(user_ids)[0], 1], MOVIE_IDS[0])}

    user_ids = tf.TensorSpec([None], tf.string, name="user_ids")
    signatures = {
        "query_state": tf.function(query_state).get_concrete_function(**query_specs()),
        "embed_candidate": tf.function(embed_candidate).get_concrete_function(**candidate_specs()),
        "serving_default": tf.function(serving_default).get_concrete_function(user_ids),
    }
    save(tf.Module(), path, signatures)
