"""Finds the live bundle, has it loaded beside the one that serves, and swaps them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from service.bundle import CURRENT_FILE, read_current
from service.errors import BundleError, BundleUnreadable, NoBundle
from service.observer import Observer
from service.recommender import Recommender

logger = logging.getLogger(__name__)

Fingerprint = frozenset[tuple[str, int, int]]


class BundleReloader:
    """Follows CURRENT in a thread of its own, so that neither requests nor the event loop wait for a load.

    Args:
        artifacts: Where bundles and CURRENT are.
        load: Makes a verified recommender of a bundle's directory, or raises `BundleError`.
        reload_seconds: Pause between two looks at CURRENT.
        observer: Is told of bundles that go live and of those that cannot.
    """

    def __init__(
        self,
        artifacts: Path,
        load: Callable[[Path], Recommender],
        *,
        reload_seconds: float,
        observer: Observer | None = None,
    ) -> None:
        self._artifacts = artifacts
        self._observer = observer or Observer()
        self._load = load
        self._reload_seconds = reload_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="bundle-reloader")
        self._live: Recommender | None = None
        self._error: BundleError = NoBundle(
            f"{artifacts / CURRENT_FILE}: its bundle is still being loaded; ask again shortly"
        )
        self._reported: str | None = None
        self._refused: Fingerprint | None = None
        self._looked = threading.Event()

    @property
    def recommender(self) -> Recommender:
        """The live recommender. Take it once a request, which then sees one bundle from start to end.

        Raises:
            BundleError: There is none; the error of the last try.
        """
        live = self._live
        if live is None:
            # A new object for each: raised ones gather a traceback, and several threads may raise at once.
            raise type(self._error)(*self._error.args)
        return live

    @property
    def bundle_id(self) -> str | None:
        """Of the live bundle; None while there is none."""
        live = self._live
        return None if live is None else live.bundle_id

    def start(self) -> None:
        """Begins to follow CURRENT."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it; a load under way is waited for."""
        self._stopping.set()
        self._thread.join()

    def wait(self) -> None:
        """Returns when CURRENT was looked at once: its bundle is live, or cannot be."""
        self._looked.wait()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._looked.set()
            self._observer.looked()
            self._stopping.wait(self._reload_seconds)

    def look(self) -> None:
        """Reads CURRENT once and, if it names another bundle than the live one, loads and swaps.

        A bundle that was refused for what is in its files is tried again only after one of them changed:
        each try may cost the memory of one model, which TensorFlow does not give back.
        """
        fingerprint: Fingerprint | None = None
        try:
            directory = read_current(self._artifacts)
            if self._live is not None and self._live.bundle_id == directory.name:
                return
            fingerprint = _fingerprint(directory)
            if fingerprint == self._refused:
                return
            self._live = self._load(directory)
        except BundleError as error:
            # What could not be read may be readable the next time, and is found out before TensorFlow loads.
            self._refuse(error, None if isinstance(error, BundleUnreadable) else fingerprint)
        except Exception as error:
            logger.exception(
                "a bundle in %s cannot be loaded, in a way that was not foreseen", self._artifacts
            )
            reason = f"{type(error).__name__}: {error}"
            self._refuse(
                BundleError(f"{self._artifacts / CURRENT_FILE}: names no usable bundle ({reason})"),
                fingerprint,
            )
        else:
            self._reported = None
            self._observer.bundle_live(self._live)
            logger.info("bundle %s is live", directory.name)

    def _refuse(self, error: BundleError, fingerprint: Fingerprint | None) -> None:
        self._refused = fingerprint
        self._error = error
        if str(error) != self._reported:
            self._reported = str(error)
            self._observer.bundle_refused(error)
            logger.warning("%s: %s", type(error).__name__, error)


def _fingerprint(directory: Path) -> Fingerprint:
    """Changes whenever a file below is written, replaced, or given other permissions."""
    paths = [directory, *directory.rglob("*")]
    stats = ((path, path.lstat()) for path in paths)
    return frozenset((str(path), stat.st_ctime_ns, stat.st_size) for path, stat in stats)
