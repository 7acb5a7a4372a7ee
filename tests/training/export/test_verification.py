import json
import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny_bundle import seal

from service.bundle.candidate_index import CANDIDATES_FILE
from service.bundle.catalogue import CATALOGUE_FILE
from service.errors import BundleCorrupt
from training.errors import ExportError
from training.export.verification import verify, verify_in_fresh_process
from training.model.trained_model import TrainedModel


@pytest.fixture(scope="module")
def expected(bundle: Path, trained: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the training process hands over, kept from the directory that it would delete."""
    kept = tmp_path_factory.mktemp("verification") / "expected"

    def keep(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[-2] == str(bundle)
        shutil.copytree(command[-1], kept)
        return subprocess.CompletedProcess(command, 0, "", "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "run", keep)
        verify_in_fresh_process(bundle, trained)
    return kept


@pytest.fixture
def spoilt(expected: Path, tmp_path: Path) -> Path:
    """A copy of `expected` for the test to spoil."""
    return Path(shutil.copytree(expected, tmp_path / "expected"))


def change(directory: Path, name: str, by: float) -> None:
    """Adds a difference to one number of what is expected."""
    with np.load(directory / "expected.npz") as loaded:
        arrays: dict[str, Any] = dict(loaded)
    arrays[name][-1, 0] += by
    np.savez(directory / "expected.npz", **arrays)


def test_a_bundle_agrees_with_the_model_that_it_came_from(bundle: Path, expected: Path) -> None:
    verify(bundle, expected)


@pytest.mark.parametrize(
    ("name", "by", "complaint"),
    [
        ("query_embeddings", 7e-5, r"query embeddings differ by [67]\.\d+e-05, expected at most [1-3]e-05"),
        ("ratings", 3e-4, r"predicted ratings differ by [23]\.\d+e-04, expected at most 1e-04"),
        ("ratings", math.nan, "predicted ratings differ by nan"),
        ("candidates", 7e-5, r"candidate embeddings differ by [67]\.\d+e-05"),
    ],
)
def test_an_answer_that_differs_is_refused_saying_by_how_much(
    bundle: Path, spoilt: Path, name: str, by: float, complaint: str
) -> None:
    change(spoilt, name, by)
    with pytest.raises(ExportError, match=complaint):
        verify(bundle, spoilt)


def test_answers_of_another_shape_are_refused(bundle: Path, spoilt: Path) -> None:
    with np.load(spoilt / "expected.npz") as loaded:
        arrays: dict[str, Any] = dict(loaded)
    np.savez(spoilt / "expected.npz", **arrays | {"candidates": arrays["candidates"][:-1]})
    with pytest.raises(ExportError, match=r"candidate embeddings have shape \(85, 17\), expected \(84, 17\)"):
        verify(bundle, spoilt)


def test_differences_that_may_come_of_rounding_are_allowed(bundle: Path, spoilt: Path) -> None:
    change(spoilt, "query_embeddings", 5e-6)
    change(spoilt, "ratings", 5e-5)
    verify(bundle, spoilt)


def test_serving_default_with_another_order_of_movies_is_refused(
    bundle: Path, expected: Path, tmp_path: Path
) -> None:
    """As of a model whose ids are in another order than the catalogue's."""
    spoilt = Path(shutil.copytree(bundle, tmp_path / bundle.name))
    catalogue = json.loads((spoilt / CATALOGUE_FILE).read_text(encoding="utf-8"))
    catalogue["movie_ids"].reverse()
    (spoilt / CATALOGUE_FILE).write_text(json.dumps(catalogue), encoding="utf-8")
    seal(spoilt)
    with pytest.raises(ExportError, match="serving_default's top-k holds other movies: a score is off by"):
        verify(spoilt, expected)


def test_serving_default_that_knows_other_users_is_refused(bundle: Path, spoilt: Path) -> None:
    users = json.loads((spoilt / "user_ids.json").read_text(encoding="utf-8"))
    (spoilt / "user_ids.json").write_text(json.dumps(users[::-1]), encoding="utf-8")
    with pytest.raises(ExportError, match="serving_default's top-k"):
        verify(bundle, spoilt)


def test_a_file_that_is_not_what_the_manifest_says_is_refused(
    bundle: Path, expected: Path, tmp_path: Path
) -> None:
    spoilt = Path(shutil.copytree(bundle, tmp_path / bundle.name))
    with (spoilt / CANDIDATES_FILE).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(BundleCorrupt, match=CANDIDATES_FILE):
        verify(spoilt, expected)


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("Traceback ...\ntraining.errors.ExportError: top-k holds others\n\n", "top-k holds others"),
        ("", "exit code -9"),
    ],
)
def test_a_process_that_fails_is_an_export_error_with_its_last_words(
    bundle: Path, trained: TrainedModel, monkeypatch: pytest.MonkeyPatch, stderr: str, reason: str
) -> None:
    def fail(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, -9, "", stderr)

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(ExportError, match=rf"{bundle.name} does not answer .* memory does: .*{reason}$"):
        verify_in_fresh_process(bundle, trained)


def test_a_model_that_is_not_needed_any_more_is_freed_before_the_fresh_process_begins(
    bundle: Path, make_model: Callable[..., TrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model()
    freed = model.model.candidate_tower.learned()["ids"].variable.value
    values: list[int] = []

    def look(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        values.append(int(tf.size(tf.raw_ops.ReadVariableOp(resource=freed.handle, dtype=freed.dtype))))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", look)
    verify_in_fresh_process(bundle, model)
    verify_in_fresh_process(bundle, model, keep_model=False)
    assert values[0] > 0
    assert values[1] == 0
