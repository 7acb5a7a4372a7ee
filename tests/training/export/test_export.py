import json
import shutil
import stat
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from synthetic_ratings import SMALL_CONFIG, table_of, two_clusters

from service.bundle import NO_ROW
from service.bundle.checksums import verify_files
from service.bundle.current import REFUSED_FILE, go_live, read_current
from service.bundle.golden_requests import GoldenRequests
from service.bundle.histories import HISTORY_ARRAYS
from service.bundle.manifest import SCHEMA_VERSION, document_sha256, read_manifest
from service.live import store as feedback_store
from service.live.migration import migrate
from service.live.sqlite_database import SqliteDatabase
from service.loading import load_recommender
from service.recommending.queries import RecommendQuery
from service.settings import Settings
from training.config import TrainingConfig
from training.data.stored_feedback import StoredFeedback
from training.data.table import MovieTable, RatingsTable
from training.errors import ExportError, Forgotten
from training.export import bundle_export as export
from training.export import sampled_queries
from training.export.bundle_export import EXPORT_STEPS, export_bundle
from training.export.bundle_inventory import bundles_in
from training.export.golden_requests import golden_requests
from training.export.sampled_queries import sample_queries
from training.export.saved_model import save_model
from training.model.trained_model import TrainedModel

MakeModel = Callable[..., TrainedModel]


