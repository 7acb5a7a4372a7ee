import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from synthetic_ratings import SMALL_CONFIG, Rating, table_of

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.manifest import read_manifest
from service.bundle.query_tower import QueryTower, TowerInput
from service.bundle.rating_head import RatingHead
from service.bundle.saved_model import MODEL_DIRECTORY
from training.data.table import RatingsTable
from training.export.saved_model import DEFAULT_TOP_K, library_versions, save_model
from training.model.trained_model import TrainedModel

MakeModel = Callable[..., TrainedModel]

_ASK = """
import sys
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
asked = dict(np.load(sys.argv[2]))
candidate_rows, user_ids = asked.pop("candidate_rows"), asked.pop("user_ids")
tensors = {name: tf.constant(values) for name, values in asked.items()}
answers = dict(model.signatures["embed_query"](**tensors))
answers |= model.signatures["predict_rating"](candidate_rows=tf.constant(candidate_rows), **tensors)
answers |= model.signatures["serving_default"](user_ids=tf.constant([each.encode() for each in user_ids]))
arrays = {name: values.numpy() for name, values in answers.items()}
arrays |= {name: arrays[name].astype("S") for name in ("movie_ids", "titles")}
np.savez(sys.argv[3], **arrays)
assert not {"training", "service"} & sys.modules.keys()
"""


@pytest.fixture(scope="module")
def loaded(bundle: Path) -> Any:
    return tf.saved_model.load(str(bundle / MODEL_DIRECTORY))


def described(specs: dict[str, tf.TensorSpec]) -> dict[str, tuple[str, list[int | None]]]:
    return {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in specs.items()}


QUERY = {
    "user_rows": ("int32", [None]),
    "timestamps": ("int64", [None]),
    "history_lengths": ("int32", [None]),
    "history_rows": ("int32", [None]),
    "history_ratings": ("float32", [None]),
    "history_timestamps": ("int64", [None]),
}


def test_signatures_have_the_names_types_and_shapes_of_the_contract(loaded: Any) -> None:
    signatures = loaded.signatures
    assert set(signatures) == {
        "query_state",
        "embed_query",
        "predict_rating",
        "embed_candidate",
        "serving_default",
    }
    inputs = {name: described(signatures[name].structured_input_signature[1]) for name in signatures}
    assert inputs["embed_query"] == QUERY
    assert inputs["predict_rating"] == QUERY | {"candidate_rows": ("int32", [None, None])}
    assert inputs["query_state"] == QUERY
    assert inputs["embed_candidate"] == {
        "title_words": ("string", [None]),
        "title_word_counts": ("int32", [None]),
        "genres": ("string", [None]),
        "genre_counts": ("int32", [None]),
        "years": ("int32", [None]),
    }
    assert inputs["serving_default"] == {"user_ids": ("string", [None])}
    outputs = {name: described(signatures[name].structured_outputs) for name in signatures}
    assert outputs["embed_query"] == {"query_embeddings": ("float32", [None, 17])}
    assert outputs["predict_rating"] == {"ratings": ("float32", [None, None])}
    assert outputs["query_state"] == {
        "query_states": ("float32", [None, 17 + SMALL_CONFIG.rating_dimension + 2])
    }
    new = outputs["embed_candidate"]
    assert {name: (dtype, shape[1:]) for name, (dtype, shape) in new.items()} == {
        "candidate_embeddings": ("float32", [17]),
        "rating_vectors": ("float32", [SMALL_CONFIG.rating_dimension]),
        "rating_biases": ("float32", []),
        "rating_confidences": ("float32", []),
    }
    answers = outputs["serving_default"]
    assert {name: dtype for name, (dtype, _) in answers.items()} == {
        "movie_ids": "string",
        "titles": "string",
        "scores": "float32",
    }


def test_a_fresh_process_gives_the_same_answers_from_a_moved_directory_without_this_code(
    bundle: Path, trained: TrainedModel, train_table: RatingsTable, tmp_path: Path
) -> None:
    shutil.copytree(bundle / MODEL_DIRECTORY, tmp_path / "elsewhere")
    users = np.array([0, 5, NO_ROW, 119], np.int32)
    inputs: dict[str, Any] = trained.histories.query_inputs(
        users, 64, np.array([-(2**63), 1_004_000_000, 5, 2**62])
    )
    candidate_rows = np.tile(np.arange(85, dtype=np.int32), (4, 1))
    user_ids = np.array([trained.histories.user_ids[row] for row in users[[0, 1, 3]]])
    np.savez(tmp_path / "asked.npz", **inputs, candidate_rows=candidate_rows, user_ids=user_ids)
    script = tmp_path / "ask.py"
    script.write_text(_ASK, encoding="utf-8")
    places = [tmp_path / name for name in ("elsewhere", "asked.npz", "answers.npz")]
    subprocess.run(
        [sys.executable, script, *places], cwd=tmp_path, check=True, timeout=60, capture_output=True
    )
    with np.load(tmp_path / "answers.npz") as arrays:
        answers = dict(arrays)
    np.testing.assert_allclose(answers["query_embeddings"], trained.embed_queries(inputs), atol=1e-5)
    np.testing.assert_allclose(answers["ratings"], trained.predict_ratings(inputs, candidate_rows), atol=1e-4)
    timeless = trained.histories.query_inputs(users[[0, 1, 3]], 64)
    expected = exactly(trained, trained.embed_queries(timeless), train_table)
    assert [[each.decode() for each in row] for row in answers["movie_ids"]] == [
        [movie for movie, _ in ranked] for ranked in expected
    ]


