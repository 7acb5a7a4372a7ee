"""Train with one choice of hyper-parameters, and measure it on validation rows."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import keras

from training.config import TrainingConfig
from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.errors import ConfigurationError, NothingHeldOut, TrainingDiverged
from training.evaluation.held_out import hold_out
from training.evaluation.starting_choice import choose_starts
from training.evaluation.validated_fit import GiveUp, ValidatedFit, fit_while_better
from training.model.adaptation import adapt
from training.model.epoch_record import OnEpoch
from training.tuning.search_space import searched_on
from training.tuning.trial_record import Outcome


class TrialTraining:
    """Trains on a part of the training rows and measures on the rest, as the choice of the training length.

    Attributes:
        config: What trials begin with.
        held_out: The rows that are trained on, and the validation rows.
        searched: The hyper-parameters to search on these rows.
    """

    def __init__(
        self, train: RatingsTable, split: str, config: TrainingConfig, measures: Collection[str]
    ) -> None:
        """Split the training rows.

        Args:
            train: Training rows; no test row is among them.
            split: How the test rows were held out, and the validation rows are.
            config: What trials begin with; its `epochs`, if not 0, are the most that a trial takes.
            measures: What counts, see `quality`.

        Raises:
            NothingHeldOut: There are too few rows.
            ConfigurationError: Only ratings count, and there are none.
        """
        if tuple(measures) == ("rmse",) and train.rating_scale is None:
            raise ConfigurationError(
                f"--objective rmse: {train.name} has watches without ratings; take ndcg_at_10 or another"
            )
        try:
            self.held_out = hold_out(train, split_by_name(train, split))
        except NothingHeldOut as error:
            raise NothingHeldOut(
                f"{train.name}: too few ratings to search with: of {len(train)} training ratings the {split} "
                "split leaves none to validate on; take another --split, or train with the defaults"
            ) from error
        self.config = choose_starts(self.held_out, adapt(config, self.held_out.train))[0].apply(config)
        # A value outside, such as 0 for "off", was asked for, and stays.
        self.searched = tuple(
            one for one in searched_on(self.held_out) if one.low <= getattr(self.config, one.name) <= one.high
        )
        self._train, self._measures = train, measures

    @property
    def most_epochs(self) -> int:
        """How many epochs a trial takes at most."""
        return adapt(self.config, self.held_out.train).epochs

    def defaults(self) -> dict[str, Any]:
        """Return the values of the searched hyper-parameters that trials begin with."""
        return {one.name: getattr(self.config, one.name) for one in self.searched}

    def measure(
        self,
        values: Mapping[str, Any],
        give_up: GiveUp,
        on_epoch: OnEpoch | None = None,
    ) -> Outcome:
        """Train with the values of hyper-parameters.

        Args:
            values: By name.
            give_up: Given the number and the quality of each validation, whether to end the training.
            on_epoch: Called after every epoch.
        """
        started = time.perf_counter()
        config = replace(self.config, **values)
        is_stopped = False

        def watch(step: int, found: float) -> bool:
            nonlocal is_stopped
            is_stopped = give_up(step, found)
            return is_stopped

        try:
            fitted = self._fit(config, on_epoch, watch)
        except TrainingDiverged:
            return Outcome("diverged", seconds=time.perf_counter() - started)
        return Outcome(
            "stopped" if is_stopped else "complete",
            fitted.quality,
            fitted.figures,
            fitted.share,
            max(1, round(fitted.share * adapt(config, self._train).epochs)),
            fitted.retrieval_share,
            fitted.rating_share,
            round(time.perf_counter() - started, 2),
        )

    def _fit(self, config: TrainingConfig, on_epoch: OnEpoch | None, watch: GiveUp) -> ValidatedFit:
        adapted = adapt(config, self.held_out.train)
        try:
            return fit_while_better(self.held_out, adapted, on_epoch, measures=self._measures, give_up=watch)
        finally:
            # Keras keeps what it has built, of every trial.
            keras.utils.clear_session()