def everything_in(directory: Path) -> dict[str, bytes]:
    """Contents by path; a directory's is empty."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in directory.rglob("*")
    }


def test_current_is_one_line_that_names_the_new_bundle(bundle: Path) -> None:
    assert (bundle.parent / "CURRENT").read_bytes() == f"{bundle.name}\n".encode()
    assert read_current(bundle.parent) == bundle


def test_nothing_but_bundle_and_current_is_left_in_the_artifacts(bundle: Path) -> None:
    assert {path.name for path in bundle.parent.iterdir()} == {bundle.name, "CURRENT"}


def test_the_files_are_those_of_the_contract_and_as_the_manifest_says(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    verify_files(bundle, manifest)
    present = {name for name, content in everything_in(bundle).items() if (bundle / name).is_file()}
    assert present == manifest.files.keys() | {"manifest.json"}
    assert present >= {
        "model/saved_model.pb",
        "candidates.npy",
        "candidates.ann",
        "catalogue.json",
        "golden.json",
        "report/index.html",
        "report/metrics.json",
        *HISTORY_ARRAYS.values(),
    }


def test_directories_are_0755_and_files_0644_whatever_the_umask(bundle: Path) -> None:
    """The bundle was exported under umask 077, into artifacts that did not exist."""
    for path in [bundle.parent, bundle, *bundle.rglob("*"), bundle.parent / "CURRENT"]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path


def test_the_manifest_says_where_the_bundle_comes_from(
    bundle: Path, train_table: RatingsTable, measured: dict[str, Any]
) -> None:
    manifest = read_manifest(bundle)
    assert manifest.schema_version == SCHEMA_VERSION
    assert manifest.bundle_id == bundle.name
    created = datetime.strptime(manifest.created_utc, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert 0 <= (datetime.now(UTC) - created).total_seconds() < 600
    assert manifest.dataset == {
        "name": "small",
        "source": "a test",
        "ratings": 2_280,
        "users": 120,
        "movies": 85,
        "first_timestamp": int(train_table.timestamps.min()),
        "last_timestamp": int(train_table.timestamps.max()),
        "sha256": train_table.sha256,
    }
    assert TrainingConfig.from_document(manifest.hyperparameters) == SMALL_CONFIG
    assert (manifest.seed, manifest.embedding_dimension, manifest.max_history) == (3, 17, 64)
    assert manifest.rating_scale == (0.5, 5.0)
    document = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    assert document["index"].keys() == {
        *("backend", "metric", "augmentation", "trees", "search_k", "deep_search_k"),
        "candidates",
        *("recall_at_10", "recall_at_100"),
    }
    assert document["index"]["candidates"] == 85
    assert min(document["index"]["recall_at_10"], document["index"]["recall_at_100"]) >= 0.99
    not_in_manifest = {"losses", "analysis", "validation", "runs"}
    assert manifest.metrics == {
        name: value
        for name, value in measured.items()
        if name not in not_in_manifest | {"lists", "baseline_lists"}
    }
    assert manifest.libraries["tensorflow"] == tf.__version__
    assert document["manifest_sha256"] == document_sha256(
        {name: value for name, value in document.items() if name != "manifest_sha256"}
    )


def test_the_arrays_are_what_the_model_read_and_made(bundle: Path, trained: TrainedModel) -> None:
    candidates = np.load(bundle / "candidates.npy")
    assert candidates.dtype == np.float32
    np.testing.assert_array_equal(candidates, trained.candidate_embeddings)
    stored = {name: np.load(bundle / path) for name, path in HISTORY_ARRAYS.items()}
    ids, ends = stored["user_id_bytes"].tobytes(), stored["user_id_offsets"].tolist()
    user_ids = [ids[start:end].decode() for start, end in pairwise(ends)]
    assert user_ids == list(trained.histories.user_ids)
    for name in ("offsets", "movie_rows", "ratings", "timestamps"):
        np.testing.assert_array_equal(stored[name], getattr(trained.histories, name))


def test_the_catalogue_has_every_movie_by_candidate_row(bundle: Path, train_table: RatingsTable) -> None:
    catalogue = json.loads((bundle / "catalogue.json").read_text(encoding="utf-8"))
    movies, counts = train_table.movies, Counter(train_table.movie_rows.tolist())
    assert catalogue == {
        "movie_ids": list(movies.movie_ids),
        "titles": list(movies.titles),
        "genres": [list(each) for each in movies.genres],
        "years": [int(title[-5:-1]) for title in movies.titles],
        "num_ratings": [counts[row] for row in range(85)],
    }


def test_a_year_that_is_not_known_is_null() -> None:
    table = table_of([("1", "1", 3, 0)], ["1", "2"], titles=["Heat (1995)", "unknown"])
    assert export._catalogue(table).years == [1995, None]


def test_the_report_says_what_was_measured(bundle: Path, measured: dict[str, Any]) -> None:
    found = json.loads((bundle / "report/metrics.json").read_text(encoding="utf-8"))
    assert found == measured | {"shipped": {"seed": SMALL_CONFIG.seed, "losses": measured["losses"]}}
    page = (bundle / "report/index.html").read_text(encoding="utf-8")
    assert bundle.name in page
    assert f"{measured['model']['ndcg_at_10']:.4f}" in page


def test_the_service_loads_the_bundle_and_answers_as_the_model_does(
    bundle: Path, trained: TrainedModel
) -> None:
    """`load_recommender` replays golden.json as well."""
    recommender = load_recommender(bundle, Settings())
    for user_id in ("影", 'say "42"', "user-77"):
        user = trained.histories.user_ids.index(user_id)
        inputs = trained.histories.query_inputs(np.array([user], np.int32), 64)
        scores = (trained.embed_queries(inputs) @ trained.candidate_embeddings.T)[0]
        seen = trained.histories.movie_rows[trained.histories.rows_of(user)]
        scores[seen] = -np.inf
        answer = recommender.recommend(RecommendQuery(user_id=user_id, k=12))
        assert answer.source == "personalized"
        assert answer.rows.tolist() == np.argsort(-scores)[:12].tolist()
        assert answer.scores.tolist() == pytest.approx(np.sort(scores)[::-1][:12].tolist(), abs=1e-5)
        stars = trained.predict_ratings(inputs, answer.rows[None])[0]
        np.testing.assert_allclose(answer.predicted_ratings, stars, atol=1e-4)


@pytest.fixture
def occupied(tmp_path: Path) -> Path:
    """Artifacts with a live bundle and files that no export wrote."""
    artifacts = tmp_path / "artifacts"
    (artifacts / "earlier").mkdir(parents=True)
    (artifacts / "earlier" / "manifest.json").write_text("{}", encoding="utf-8")
    (artifacts / "notes").mkdir()
    (artifacts / "notes" / "todo.txt").write_text("mine", encoding="utf-8")
    (artifacts / ".gitignore").write_text("*\n", encoding="utf-8")
    (artifacts / ".building-by-another-process").mkdir()
    (artifacts / "CURRENT").write_text("earlier\n", encoding="utf-8")
    return artifacts


def few_ratings() -> RatingsTable:
    table = two_clusters(per_user=4, with_features=False)
    return table.take(np.arange(80))


@pytest.fixture(scope="module")
def of_few_ratings(make_model: MakeModel) -> TrainedModel:
    """Of `few_ratings`, for tests in which the model does not matter; only to be read."""
    return make_model(few_ratings())


@pytest.fixture(scope="module")
def saved_of_few_ratings(of_few_ratings: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("few") / "model"
    save_model(of_few_ratings, few_ratings().movies, path)
    return path


@pytest.fixture
def saved_before(saved_of_few_ratings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports of `of_few_ratings` copy its SavedModel, which otherwise takes half of their time."""

    def copy(_trained: TrainedModel, _movies: MovieTable, directory: Path) -> None:
        shutil.copytree(saved_of_few_ratings, directory)

    monkeypatch.setattr(export, "save_model", copy)


