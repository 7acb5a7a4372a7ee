"""A bundle that a training begins with: what it learned, of which data, with which hyper-parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW
from service.bundle.catalogue import Catalogue
from service.bundle.checksums import verify_files
from service.bundle.current import read_current
from service.bundle.histories import Histories
from service.bundle.learned_variables import read_learned
from service.bundle.manifest import Manifest, read_manifest
from service.errors import BundleError
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.errors import ConfigurationError, DataError
from training.model.learned_tables import Rows
from training.model.warm_start import WarmStart, places

LIVE = "live"
"""Names the live bundle of the artifacts."""

SHARE_OF_EPOCHS, SHARE_OF_RATE = 1 / 6, 0.25
"""Of the epochs and of the learning rate of a training in full: chosen on validation rows (docs/model.md)."""

_FIXED = (
    *("embedding_dimension", "rating_dimension", "layers", "rating_layers", "history_scales"),
    *("use_history", "use_content", "use_user_id", "factor_scale"),
    *("history_normalization", "movie_normalization", "factor_regularization", "rating_emphasis"),
    *("user_bias_regularization", "retrieval_share", "rating_share"),
)
"""What a model cannot change once it has learned something."""


@dataclass(frozen=True, eq=False)
class FormerBundle:
    """A bundle on disk, found whole.

    Attributes:
        directory: Where it is.
        manifest: Its manifest.
    """

    directory: Path
    manifest: Manifest

    @classmethod
    def open(cls, bundle: str, artifacts: Path) -> FormerBundle:
        """Find a bundle and verify its files.

        Args:
            bundle: Its directory, or `live`.
            artifacts: Whose live bundle is meant.

        Raises:
            ConfigurationError: It is not there, not whole, or of another version.
        """
        try:
            directory = read_current(artifacts) if bundle == LIVE else Path(bundle).absolute()
            manifest = read_manifest(directory)
            verify_files(directory, manifest)
        except BundleError as error:
            raise ConfigurationError(
                f"--warm-start {bundle}: {error}; or train without --warm-start"
            ) from error
        return cls(directory, manifest)

    def config(self, asked: TrainingConfig) -> TrainingConfig:
        """Hyper-parameters to learn on with: the bundle's, but for what was asked for.

        Epochs and learning rate are shares of those of the last training in full.

        Args:
            asked: What differs from the defaults counts as asked for.

        Raises:
            ConfigurationError: What was asked for cannot be changed, or the bundle's cannot be read.
        """
        try:
            former = TrainingConfig.from_document(self.manifest.hyperparameters)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"--warm-start {self.directory.name}: its hyper-parameters are of another version ({error}); "
                "train without --warm-start"
            ) from error
        default = TrainingConfig()
        changes = {
            each.name: getattr(asked, each.name)
            for each in fields(asked)
            if getattr(asked, each.name) != getattr(default, each.name)
        }
        unlike = [name for name in _FIXED if name in changes and changes[name] != getattr(former, name)]
        if unlike:
            differences = "; ".join(f"{n} is {changes[n]!r}, not {getattr(former, n)!r}" for n in unlike)
            raise ConfigurationError(
                f"--warm-start {self.directory.name}: hyper-parameters differ from the bundle's: "
                f"{differences}; leave them out, or train without --warm-start"
            )
        full = self._in_full
        shares = {
            "epochs": max(1, round(SHARE_OF_EPOCHS * full["epochs"])),
            "learning_rate": round(SHARE_OF_RATE * full["learning_rate"], 6),
        }
        return replace(former, **{**shares, **changes})

    def require_same_kind(self, table: RatingsTable) -> None:
        """Refuse data that the bundle's model says nothing of.

        Raises:
            DataError: Another scale of ratings, times where there were none or none where there were, or no
                movie that the bundle knows.
        """
        manifest, reasons = self.manifest, []
        if manifest.rating_scale != table.rating_scale:
            reasons.append(f"ratings are {_scale(table.rating_scale)}, not {_scale(manifest.rating_scale)}")
        if manifest.has_times != table.has_times:
            reasons.append("they have times" if table.has_times else "they have no times")
        if not (self._movie_places(table) != NO_ROW).any():
            first = ", ".join(table.movies.movie_ids[:3])
            known = ", ".join(self.movie_ids[:3])
            reasons.append(f"no movie is known: the data has {first}..., the bundle {known}...")
        if reasons:
            raise DataError(
                f"{table.name}: these data are not like those of {self.directory.name}: {'; '.join(reasons)}"
                "; train without --warm-start"
            )

    def warm_start(self) -> WarmStart:
        """Read what it learned.

        Raises:
            ConfigurationError: It is of a version that did not keep it.
        """
        try:
            learned = read_learned(self.directory)
        except BundleError as error:
            raise ConfigurationError(f"--warm-start {self.directory.name}: {error}") from error
        names = {
            rows: [name.decode() for name in learned.pop(f"names:{rows}").tolist()]
            for rows in (Rows.CONTENT, Rows.USER_FEATURES)
        }
        names |= {Rows.USERS: self.user_ids, Rows.CANDIDATES: self.movie_ids}
        boundaries, predicted = (learned.pop(f"constant:{n}") for n in ("boundaries", "predicted_factors"))
        read = learned.pop("constant:read_factors", np.zeros_like(predicted))
        hyperparameters = self.manifest.hyperparameters
        return WarmStart(
            names=names,
            boundaries=boundaries,
            factors=(read, predicted),
            learned=learned,
            retrieval_share=hyperparameters["retrieval_share"],
            rating_share=hyperparameters["rating_share"],
        )

    def is_news(self, table: RatingsTable) -> NDArray[np.bool_]:
        """Which rows of a table the bundle was not trained on, bool `[num_ratings]`."""
        histories = self._histories
        users, movies = places(self.user_ids, table.user_ids), self._movie_places(table)
        count = len(self._catalogue)
        known = np.concatenate(
            [
                row * count + np.sort(histories.of_user(row).rows.astype(np.int64))
                for row in range(len(histories))
            ]
        )
        users, movies = users[table.user_rows], movies[table.movie_rows]
        wanted = users * count + movies
        found = known[np.minimum(np.searchsorted(known, wanted), len(known) - 1)] == wanted
        is_news: NDArray[np.bool_] = ~found | (users == NO_ROW) | (movies == NO_ROW)
        return is_news

    def in_words(self, table: RatingsTable) -> str:
        """How much of a table it knows."""
        users, movies = places(self.user_ids, table.user_ids), self._movie_places(table)
        gone = len(self.user_ids) - int(np.count_nonzero(users != NO_ROW))
        return (
            f"beginning with {self.directory.name}: it knows {np.count_nonzero(users != NO_ROW):,} of "
            f"{len(users):,} users and {np.count_nonzero(movies != NO_ROW):,} of {len(movies):,} movies"
            + (f"; {gone:,} of its users are gone, what they taught it is not" if gone else "")
        )

    def record(self) -> dict[str, Any]:
        """What the manifest of the next bundle says of this one."""
        generations = self.manifest.dataset.get("warm_start", {}).get("generations", 0)
        return {
            "bundle_id": self.manifest.bundle_id,
            "generations": generations + 1,
            **self._in_full,
            "measured": self.measured_in_full,
        }

    @property
    def measured_in_full(self) -> dict[str, Any] | None:
        """Split and measures of the last training in full; None where nothing was measured.

        What a warm start measures, on news, is no measure for the next training in full.
        """
        former = self.manifest.dataset.get("warm_start")
        if former is not None:
            measured: dict[str, Any] | None = former["measured"]
            return measured
        metrics = self.manifest.metrics or {}
        return {name: metrics[name] for name in ("split", "model")} if "model" in metrics else None

    @property
    def _in_full(self) -> dict[str, Any]:
        former = self.manifest.dataset.get("warm_start", self.manifest.hyperparameters)
        return {name: former[name] for name in ("epochs", "learning_rate")}

    @property
    def movie_ids(self) -> list[str]:
        """Of its movies, by row."""
        return self._catalogue.movie_ids

    @cached_property
    def user_ids(self) -> list[str]:
        """Of its users, by row."""
        return [self._histories.user_id_of(row) for row in range(len(self._histories))]

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue.open(self.directory)

    @cached_property
    def _histories(self) -> Histories:
        return Histories.open(self.directory, len(self._catalogue))

    def _movie_places(self, table: RatingsTable) -> NDArray[np.int64]:
        return places(self.movie_ids, table.movies.movie_ids)


def _scale(scale: tuple[float, float] | None) -> str:
    return "none" if scale is None else f"from {scale[0]:g} to {scale[1]:g}"
