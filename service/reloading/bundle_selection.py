"""Select the bundle that new workers load: CURRENT, or PREVIOUS while there is nothing to serve."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from service.bundle.current import is_refused, read_current, read_previous
from service.errors import BundleError, BundleUnreadable
from service.reloading.copy_failure import read_failure
from service.reloading.refusals import Refusal, Retries, fingerprint

logger = logging.getLogger(__name__)


class BundleSelection:
    """Follows CURRENT in one directory of bundles, and keeps what was refused.

    A refused bundle is not selected again before one of its files changes or `retry` is called; where a file
    could not be read, also after a pause that doubles. Each try costs seconds of a core.

    Args:
        artifacts: Where bundles and CURRENT are.
        first_pause_seconds: Between the first two tries of a bundle that cannot be read.
        refused: Called with the error's name at each new refusal.
        training_refused: Called at each look with whether training keeps its newest bundle from going live.
    """

    def __init__(
        self,
        artifacts: Path,
        *,
        first_pause_seconds: float,
        refused: Callable[[str], None],
        training_refused: Callable[[bool], None],
    ) -> None:
        self._artifacts = artifacts
        self._first_pause_seconds = first_pause_seconds
        self._refused = refused
        self._training_refused = training_refused
        self._refusal: Refusal | None = None
        self._not_copied: Refusal | None = None
        self._retries: dict[str, Retries] = {}

    @property
    def refusal(self) -> Refusal | None:
        """Why what CURRENT names is not what is served; None while it is."""
        return self._refusal

    def select(self, live_bundle_id: str | None) -> Path | None:
        """The directory of the bundle to load now.

        Args:
            live_bundle_id: What is served; None for nothing, and then PREVIOUS will do.

        Returns:
            None where CURRENT is served already, or nothing is worth a try.
        """
        self._training_refused(is_refused(self._artifacts))
        self._not_copied = read_failure(self._artifacts)
        directory = self._select(read_current, live_bundle_id)
        if directory is not None and directory.name == live_bundle_id:
            self._show(self._not_copied)
            return None
        if directory is None and live_bundle_id is None:
            directory = self._select(read_previous, live_bundle_id)
        return directory

    def retry(self) -> None:
        """Have refused bundles selected again."""
        self._retries.clear()

    def accept(self, directory: Path) -> None:
        """Note that a bundle was loaded."""
        self._retries.pop(directory.name, None)
        if self._names(read_current, directory) and self._not_copied is None:
            self._refusal = None

    def refuse(self, directory: Path, error: BundleError, *, may_pass: bool = False) -> None:
        """Note that a bundle cannot be served.

        Args:
            directory: The bundle's.
            error: Why.
            may_pass: See `Retries.add_failure`; True for what could not be read in any case.
        """
        retries = self._retries.setdefault(directory.name, Retries(self._first_pause_seconds))
        retries.add_failure(may_pass=may_pass or isinstance(error, BundleUnreadable))
        if not self._names(read_previous, directory):  # what counts is why CURRENT is not served
            self._refuse(directory.name, error)

    def _select(self, read: Callable[[Path], Path], live_bundle_id: str | None) -> Path | None:
        bundle_id = None
        try:
            directory = read(self._artifacts)
            bundle_id = directory.name
            if bundle_id == live_bundle_id:
                return directory
            retries = self._retries.setdefault(bundle_id, Retries(self._first_pause_seconds))
            return directory if retries.is_due(fingerprint(directory)) else None
        except BundleError as error:
            if bundle_id is not None:
                self._retries[bundle_id].add_failure(may_pass=True)
            if read is read_current and self._not_copied is not None:
                self._show(self._not_copied)
            elif read is read_current:
                self._refuse(bundle_id, error)
            return None

    def _names(self, read: Callable[[Path], Path], directory: Path) -> bool:
        try:
            return read(self._artifacts) == directory
        except BundleError:
            return False

    def _refuse(self, bundle_id: str | None, error: BundleError) -> None:
        refusal = Refusal(bundle_id, type(error).__name__, str(error), datetime.now(UTC))
        if self._show(refusal):
            logger.warning("%s: %s", refusal.error, error)

    def _show(self, refusal: Refusal | None) -> bool:
        """Have it shown; whether it is a new one."""
        known = self._refusal
        if known is not None and refusal is not None and replace(refusal, since=known.since) == known:
            return False
        self._refusal = refusal
        if refusal is not None:
            self._refused(refusal.error)
        return True