@pytest.mark.usefixtures("verify_here")
@pytest.mark.parametrize(
    "changes",
    [
        {"layers": (6, 4), "use_user_id": False, "added_factors": 3},
        {"use_history": False, "time_buckets": 0},
        {"use_content": False, "rating_layers": (), "max_history": 2},
    ],
    ids=str,
)
def test_every_kind_of_model_can_be_exported_and_served(
    changes: dict[str, Any], make_model: MakeModel, occupied: Path
) -> None:
    before = everything_in(occupied)
    table = few_ratings()
    steps: list[str] = []
    bundle = export_bundle(make_model(table, **changes), table, None, occupied, steps.append)
    assert len(steps) == EXPORT_STEPS
    assert len(set(steps)) == EXPORT_STEPS
    after = everything_in(occupied)
    assert after["CURRENT"] == f"{bundle.name}\n".encode()
    assert after["PREVIOUS"] == before["CURRENT"]
    assert {name for name in after if not name.startswith(bundle.name)} == {*before, "PREVIOUS"}
    assert all(after[name] == content for name, content in before.items() if name != "CURRENT")
    assert read_manifest(bundle).metrics is None
    assert json.loads(after[f"{bundle.name}/report/metrics.json"]).keys() == {"shipped"}
    assert "not measured" in after[f"{bundle.name}/report/index.html"].decode()
    recommender = load_recommender(bundle, Settings())
    answer = recommender.recommend(
        RecommendQuery(user_id="nobody", history=[{"movie_id": "alpha-3", "rating": 5}])
    )
    assert (answer.source, len(answer.rows)) == ("history", 10)


@pytest.mark.usefixtures("verify_here")
def test_the_smallest_data_makes_a_bundle_that_can_be_served(make_model: MakeModel, tmp_path: Path) -> None:
    table = table_of([("x", "1", 4.0, 5), ("y", "2", 2.0, 5)])
    bundle = export_bundle(make_model(table), table, None, tmp_path)
    recommender = load_recommender(bundle, Settings())
    assert recommender.recommend(RecommendQuery(user_id="x")).rows.tolist() == [1]


@pytest.mark.usefixtures("verify_here", "saved_before")
def test_a_refused_bundle_is_whole_and_not_live_until_a_later_one_is(
    of_few_ratings: TrainedModel, occupied: Path
) -> None:
    live = read_current(occupied)
    bundle = export_bundle(of_few_ratings, few_ratings(), None, occupied, refusal="it is worse")
    assert read_current(occupied) == live
    assert (occupied / REFUSED_FILE).read_text(encoding="utf-8") == f"{bundle.name}\n"
    [entry] = [entry for entry in bundles_in(occupied) if entry.path == bundle]
    assert (entry.role, entry.refusal) == ("", "it is worse")
    go_live(occupied, bundle.name)
    assert not (occupied / REFUSED_FILE).exists()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "feedback.sqlite3"
    migrate(SqliteDatabase(path))
    return path


def forget(path: Path, user_id: str) -> int:
    with SqliteDatabase(path).borrow() as connection, connection.transaction():
        return feedback_store.forget(connection, user_id, now=1_000, key=feedback_store.key_of(connection))


@pytest.mark.usefixtures("verify_here")
def test_the_manifest_says_up_to_where_the_store_was_trained_on(
    make_model: MakeModel, store: Path, occupied: Path
) -> None:
    forget(store, "nobody")
    position = forget(store, few_ratings().user_ids[0])
    stored = StoredFeedback.over(few_ratings(), str(store))
    bundle = export_bundle(make_model(stored.table), stored.table, None, occupied, stored=stored)
    manifest = read_manifest(bundle)
    assert manifest.dataset["store_position"] == position == 2
    assert manifest.dataset["source"].endswith(", and the store of feedback")
    histories = load_recommender(bundle, Settings()).histories
    assert histories.user_row(few_ratings().user_ids[0]) is None
    assert histories.user_row(few_ratings().user_ids[1]) == 0


