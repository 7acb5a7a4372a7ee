from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from synthetic_ratings import SMALL_CONFIG

from training.cli.fit_progress import fit_stage
from training.errors import ConfigurationError

LOSSES = {"loss": 5.25, "retrieval_loss": 5.0, "rating_loss": 0.25, "learning_rate": 0.001}
HELD_OUT = {"held_out_hit_rate_at_100": 0.5, "held_out_ndcg_at_10": 0.125, "held_out_rmse": 0.75}


def events(run: Path) -> Iterator[Any]:
    for path in run.iterdir():
        for record in tf.data.TFRecordDataset(str(path)):
            yield tf.compat.v1.Event.FromString(record.numpy())


def test_losses_and_what_is_held_out_are_shown_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    with fit_stage("Train", SMALL_CONFIG, None) as (_, on_epoch):
        on_epoch(4, LOSSES | HELD_OUT)
        on_epoch(5, LOSSES | {"loss": 4.0})
    shown = capsys.readouterr().err
    assert "rating 0.250; held out: HR@100 0.500  NDCG@10 0.125  RMSE 0.750\n" in shown
    assert (
        "epoch 5 of 30: loss 4.000  retrieval 5.000  rating 0.250; "
        "held out after epoch 4: HR@100 0.500  NDCG@10 0.125  RMSE 0.750\n"
    ) in shown


def test_what_another_training_of_the_stage_held_out_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with fit_stage("Train", SMALL_CONFIG, None) as (_, on_epoch):
        on_epoch(8, LOSSES | HELD_OUT)
        on_epoch(5, LOSSES)
    assert "epoch 5 of 30: loss 5.250  retrieval 5.000  rating 0.250\n" in capsys.readouterr().err


def test_every_figure_is_in_the_event_files_of_its_run(tmp_path: Path) -> None:
    for stage in ("Train on every rating", "Train and measure"):
        with fit_stage(stage, SMALL_CONFIG, tmp_path / "logs") as (_, on_epoch):
            on_epoch(1, LOSSES)
            on_epoch(2, LOSSES | HELD_OUT)
    runs = sorted((tmp_path / "logs").iterdir(), key=lambda run: len(run.name))
    assert [run.name.partition(" ")[2] for run in runs] == [
        "Train and measure, seed 3",
        "Train on every rating, seed 3",
    ]
    found = {
        (event.step, value.tag): (
            float(tf.make_ndarray(value.tensor)),
            value.metadata.plugin_data.plugin_name,
        )
        for event in events(runs[0])
        for value in event.summary.value
    }
    expected = {(1, name): value for name, value in LOSSES.items()}
    expected |= {(2, name): value for name, value in (LOSSES | HELD_OUT).items()}
    assert {at: value for at, (value, _) in found.items()} == pytest.approx(expected)
    assert {plugin for _, plugin in found.values()} == {"scalars"}


def test_logs_that_cannot_be_written_are_an_error_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with (
        pytest.raises(ConfigurationError, match=r"--tensorboard .*file: cannot be written"),
        fit_stage("Train", SMALL_CONFIG, tmp_path / "file"),
    ):
        pytest.fail("it began")
