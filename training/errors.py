"""What can stop a training command, each with the exit code of the process.

Exception
└── TrainingError      1  anything a training command gives up for
    ├── DataError      2  ratings are not what they should be: names file, line and reason
    ├── ConfigurationError 2  a hyper-parameter cannot be what it was set to
    ├── TrainingDiverged 1  a loss is no longer a finite number
    ├── BaselineError  1  a baseline in an environment of its own did not answer
    ├── ExportError    1  the bundle did not stand up to its checks; CURRENT was not changed
    ├── AnotherTraining 3 one is at work in the same artifacts; nothing was done
    ├── ShelfError     1  a bundle is not whole, or there is none to go back to
    └── SourceError    1  ratings cannot be had: a failed download, a package that is not installed
"""

from __future__ import annotations

from typing import ClassVar


class TrainingError(Exception):
    """A training command cannot go on; its message says why and how to fix it, in one line."""

    exit_code: ClassVar[int] = 1


class DataError(TrainingError):
    """The ratings, or the words that name them, are wrong. Nothing has been written."""

    exit_code: ClassVar[int] = 2

    @classmethod
    def at(cls, file: str, line: int, reason: str) -> DataError:
        """An error in one line of a file.

        Args:
          file: the file as the user knows it.
          line: its line, the first being 1.
          reason: what was expected, what came, how to fix it.
        """
        return cls(f"{file} line {line}: {reason}")


class SourceError(TrainingError):
    """A source of ratings does not answer or is not installed."""


class ConfigurationError(TrainingError):
    """A hyper-parameter cannot be what it was set to; the message names it."""

    exit_code: ClassVar[int] = 2


class TrainingDiverged(TrainingError):
    """A loss is no longer a finite number; no bundle has been written."""


class BaselineError(TrainingError):
    """A baseline that runs in an environment of its own did not answer."""


class ExportError(TrainingError):
    """The bundle did not stand up to its checks; CURRENT was not changed."""


class AnotherTraining(TrainingError):
    """Another training writes to the same artifacts; nothing was done."""

    exit_code: ClassVar[int] = 3


class ShelfError(TrainingError):
    """A bundle is not whole, or there is none to go back to."""
