"""Print and write what a search has found: the best trials, the best configuration, the report."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from service.bundle.disk import replacing
from service.bundle.json_files import write_json
from training.cli.progress import console, results
from training.config import TrainingConfig
from training.errors import ConfigurationError
from training.tuning.search_space import Searched
from training.tuning.trial_record import TrialRecord, Trials
from training.tuning.tuning_page import tuning_page
from training.tuning.tuning_table import percent, tuning_table


class SearchResults:
    """Files beside a study: `<its name>-best.json`, for `fit --config`, and `<its name>.html`, the report.

    Args:
        study: The study's file.
        summary: What was searched on.
        config: What trials begin with.
        searched: The search space.
        command: Of `fit`, to which `--config` is added.
    """

    def __init__(
        self, study: Path, summary: str, config: TrainingConfig, searched: Sequence[Searched], *, command: str
    ) -> None:
        self._study, self._summary, self._command = study, summary, command
        self._config, self._searched = config, searched
        self._best = study.with_name(f"{study.stem}-best.json")
        self._page = study.with_name(f"{study.stem}.html")

    def write(self, trials: Trials) -> None:
        """Replace both files, each whole; nothing is written while no trial is complete.

        Raises:
            ConfigurationError: They cannot be written.
        """
        if not trials.complete:
            return
        page = tuning_page(self._summary, trials, self._searched, _sentences(trials))
        try:
            write_json(self._best, _config_of(trials.complete[0], self._config).to_document(), indent=2)
            with replacing(self._page) as temporary:
                temporary.write_text(page, encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(
                f"--study {self._study}: the report beside it cannot be written: {error.strerror}"
            ) from error

    def show(self, trials: Trials) -> None:
        """Print the best trials, and how to train with the best."""
        if not trials.complete:
            console.print("No trial is complete yet: the same command goes on.")
            return
        head, rows = tuning_table(trials)
        printed = Table(title=f"{len(trials.ended)} trials")
        for at, name in enumerate(head):
            printed.add_column(name, justify="right" if at else "left", no_wrap=True)
        for row in rows:
            printed.add_row(*row)
        results.print(printed)
        for line in (*_sentences(trials), f"Report: {self._page}"):
            results.print(line, markup=False, soft_wrap=True)
        train = f"{self._command} --config {shlex.quote(str(self._best))}"
        results.print(f"Train with:\n  {train}", markup=False, soft_wrap=True)


def _config_of(trial: TrialRecord, config: TrainingConfig) -> TrainingConfig:
    outcome = trial.outcome
    trained = replace(config, **trial.parameters, epochs=outcome.epochs)
    return replace(trained, retrieval_share=outcome.retrieval_share, rating_share=outcome.rating_share)


def _sentences(trials: Trials) -> list[str]:
    best = trials.complete[0]
    gain = trials.gain(best.outcome.quality)
    if best.is_default:
        found = "No trial is better than the defaults."
    elif gain is None:
        found = f"Trial {best.number} is the best; the defaults diverged."
    else:
        found = (
            f"Trial {best.number} is {percent(gain)} against the defaults on the validation rows, which "
            "chose it; fit measures it on the test rows."
        )
    counts = {
        "complete": len(trials.complete),
        "stopped early, below the median": trials.count("stopped"),
        "diverged": trials.count("diverged"),
        "interrupted": trials.count("interrupted"),
    }
    ended = ", ".join(f"{count} {how}" for how, count in counts.items() if count)
    return [found, f"Trials: {ended}."]
