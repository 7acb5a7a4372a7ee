import dataclasses
import json
from pathlib import Path

import pytest
from synthetic_ratings import table_of

from training.config import TrainingConfig
from training.errors import ExportError
from training.evaluation import cached_results as records
from training.evaluation.cached_results import EvaluationRecords

TABLE = table_of([("1", "a", 3.0, 0), ("1", "b", 4.0, 1)])
OTHER_STARS = table_of([("1", "a", 3.0, 0), ("1", "b", 5.0, 1)])
CONFIG = TrainingConfig(seed=1)


def test_what_is_added_is_there_for_any_seed_beside_what_was(tmp_path: Path) -> None:
    artifacts = tmp_path / "new" / "artifacts"
    EvaluationRecords(artifacts, TABLE, CONFIG).add(
        "temporal", {"ablation": {"joint": {}}, "model": {"rmse": 2}}
    )
    EvaluationRecords(artifacts, TABLE, CONFIG).add("temporal", {"model": {"rmse": 1.0}})
    again = EvaluationRecords(artifacts, TABLE, dataclasses.replace(CONFIG, seed=9))
    assert again.read("temporal") == {"ablation": {"joint": {}}, "model": {"rmse": 1.0}}
    assert again.read("random") == {}
    [file] = (artifacts / "evaluation").iterdir()
    assert file.name.startswith("temporal-")


def test_other_data_hyper_parameters_code_or_libraries_are_another_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    EvaluationRecords(tmp_path, TABLE, CONFIG).add("random", {"model": {}})
    assert EvaluationRecords(tmp_path, TABLE, CONFIG).read("random")
    assert not EvaluationRecords(tmp_path, OTHER_STARS, CONFIG).read("random")
    assert not EvaluationRecords(tmp_path, TABLE, dataclasses.replace(CONFIG, epochs=3)).read("random")
    for name, other in (("code_sha256", "0"), ("library_versions", {"keras": "4"})):
        with monkeypatch.context() as changed:
            changed.setattr(records, name, lambda other=other: other)
            assert not EvaluationRecords(tmp_path, TABLE, CONFIG).read("random")


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", '{"model": {}}', "\x00"])
def test_a_damaged_record_is_as_none(tmp_path: Path, damaged: str) -> None:
    kept = EvaluationRecords(tmp_path, TABLE, CONFIG)
    kept.add("random", {"model": {}})
    [file] = (tmp_path / "evaluation").iterdir()
    file.write_text(damaged, encoding="utf-8")
    assert kept.read("random") == {}
    kept.add("random", {"model": {"rmse": 1.0}})
    assert json.loads(file.read_text(encoding="utf-8"))["model"] == {"rmse": 1.0}


def test_a_record_that_cannot_be_written_is_one_line_and_leaves_the_old_one(tmp_path: Path) -> None:
    kept = EvaluationRecords(tmp_path, TABLE, CONFIG)
    (tmp_path / "evaluation").write_text("a file", encoding="utf-8")
    with pytest.raises(ExportError, match="cannot be written"):
        kept.add("random", {"model": {}})
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation"]
