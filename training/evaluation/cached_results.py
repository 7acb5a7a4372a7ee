"""Cache the results of `evaluate` beside the bundles, for the report of the next `fit`."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import training
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.export.artifacts import make_artifacts, writing
from training.export.saved_model import library_versions

RECORDS_DIRECTORY = "evaluation"
"""Directory within the artifacts; the service does not read it, and it may be deleted at any time."""


class EvaluationRecords:
    """Cached results for given ratings and hyper-parameters, one record for each split.

    A record is a file `evaluation/<split>-<hash>.json`. It is valid for the same data, hyper-parameters
    except the seed, code of this package and libraries.
    """

    def __init__(self, artifacts: Path, table: RatingsTable, config: TrainingConfig) -> None:
        self._artifacts = artifacts
        hyperparameters = config.to_document()
        del hyperparameters["seed"]
        self._holds_for = {
            "dataset_sha256": table.sha256,
            "hyperparameters": hyperparameters,
            "code_sha256": code_sha256(),
            "libraries": library_versions(),
        }

    def read(self, split: str) -> dict[str, Any]:
        """Read the record of a split; empty where there is none."""
        try:
            record = json.loads(self._path(split).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(record, dict) or record.pop("holds_for", None) != self._holds_for:
            return {}
        return record

    def add(self, split: str, parts: dict[str, Any]) -> None:
        """Add parts to the record of a split, or replace them, atomically.

        Raises:
            ExportError: The record cannot be written.
        """
        path = self._path(split)
        record = {"holds_for": self._holds_for} | self.read(split) | parts
        beside = path.with_name(f".{path.name}-{os.getpid()}")
        with writing(self._artifacts):
            make_artifacts(self._artifacts)
            path.parent.mkdir(exist_ok=True)
            try:
                beside.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)

    def _path(self, split: str) -> Path:
        digest = hashlib.sha256(json.dumps(self._holds_for, sort_keys=True).encode()).hexdigest()
        return self._artifacts / RECORDS_DIRECTORY / f"{split}-{digest[:8]}.json"


def code_sha256() -> str:
    """Hash the code of this package."""
    package = Path(training.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
