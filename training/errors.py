"""Errors that end a training command, each with the exit code of the process.

Exception
└── TrainingError      1  anything a training command gives up for
    ├── DataError      2  ratings are not as expected: names file, line and reason
    │   └── NothingHeldOut 2  a split leaves too few ratings to train or to measure on
    ├── ConfigurationError 2  a hyper-parameter cannot be what it was set to
    ├── TrainingDiverged 1  a loss is no longer a finite number
    ├── BaselineError  1  a baseline in an environment of its own failed
    ├── ExportError    1  a bundle cannot be written, or failed a check; CURRENT was not changed
    ├── BundleRefused  4  a bundle was kept from going live, for its quality is too low
    ├── Forgotten      5  a user was forgotten while it was trained on: the bundle was discarded
    ├── AnotherTraining 3 another training holds the lock of the artifacts; nothing was done
    ├── ScoringError   1  lists cannot be written; what was finished is kept for the same command to go on
    ├── BundleCommandError 1  a command about bundles cannot be done: a file is wrong, none is previous
    ├── ClusterError   1  a Ray cluster is not there, or was lost; names how to go on
    └── SourceError    1  no ratings: a failed download, a package that is not installed
"""

from __future__ import annotations

from typing import ClassVar


class TrainingError(Exception):
    """A training command must end; the message says why and how to fix it, in one line."""

    exit_code: ClassVar[int] = 1


class DataError(TrainingError):
    """The ratings or their source's name are wrong. Nothing has been written."""

    exit_code: ClassVar[int] = 2

    @classmethod
    def at(cls, file: str, line: int, reason: str) -> DataError:
        """Describe an error in one line of a file.

        Args:
            file: The file's name as it was given.
            line: Its line, the first being 1.
            reason: What was expected, what came, how to fix it.
        """
        return cls(f"{file} line {line}: {reason}")


class NothingHeldOut(DataError):
    """A split leaves too few ratings to train or to measure on; all of them can still be trained on."""


class SourceError(TrainingError):
    """A source of ratings cannot be reached or is not installed."""


class ConfigurationError(TrainingError):
    """An option or hyper-parameter has a value that cannot be used; the message names it."""

    exit_code: ClassVar[int] = 2


class TrainingDiverged(TrainingError):
    """A loss is no longer a finite number; no bundle has been written."""


class ClusterError(TrainingError):
    """A Ray cluster cannot be reached, is too small or was lost; no bundle has been written."""


class BaselineError(TrainingError):
    """A baseline that runs in an environment of its own failed."""


class ExportError(TrainingError):
    """A bundle cannot be written, or failed a check; CURRENT was not changed."""


class BundleRefused(TrainingError):
    """A bundle was written but kept from going live, for its quality is too low; CURRENT was not changed."""

    exit_code: ClassVar[int] = 4


class Forgotten(TrainingError):
    """A user was forgotten while the model was trained on them: the bundle was discarded."""

    exit_code: ClassVar[int] = 5


class AnotherTraining(TrainingError):
    """Another training holds the lock of the same artifacts; nothing was done."""

    exit_code: ClassVar[int] = 3


class ScoringError(TrainingError):
    """Lists cannot be written; finished parts are kept, and the same command goes on from them."""


class BundleCommandError(TrainingError):
    """A command about bundles cannot be done: a file is wrong, or there is no previous bundle."""
