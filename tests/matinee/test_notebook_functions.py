"""The functions for notebooks: what the commands do, step by step."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from service_process import REPOSITORY
from synthetic_ratings import two_clusters, write_csv

import matinee
from matinee.fitted_model import FittedModel
from service.bundle.current import read_current
from training.errors import ConfigurationError, DataError

QUICKLY: dict[str, Any] = {"epochs": 2, "embedding_dimension": 8}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> FittedModel:
    directory = write_csv(two_clusters(), tmp_path_factory.mktemp("ratings") / "ratings")
    return matinee.fit(matinee.load_ratings(directory), matinee.hyperparameters(**QUICKLY))


def test_a_model_in_memory_recommends_what_its_user_has_not_seen(fitted: FittedModel) -> None:
    user_id = fitted.ratings.user_ids[0]
    items = fitted.recommend(user_id=user_id, k=5)
    seen = {
        fitted.ratings.movies.movie_ids[movie]
        for user, movie in zip(fitted.ratings.user_rows, fitted.ratings.movie_rows, strict=True)
        if user == 0
    }
    assert [item["rank"] for item in items] == [1, 2, 3, 4, 5]
    assert not seen & {item["movie_id"] for item in items}
    assert [item["score"] for item in items] == sorted((item["score"] for item in items), reverse=True)
    assert len(fitted.losses["loss"]) == fitted.config.epochs == 2


def test_a_cold_start_user_sends_a_history_or_nothing(fitted: FittedModel) -> None:
    liked = fitted.ratings.movies.movie_ids[0]
    assert liked not in {
        item["movie_id"] for item in fitted.recommend(history=[{"movie_id": liked, "rating": 5}])
    }
    assert len(fitted.recommend(k=3)) == 3


def test_whom_it_does_not_know_it_names(fitted: FittedModel) -> None:
    with pytest.raises(DataError, match="'nobody'"):
        fitted.recommend(user_id="nobody")
    with pytest.raises(DataError, match="'no movie'"):
        fitted.recommend(history=[{"movie_id": "no movie", "rating": None}])
    with pytest.raises(DataError, match="got both"):
        fitted.recommend(user_id=fitted.ratings.user_ids[0], history=[{"movie_id": "x", "rating": None}])


def test_measured_exported_and_opened_it_answers_as_in_memory(fitted: FittedModel, tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    measures = matinee.evaluate(
        fitted.ratings, matinee.hyperparameters(**QUICKLY), split="random", artifacts=artifacts
    )
    assert measures["split"] == "random"
    bundle = fitted.export(artifacts, measures=measures)
    assert bundle == read_current(artifacts)
    opened = matinee.open_bundle(bundle)
    user_id = fitted.ratings.user_ids[0]
    answer = opened.recommend(user_id=user_id, k=5, filter={"movie_ids": None})
    in_memory = fitted.recommend(user_id=user_id, k=5)
    assert [item["movie_id"] for item in answer["items"]] == [item["movie_id"] for item in in_memory]
    for item, of_memory in zip(answer["items"], in_memory, strict=True):
        assert item["title"] == of_memory["title"]
        assert item["score"] == pytest.approx(of_memory["score"], abs=1e-4)
        assert item["predicted_rating"] == pytest.approx(of_memory["predicted_rating"], abs=1e-3)
    rated = opened.predict_rating(user_id=user_id, movie_id=in_memory[0]["movie_id"])
    assert rated["predicted_rating"] == pytest.approx(in_memory[0]["predicted_rating"], abs=1e-3)
    assert opened.measures["model"]["rmse"] == measures["model"]["rmse"]


def test_hyper_parameters_are_those_of_the_commands(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("epochs = 7\nuser_dropout = 0.25\n", encoding="utf-8")
    config = matinee.hyperparameters("interpolation", file=tmp_path / "mine.toml", epochs=9, layers=[64, 32])
    assert (config.epochs, config.user_dropout, config.layers) == (9, 0.25, (64, 32))
    assert config.embedding_dimension == 128
    with pytest.raises(ConfigurationError, match="did you mean learning_rate"):
        matinee.hyperparameters(learning_rte=0.1)


def test_importing_the_package_imports_nothing_of_training() -> None:
    code = (
        "import sys, matinee; print({'training', 'numpy', 'tensorflow'} & sys.modules.keys(), dir(matinee))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.startswith("set() ")
    assert "load_ratings" in ended.stdout
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        matinee.fitt  # noqa: B018 what it raises is the point
