from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_model import NUM_CANDIDATES, USER_IDS, TinyModel

from service.bundle.histories import Histories
from service.bundle.manifest import read_manifest
from service.bundle.query_tower import QueryTower
from service.bundle.stored_states import (
    STATES_FILE,
    check_stored_states,
    open_stored_states,
    write_stored_states,
)
from service.errors import BundleInconsistent


def test_states_are_those_of_the_model(artifacts: Path, tiny: TinyModel) -> None:
    directory = artifacts / "tiny-1"
    histories, manifest = Histories.open(directory, NUM_CANDIDATES), read_manifest(directory)
    assert open_stored_states(directory, manifest, len(histories)) is None
    write_stored_states(directory, num_candidates=NUM_CANDIDATES, max_history=manifest.max_history)
    listed = replace(manifest, files=manifest.files | {STATES_FILE: {"sha256": "", "bytes": 0}})
    states = open_stored_states(directory, listed, len(histories))
    assert states is not None
    for user_id, state in zip(USER_IDS, states, strict=True):
        expected = tiny.embed(user_id, tiny.seen(user_id, []), None)
        np.testing.assert_array_equal(state[: len(expected)], expected)
    with pytest.raises(BundleInconsistent, match="expected states of 9 users"):
        open_stored_states(directory, listed, 9)


def test_states_of_another_model_are_refused(artifacts: Path) -> None:
    directory = artifacts / "tiny-1"
    histories, tower = Histories.open(directory, NUM_CANDIDATES), QueryTower.open(directory)
    states = tower.read_stored(histories, np.arange(len(histories)), 512)
    check_stored_states(directory, states, tower, histories, 512)
    for row in (0, len(histories) - 1):
        wrong = states.copy()
        wrong[row] += 0.5
        with pytest.raises(BundleInconsistent, match=r"query_states.npy: expected the states that the model"):
            check_stored_states(directory, wrong, tower, histories, 512)
