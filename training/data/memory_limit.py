"""How much memory a training needs, and where ratings are kept so that it has enough."""

from __future__ import annotations

import math
import re
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.config import TrainingConfig
from training.data.column_storage import MappedColumns, kept_in
from training.data.table import RatingsTable
from training.errors import ConfigurationError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B?)", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}
_GIB = 2**30

# Anonymous memory, measured on synthetic tables (docs/scale.md), with the processes that verify a bundle.
_BASE = 900 * 2**20
_MAPPED_PER_RATING, _COLUMNS_PER_RATING = 60, 70
_TABLES = 5  # weights, two moments, copies: of export, of the fresh process
_TEXT_PER_USER, _TEXT_PER_MOVIE = 400, 2_000
_LOGITS = 8  # copies of users x candidates in a step


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes that a training needs at most, with the processes that it starts.

    Attributes:
        in_memory: With ratings, histories and the parts of splits in memory.
        mapped: With those mapped from files, of which the kernel keeps what it has room for.
    """

    in_memory: int
    mapped: int

    @classmethod
    def of(cls, ratings: int, users: int, movies: int, config: TrainingConfig) -> MemoryNeed:
        """Estimate it.

        Args:
            ratings: How many there are.
            users: Likewise.
            movies: Likewise.
            config: What is trained.
        """
        rows = users + 3 * movies  # ids, presence, preference
        columns_of_movies = config.rating_dimension + config.added_factors  # rating vectors, constants
        tables = 4 * _TABLES * (config.embedding_dimension * rows + columns_of_movies * movies)
        batch = config.batch_size or 512
        columns = min(movies, config.full_softmax_candidates)
        step = 4 * _LOGITS * batch * columns
        text = _TEXT_PER_USER * users + _TEXT_PER_MOVIE * movies
        mapped = _BASE + tables + step + text + _MAPPED_PER_RATING * ratings
        return cls(mapped + _COLUMNS_PER_RATING * ratings, mapped)


def _peak_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@dataclass(frozen=True)
class MemoryLimit:
    """What a training may take.

    Attributes:
        num_bytes: Anonymous memory of its process and those that it starts.
        directory: On a disk, for files in which ratings are kept.
        config: What is trained.
        taken: How many bytes the process has taken at most until now.
    """

    num_bytes: int
    directory: Path
    config: TrainingConfig
    taken: Callable[[], int] = _peak_bytes

    @classmethod
    def parse(cls, text: str, directory: Path, config: TrainingConfig) -> MemoryLimit:
        """Read a size such as 4GiB, 4G or 4096MB; all are powers of 1,024.

        Raises:
            ConfigurationError: It cannot be read.
        """
        match = _SIZE.fullmatch(text.strip())
        if match is None or not float(match[1]):
            raise ConfigurationError(f"--memory: expected a size such as 4GiB or 900MiB, got {text!r}")
        return cls(int(float(match[1]) * 1024 ** _POWERS[match[2][0].upper()]), directory, config)

    def placed(self, table: RatingsTable) -> RatingsTable:
        """Return the table as it is where memory is enough, else with its columns mapped from files.

        Raises:
            ConfigurationError: It is not enough then either, or reading the ratings took more.
        """
        if isinstance(table.allocate, MappedColumns):
            return table
        need = self.require(table, self.config)
        if need.in_memory <= self.num_bytes:
            return table
        taken = self.taken()
        if taken > self.num_bytes:
            raise ConfigurationError(
                f"--memory: reading {table.name} took {_in_gib(taken)}, got {_in_gib(self.num_bytes)}: "
                "allow as much"
            )
        self.directory.mkdir(parents=True, exist_ok=True)
        return kept_in(table, MappedColumns(self.directory))

    def require(self, table: RatingsTable, config: TrainingConfig) -> MemoryNeed:
        """Return what training needs; for some data wider embeddings are chosen than were asked for.

        Raises:
            ConfigurationError: It is more than there is, with mapped files too.
        """
        need = MemoryNeed.of(len(table), table.num_users, table.num_movies, config)
        if need.mapped > self.num_bytes:
            raise ConfigurationError(
                f"--memory: {table.name} needs {_in_gib(need.mapped)} with its ratings in mapped files "
                f"({_in_gib(need.in_memory)} with them in memory) at {config.embedding_dimension} dimensions"
                f", got {_in_gib(self.num_bytes)}: allow as much"
            )
        return need


def _in_gib(num_bytes: int) -> str:
    """Rounded up, so that what is named is enough."""
    return f"{math.ceil(10 * num_bytes / _GIB) / 10:.1f} GiB"
