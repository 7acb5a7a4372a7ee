"""The finished parts of a run, kept beside its output until that is whole, so that a killed run can go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from service.bundle.disk import sync
from service.bundle.json_files import write_json
from service.bundle.locks import exclusive
from training.errors import ScoringError
from training.scoring.lists_table import ParquetWriter, Table, read_part, write_part

_FORMAT = 1


@dataclass(frozen=True)
class RunIdentity:
    """All that decides the content of a run's parts; a run goes on only where this is the same.

    Attributes:
        bundle_id, manifest_sha256: Of the bundle.
        users_sha256: Of the rows of the users, in their order.
        k: Most movies of a list.
        exclude_seen: Whether histories are left out.
        users_per_part: Of all parts but the last.
        format: Of the files.
    """

    bundle_id: str
    manifest_sha256: str
    users_sha256: str
    k: int
    exclude_seen: bool
    users_per_part: int
    format: int = _FORMAT


class PartFiles:
    """Parts by number, each in a file of its own, and the output that is made of them.

    Made by `open`.
    """

    def __init__(self, output: Path, directory: Path) -> None:
        self._output = output
        self._directory = directory

    @classmethod
    @contextmanager
    def open(cls, output: Path, identity: RunIdentity) -> Iterator[PartFiles]:
        """Take up what a run of this identity left, or begin anew; no other run writes `output` meanwhile.

        Args:
            output: The Parquet file.
            identity: Of this run. Parts of another one are removed.

        Raises:
            ScoringError: Another process writes the same output, or something cannot be written.
        """
        directory = output.with_name(f".{output.name}.parts")
        with _as_scoring_error(output):
            output.parent.mkdir(parents=True, exist_ok=True)
        try:
            with exclusive(output.with_name(f".{output.name}.lock"), wait=False), _as_scoring_error(output):
                _prepare(directory, identity)
                yield cls(output, directory)
        except BlockingIOError as error:
            raise ScoringError(
                f"{output}: another process is writing it; wait for that, or name another with --output"
            ) from error

    def has(self, number: int) -> bool:
        """Whether a part is finished."""
        return self._path(number).exists()

    def read(self, number: int) -> Table:
        """A finished part."""
        return read_part(self._path(number))

    def keep(self, number: int, table: Table) -> None:
        """Write a finished part; safe to be called by several threads."""
        write_part(self._path(number), table)

    @contextmanager
    def writing_output(self) -> Iterator[ParquetWriter]:
        """Write the output, which takes its place whole where the block succeeds; then remove the parts."""
        # Among the parts, where the next run finds it in place of this one's if this one is killed.
        whole = self._directory / "output.parquet"
        with ParquetWriter.open(whole) as writer:
            yield writer
        sync(whole)
        whole.replace(self._output)
        sync(self._output.parent)
        shutil.rmtree(self._directory)

    def _path(self, number: int) -> Path:
        return self._directory / f"part-{number:06d}.arrow"


def _prepare(directory: Path, identity: RunIdentity) -> None:
    path = directory / "run.json"
    wanted = asdict(identity)
    try:
        is_same = json.loads(path.read_bytes()) == wanted
    except (OSError, ValueError):
        is_same = False
    if not is_same and directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(exist_ok=True)
    for left in directory.glob(".part-*"):  # half-written by a process that was killed
        left.unlink()
    write_json(path, wanted)


@contextmanager
def _as_scoring_error(output: Path) -> Iterator[None]:
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ScoringError(
            f"{error.filename or output}: cannot be written: {reason}; finished parts are kept, the same "
            "command goes on from them"
        ) from error