def test_query_states_and_the_rating_head_agree_with_the_model(
    bundle: Path, loaded: Any, trained: TrainedModel
) -> None:
    """With and without a time, before and after movies of the history, and without a history."""
    users = np.array([0, 5, NO_ROW, 119, 5, 17], np.int32)
    middle = int(np.median(trained.histories.timestamps))
    times = np.array([-(2**63), middle, 5, 2**62, -(2**63), middle])
    inputs: dict[str, Any] = trained.histories.query_inputs(users, 64, times)
    tensors = {name: tf.constant(values) for name, values in inputs.items()}
    states = loaded.signatures["query_state"](**tensors)["query_states"].numpy()
    np.testing.assert_allclose(states[:, :17], trained.embed_queries(inputs), atol=1e-5)
    every_movie = np.tile(np.arange(85, dtype=np.int32), (len(users), 1))
    stars = RatingHead.open(bundle, read_manifest(bundle)).predict(states, list(every_movie))
    np.testing.assert_allclose(stars, trained.predict_ratings(inputs, every_movie), atol=1e-4)


def test_a_query_state_is_the_same_to_the_last_bit_in_any_batch(bundle: Path, trained: TrainedModel) -> None:
    tower = QueryTower.open(bundle)
    histories = trained.histories
    people = []
    for user in range(60):
        moment = NO_TIMESTAMP if user % 3 else int(np.median(histories.timestamps))
        history = histories.history_of(user).last(user % 30)
        people.append(TowerInput(user if user % 4 else NO_ROW, moment, history))
    alone = np.concatenate([tower.read([person]) for person in people])
    for size in (2, 7, 8, 15, 16, 17, 60):
        together = [tower.read(people[start : start + size]) for start in range(0, len(people), size)]
        np.testing.assert_array_equal(np.concatenate(together), alone)


def exactly(
    trained: TrainedModel, queries: NDArray[np.float32], table: RatingsTable
) -> list[list[tuple[str, float]]]:
    """Every movie with its score, best first."""
    scores = queries @ trained.candidate_embeddings.T
    return [
        [(table.movies.movie_ids[row], float(of_query[row])) for row in np.argsort(-of_query, kind="stable")]
        for of_query in scores
    ]


def test_serving_default_alone_ranks_the_catalogue_for_known_and_unknown_users(
    loaded: Any, trained: TrainedModel, train_table: RatingsTable
) -> None:
    histories = trained.histories
    user_ids = ["影", "nobody", "🎬", "", 'say "42"', "影"]
    users = [histories.user_ids.index(each) if each in histories.user_ids else NO_ROW for each in user_ids]
    assert users.count(NO_ROW) == 2
    answers = loaded.signatures["serving_default"](user_ids=tf.constant(user_ids))
    queries = trained.embed_queries(histories.query_inputs(np.array(users, np.int32), 64))
    title_of = dict(zip(train_table.movies.movie_ids, train_table.movies.titles, strict=True))
    for at, ranked in enumerate(exactly(trained, queries, train_table)):
        assert len(ranked) == 85  # fewer than DEFAULT_TOP_K, and nothing is excluded
        assert [each.decode() for each in answers["movie_ids"][at].numpy()] == [movie for movie, _ in ranked]
        titles = [each.decode() for each in answers["titles"][at].numpy()]
        assert titles == [title_of[movie] for movie, _ in ranked]
        assert answers["scores"][at].numpy().tolist() == pytest.approx(
            [score for _, score in ranked], abs=1e-5
        )


@pytest.mark.parametrize("user_ids", [["nobody"], ["nobody", "no one"], []])
def test_serving_default_answers_batches_of_cold_start_users(loaded: Any, user_ids: list[str]) -> None:
    answers = loaded.signatures["serving_default"](user_ids=tf.constant(user_ids, tf.string))
    assert answers["movie_ids"].shape == (len(user_ids), 85)


def test_a_larger_catalogue_is_cut_to_the_best_and_a_long_history_to_the_last(
    make_model: MakeModel, tmp_path: Path
) -> None:
    movie_ids = [f"🎞{row}" for row in range(DEFAULT_TOP_K + 20)]
    ratings: list[Rating] = [(user, movie_ids[at], 1.0 + at % 5, at) for user in "ab\0" for at in range(30)]
    table = table_of(ratings, movie_ids)
    model = make_model(table, max_history=4)
    save_model(model, table.movies, tmp_path / "model")
    saved = tf.saved_model.load(str(tmp_path / "model"))
    answers = saved.signatures["serving_default"](user_ids=tf.constant([b"b", b"\0"]))
    users = np.array([model.histories.user_ids.index(each) for each in "b\0"], np.int32)
    expected = exactly(model, model.embed_queries(model.histories.query_inputs(users, 4)), table)
    for at, ranked in enumerate(expected):
        assert [each.decode() for each in answers["movie_ids"][at].numpy()] == [
            movie for movie, _ in ranked[:DEFAULT_TOP_K]
        ]


def test_the_libraries_that_wrote_a_model_are_named_with_their_versions() -> None:
    versions = library_versions()
    assert versions.keys() >= {"tensorflow", "keras", "numpy", "annoy"}
    assert versions["tensorflow"] == tf.__version__
    assert versions["numpy"] == np.__version__
