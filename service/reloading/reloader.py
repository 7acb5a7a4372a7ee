"""Finds the live bundle, has it loaded beside the one that serves, and swaps them."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from service.bundle.current import CURRENT_FILE, read_current, read_previous
from service.errors import BundleError, BundleUnreadable, NoBundle
from service.recommending.recommender import Recommender
from service.reloading.breathing import breathing
from service.reloading.refusals import Refusal, Tries, fingerprint
from service.telemetry.observer import Observer

logger = logging.getLogger(__name__)


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
        self._changed = threading.Condition()
        self._stopping = False
        self._looks_asked = 1
        self._looks_done = 0
        self._thread = threading.Thread(target=self._follow, name="bundle-reloader")
        self._live: Recommender | None = None
        self._refusal: Refusal | None = None
        self._tries: dict[str, Tries] = {}

    @property
    def recommender(self) -> Recommender:
        """The live recommender. Take it once a request, which then sees one bundle from start to end.

        Raises:
            BundleError: There is none; the error of the last try.
        """
        live = self._live
        if live is None:
            error: BundleError = NoBundle(
                f"{self._artifacts / CURRENT_FILE}: its bundle is still being loaded; ask again shortly"
            )
            if self._refusal is not None:
                error = self._refusal.error
            # A new object for each: raised ones gather a traceback, and several threads may raise at once.
            raise type(error)(*error.args)
        return live

    @property
    def bundle_id(self) -> str | None:
        """Of the live bundle; None while there is none."""
        live = self._live
        return None if live is None else live.bundle_id

    @property
    def refusal(self) -> Refusal | None:
        """Why what CURRENT names is not what is served; None while it is."""
        return self._refusal

    def start(self) -> None:
        """Begins to follow CURRENT."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it; a load under way is waited for."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def wait(self) -> None:
        """Returns when CURRENT was looked at once: its bundle is live, or cannot be."""
        self._wait_for(1)

    def look_soon(self) -> None:
        """Has CURRENT looked at without waiting for the next time, and refused bundles tried again."""
        self._ask()

    def look_now(self) -> None:
        """The same, and returns when a look that began after this call has ended."""
        self._wait_for(self._ask())

    def _ask(self) -> int:
        with self._changed:
            # The look under way, if any, may have read CURRENT already: it is the next one that counts.
            self._looks_asked += 1
            self._changed.notify_all()
            return self._looks_asked

    def _wait_for(self, look: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._looks_done >= look)

    def _follow(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._stopping or self._looks_done < self._looks_asked, self._reload_seconds
                )
                if self._stopping:
                    return
                look = self._looks_asked
                asked = look > max(self._looks_done, 1)
            if asked:
                self._tries.clear()
            self.look()
            self._observer.looked()
            with self._changed:
                self._looks_done = look
                self._changed.notify_all()

    def look(self) -> None:
        """Reads CURRENT once and, if it names another bundle than the live one, loads and swaps.

        While nothing is live, such as in a worker that takes a dead one's place, PREVIOUS will do. A bundle
        that was refused is not tried again before one of its files changes, or somebody asks: each try costs
        seconds of a core.
        """
        if self._take_up(read_current):
            self._refusal = None
        elif self._live is None:
            self._take_up(read_previous)

    def _take_up(self, read: Callable[[Path], Path]) -> bool:
        """Whether the bundle that a file names is live now, loading it where it was not."""
        bundle_id = None
        try:
            directory = read(self._artifacts)
            bundle_id = directory.name
            if bundle_id == self.bundle_id:
                return True
            tries = self._tries.setdefault(bundle_id, Tries(self._reload_seconds))
            if not tries.due(fingerprint(directory)):
                return False
            try:
                if self._live is None:
                    loaded = self._load(directory)
                else:
                    with breathing():
                        loaded = self._load(directory)
                        loaded.remember_those_of(self._live)
                self._swap(loaded)
                del loaded
            except Exception as error:
                is_foreseen = isinstance(error, BundleError)
                tries.failed(again=not is_foreseen or isinstance(error, BundleUnreadable))
                raise
        except BundleError as error:
            self._refuse(read, bundle_id, error)
            return False
        except Exception as error:
            logger.exception(
                "a bundle in %s cannot be loaded, in a way that was not foreseen", self._artifacts
            )
            where, reason = self._artifacts / CURRENT_FILE, f"{type(error).__name__}: {error}"
            self._refuse(read, bundle_id, BundleError(f"{where}: names no usable bundle ({reason})"))
            return False
        del self._tries[bundle_id]
        return True

    def _swap(self, recommender: Recommender) -> None:
        self._live = recommender
        self._observer.bundle_live(recommender)
        logger.info("bundle %s is live", recommender.bundle_id)
        del recommender
        # The old one hangs together in circles, which nothing else would find for minutes.
        with breathing():
            gc.collect()

    def _refuse(self, read: Callable[[Path], Path], bundle_id: str | None, error: BundleError) -> None:
        if read is read_previous:
            return  # what counts is why CURRENT is not served
        known = self._refusal
        if known is not None and (known.bundle_id, str(known.error)) == (bundle_id, str(error)):
            return
        self._refusal = Refusal(bundle_id, error, datetime.now(UTC))
        self._observer.bundle_refused(error)
        logger.warning("%s: %s", type(error).__name__, error)
