"""Assemble the commands of training; map errors and signals to exit codes."""

from __future__ import annotations

import logging
import signal
import sys

import typer

from training.cli import (
    bundle_commands,
    hyperparameter_list,
    inspect_command,
    scoring_command,
    training_commands,
    tuning_command,
)
from training.cli.progress import console
from training.errors import TrainingError
from training.experiments import experiment_commands

# What shells report of a process that a signal ended: 128 and its number. Typer exits so after Ctrl-C.
_INTERRUPTED, _TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM

app = typer.Typer(
    help="Train the two-tower model on ratings, measure it, and export bundles for the service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
training_commands.register(app)
tuning_command.register(app)
hyperparameter_list.register(app)
inspect_command.register(app)
scoring_command.register(app)
bundle_commands.register(app)
app.add_typer(experiment_commands.app, name="experiments")


def main() -> None:
    """Run a command.

    Raises:
        SystemExit: Always; a foreseen error is one line on standard error and its exit code.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # As Ctrl-C does: without this a half-written bundle would stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    try:
        app()
    except TrainingError as error:
        console.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as exiting:
        if exiting.code in {_INTERRUPTED, _TERMINATED}:
            console.print("interrupted; nothing was left half-written")
        raise
