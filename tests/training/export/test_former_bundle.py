import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_ratings import SMALL_CONFIG, two_clusters
from tiny_bundle import write_tiny_bundle
from tiny_model import TinyModel

from service.bundle.manifest import MANIFEST_FILE, document_sha256
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.errors import ConfigurationError, DataError
from training.export.former_bundle import FormerBundle
from training.model.trained_model import TrainedModel
from training.model.warm_start import WarmStart


@pytest.fixture(scope="module")
def former(bundle: Path) -> FormerBundle:
    """The bundle of `trained`, by its name."""
    return FormerBundle.open(str(bundle), bundle.parent)


def changed(table: RatingsTable, **changes: object) -> RatingsTable:
    return replace(table, **changes)  # type: ignore[arg-type] # of any field


def test_all_that_was_learned_is_read_back(
    former: FormerBundle, trained: TrainedModel, train_table: RatingsTable
) -> None:
    found, expected = former.warm_start(), WarmStart.of(trained, train_table)
    assert found.learned.keys() == expected.learned.keys()
    for name, values in expected.learned.items():
        np.testing.assert_array_equal(found.learned[name], values)
    assert {rows: tuple(of) for rows, of in found.names.items()} == expected.names
    np.testing.assert_array_equal(found.boundaries, expected.boundaries)
    for one, other in zip(found.factors, expected.factors, strict=True):
        np.testing.assert_array_equal(one, other)


def test_live_is_the_bundle_that_current_names(bundle: Path) -> None:
    assert FormerBundle.open("live", bundle.parent).directory == bundle


def test_news_are_the_rows_that_the_bundle_was_not_trained_on(
    former: FormerBundle, clusters: RatingsTable, train_table: RatingsTable, test_table: RatingsTable
) -> None:
    assert not former.is_news(train_table).any()
    assert former.is_news(test_table).all()
    assert np.count_nonzero(former.is_news(clusters)) == len(test_table)
    # Rows are found by ids, not by their places.
    other = changed(train_table, user_ids=(*train_table.user_ids[1:], "nobody before"))
    same_user = other.user_rows == 0
    assert np.count_nonzero(former.is_news(other)[same_user]) > 0
    assert former.is_news(other)[other.user_rows == len(other.user_ids) - 1].all()


def test_hyper_parameters_are_the_bundles_with_fewer_epochs_at_a_lower_rate(former: FormerBundle) -> None:
    found = former.config(TrainingConfig())
    assert 1 <= found.epochs < SMALL_CONFIG.epochs
    assert 0 < found.learning_rate < SMALL_CONFIG.learning_rate
    same = replace(SMALL_CONFIG, epochs=found.epochs, learning_rate=found.learning_rate)
    assert found == same
    asked = former.config(TrainingConfig(epochs=2, seed=8, rating_weight=0.5))
    assert (asked.epochs, asked.seed, asked.rating_weight) == (2, 8, 0.5)


def test_what_a_model_cannot_change_is_named_with_both_values(former: FormerBundle) -> None:
    with pytest.raises(ConfigurationError) as caught:
        former.config(TrainingConfig(layers=(8, 4), rating_dimension=99))
    message = str(caught.value)
    assert "layers is (8, 4), not ()" in message
    assert "rating_dimension is 99, not 8" in message
    assert "train without --warm-start" in message


def test_shares_are_of_the_last_training_in_full_however_often_it_is_learned_on(
    former: FormerBundle,
) -> None:
    first = former.config(TrainingConfig())
    dataset = former.manifest.dataset | {"warm_start": former.record()}
    second = replace(
        former,
        manifest=replace(former.manifest, dataset=dataset, hyperparameters=first.to_document()),
    )
    assert second.config(TrainingConfig()) == first
    assert former.record()["bundle_id"] == former.directory.name
    assert (former.record()["generations"], second.record()["generations"]) == (1, 2)
    assert second.record()["epochs"] == SMALL_CONFIG.epochs


def test_the_measures_of_the_last_training_in_full_are_kept_for_the_next_one(former: FormerBundle) -> None:
    metrics = former.manifest.metrics
    assert metrics is not None
    in_full = {"split": "temporal", "model": metrics["model"]}
    assert former.measured_in_full == in_full
    of_news = {"split": "news", "model": {"hit_rate_at_100": 0.9}}
    dataset = former.manifest.dataset | {"warm_start": former.record()}
    second = replace(former, manifest=replace(former.manifest, dataset=dataset, metrics=of_news))
    assert second.measured_in_full == second.record()["measured"] == in_full
    unmeasured = replace(former, manifest=replace(former.manifest, metrics={"refused": "too bad"}))
    assert unmeasured.measured_in_full is None


def test_data_of_another_kind_are_refused_with_every_reason(
    former: FormerBundle, train_table: RatingsTable
) -> None:
    former.require_same_kind(train_table)
    movies = replace(
        train_table.movies, movie_ids=tuple(f"other {each}" for each in train_table.movies.movie_ids)
    )
    other = changed(train_table, movies=movies, stars=2 * train_table.stars, has_times=False)
    with pytest.raises(DataError) as caught:
        former.require_same_kind(other)
    message = str(caught.value)
    assert "ratings are from 1 to 10, not from 0.5 to 5" in message
    assert "they have no times" in message
    assert "no movie is known: the data has other alpha-0" in message
    assert message.endswith("train without --warm-start")


def test_how_much_of_the_data_is_known_is_said(former: FormerBundle, train_table: RatingsTable) -> None:
    count = len(train_table.user_ids)
    assert f"{count} of {count} users and 85 of 85 movies" in former.in_words(train_table)
    other = changed(train_table, user_ids=(*train_table.user_ids[1:], "nobody before"))
    said = former.in_words(other)
    assert f"{count - 1} of {count} users" in said
    assert "1 of its users are gone" in said


def test_a_bundle_that_is_not_there_or_not_whole_is_an_error_of_the_option(
    bundle: Path, tmp_path: Path
) -> None:
    for asked in (str(tmp_path / "none"), "live"):
        with pytest.raises(ConfigurationError, match=f"--warm-start {asked}.*without --warm-start"):
            FormerBundle.open(asked, tmp_path)
    older = tmp_path / bundle.name
    older.mkdir()
    document = json.loads((bundle / MANIFEST_FILE).read_text(encoding="utf-8")) | {"schema_version": 3}
    document["manifest_sha256"] = document_sha256(
        {k: v for k, v in document.items() if k != "manifest_sha256"}
    )
    (older / MANIFEST_FILE).write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="expected schema_version 4, got 3"):
        FormerBundle.open(str(older), tmp_path)


def test_a_bundle_of_before_what_was_learned_was_kept_is_refused(tmp_path: Path, tiny: TinyModel) -> None:
    former = FormerBundle.open(str(write_tiny_bundle(tmp_path, tiny)), tmp_path)
    with pytest.raises(ConfigurationError, match="of an earlier version; train in full once"):
        former.warm_start()


def test_hyper_parameters_of_another_version_are_refused(former: FormerBundle) -> None:
    manifest = replace(former.manifest, hyperparameters={"attention_heads": 4})
    with pytest.raises(ConfigurationError, match=r"of another version.*attention_heads"):
        replace(former, manifest=manifest).config(TrainingConfig())


def test_the_same_data_have_the_same_scale_whatever_their_seed(former: FormerBundle) -> None:
    former.require_same_kind(two_clusters(seed=5))
