from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_ratings import SMALL_CONFIG, two_clusters

from training.distributed.fit_checkpoint import restore_checkpoint, write_checkpoint
from training.model.epoch_record import EpochRecord
from training.model.fitting import PreparedFit, prepare_fit

BRIEFLY = replace(SMALL_CONFIG, epochs=3, batch_size=60)


def prepared() -> PreparedFit:
    return prepare_fit(two_clusters(), BRIEFLY)


def record(fit: PreparedFit) -> EpochRecord:
    return EpochRecord(fit.trained, None, None, 5, None)


class Killed(Exception):
    """What ends a training after an epoch."""


@pytest.mark.usefixtures("eagerly")
def test_a_training_goes_on_from_a_checkpoint_as_if_it_had_not_been_interrupted(tmp_path: Path) -> None:
    whole = prepared()
    whole.run([record(whole)])

    interrupted = prepared()

    def stop_after_two(epoch: int, _figures: dict[str, float]) -> None:
        if epoch == 2:
            write_checkpoint(interrupted, epoch, tmp_path)
            raise Killed

    with pytest.raises(Killed):
        interrupted.run([EpochRecord(interrupted.trained, stop_after_two, None, 5, None)])

    resumed = prepared()
    done = restore_checkpoint(resumed, tmp_path)
    assert done == 2
    assert {len(losses) for losses in resumed.trained.losses.values()} == {2}
    resumed.run([record(resumed)], epochs_done=done)
    assert resumed.trained.losses == whole.trained.losses
    for mine, its in zip(resumed.trained.model.weights, whole.trained.model.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), its.numpy())
