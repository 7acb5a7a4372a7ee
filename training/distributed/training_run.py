"""The directory of a training on several machines: its table, its checkpoints, what has happened."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.data.table_files import open_table, write_table
from training.errors import DataError
from training.export.artifacts import writing

_FINISHED = "finished"


@dataclass(frozen=True)
class TrainingRun:
    """Where all workers of one training read and write; every machine must have it under the same path.

    Its name tells data, hyper-parameters and code: the same training, begun again, finds its checkpoints.

    Attributes:
        directory: Absolute.
    """

    directory: Path

    @classmethod
    def of(cls, runs: Path, table: RatingsTable, config: TrainingConfig) -> TrainingRun:
        """Find or begin the training of a table.

        Args:
            runs: The directory of all runs.
            table: To train on; written into the directory, for the workers.
            config: Hyper-parameters.

        Raises:
            ExportError: The directory cannot be written to.
        """
        from training.evaluation.cached_results import code_sha256  # noqa: PLC0415 imports TensorFlow

        identity = json.dumps([table.sha256, table.name, config.to_document(), code_sha256()])
        run = cls(runs.absolute() / hashlib.sha256(identity.encode()).hexdigest()[:16])
        try:
            open_table(run.table)
        except DataError:
            with writing(runs):
                write_table(table, run.table)
        return run

    @property
    def table(self) -> Path:
        """Directory of the table."""
        return self.directory / "table"

    @property
    def checkpoints(self) -> Path:
        """Directory of checkpoints, Ray Train's."""
        return self.directory / "checkpoints"

    @property
    def events(self) -> Path:
        """What has happened since the command began, a JSON object a line; on the driver's machine."""
        return self.directory / "events.jsonl"

    @property
    def messages(self) -> Path:
        """What Ray has printed, on the driver's machine."""
        return self.directory / "ray.log"

    def clear_events(self) -> None:
        """Forget what happened in former attempts."""
        self.events.write_text("", encoding="utf-8")

    def add_event(self, event: dict[str, Any]) -> None:
        """Add what has happened."""
        with self.events.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")

    def events_from(self, offset: int) -> Iterator[tuple[dict[str, Any], int]]:
        """Read events that are complete, each with the offset of the next."""
        with self.events.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                yield json.loads(line), offset

    def finish(self) -> None:
        """Note that the training came to its end."""
        (self.directory / _FINISHED).touch()


def remove_finished_runs(runs: Path) -> None:
    """Remove the runs that came to their end, and the directory if no other is in it."""
    if not runs.is_dir():
        return
    for finished in runs.glob(f"*/{_FINISHED}"):
        shutil.rmtree(finished.parent, ignore_errors=True)
    if not any(runs.iterdir()):
        runs.rmdir()