@pytest.mark.usefixtures("verify_here", "saved_before")
@pytest.mark.parametrize("refusal", [None, "it is worse"])
def test_nothing_is_left_of_a_bundle_whose_users_were_forgotten_meanwhile(
    refusal: str | None, of_few_ratings: TrainedModel, store: Path, occupied: Path
) -> None:
    before = everything_in(occupied)
    stored = StoredFeedback.over(few_ratings(), str(store))
    forget(store, stored.table.user_ids[1])
    with pytest.raises(Forgotten, match="1 of the users trained on"):
        export_bundle(of_few_ratings, stored.table, None, occupied, stored=stored, refusal=refusal)
    assert everything_in(occupied) == before


def disagree(trained: TrainedModel, *arguments: Any) -> None:
    """Saves another model than the one in memory."""
    bias = trained.model.candidate_tower._bias
    inherited = bias.numpy()
    bias.assign(inherited[::-1] + 0.01)
    try:
        save_model(trained, *arguments)
    finally:
        bias.assign(inherited)


@pytest.mark.usefixtures("verify_here")
def test_a_bundle_that_does_not_agree_leaves_everything_as_it_was(
    make_model: MakeModel, occupied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything_in(occupied)
    table = few_ratings()
    monkeypatch.setattr(export, "save_model", disagree)
    with pytest.raises(
        ExportError, match=r"does not answer as the model in memory does: .*differ by|other movies"
    ):
        export_bundle(make_model(table), table, None, occupied)
    assert everything_in(occupied) == before


@pytest.mark.usefixtures("verify_here", "saved_before")
def test_a_bundle_that_the_service_refuses_leaves_everything_as_it_was(
    of_few_ratings: TrainedModel, occupied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model agrees; one golden rating is not what the service answers."""
    before = everything_in(occupied)

    def disagreeing(*arguments: Any) -> GoldenRequests:
        golden = golden_requests(*arguments)
        golden["predict_rating"][0]["predicted_rating"] += 0.5
        return golden

    monkeypatch.setattr(export, "golden_requests", disagreeing)
    with pytest.raises(ExportError, match=r"cannot be served: .*BundleDisagrees"):
        export_bundle(of_few_ratings, few_ratings(), None, occupied)
    assert everything_in(occupied) == before


@pytest.mark.parametrize(
    ("error", "raised"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left on device"), ExportError)],
)
def test_an_export_that_is_broken_off_leaves_everything_as_it_was(
    error: BaseException,
    raised: type[BaseException],
    random_model: TrainedModel,
    occupied: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = everything_in(occupied)

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(export, "write_report", fail)
    monkeypatch.setattr(export, "save_model", lambda *_: None)
    monkeypatch.setattr(export, "write_stored_states", lambda *_, **__: None)
    with pytest.raises(raised):
        export_bundle(random_model, two_clusters(), None, occupied)
    assert everything_in(occupied) == before


def test_recall_is_measured_over_all_users_or_a_sample_of_very_many(
    random_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = sample_queries(random_model).every(1)
    assert (len(everyone), everyone.num_cold) == (320, 200)
    users = np.arange(120, dtype=np.int32)
    embedded = random_model.embed_queries(random_model.histories.query_inputs(users, 64))
    np.testing.assert_allclose(everyone.embeddings[:120], embedded, atol=1e-6)
    for user in (0, 57, 119):
        where = random_model.histories.rows_of(user)
        np.testing.assert_array_equal(everyone.seen[user], random_model.histories.movie_rows[where])
    monkeypatch.setattr(sampled_queries, "_MEASURED_USERS", 30)
    some = sample_queries(random_model)
    assert some.embeddings.shape == (230, 17)
    assert len(some.seen) == 230
    distances = np.abs(some.embeddings[:30, None] - embedded[None]).max(axis=2)
    assert len(set(distances.argmin(axis=1).tolist())) == 30
    assert distances.min(axis=1).max() < 1e-5


def test_movies_that_nobody_rated_surface_by_exploration_only(bundle: Path, trained: TrainedModel) -> None:
    recommender = load_recommender(bundle, Settings())
    movie_ids = recommender.catalogue.movie_ids

    def unrated(explore: float) -> list[int]:
        lists = (
            recommender.recommend(RecommendQuery(user_id=user_id, explore=explore)).rows.tolist()
            for user_id in trained.histories.user_ids[:69]
        )
        return [sum(movie_ids[row].startswith("nobody") for row in rows) for rows in lists]

    assert sum(unrated(0)) == 0
    assert unrated(0.1) == [1] * 69
    assert unrated(0.2) == [2] * 69


def test_a_user_without_training_history_gets_the_popular_list(bundle: Path) -> None:
    recommender = load_recommender(bundle, Settings())
    answer = recommender.recommend(RecommendQuery(user_id="nobody"))
    assert answer.source == "popular"
    assert NO_ROW not in answer.rows.tolist()
