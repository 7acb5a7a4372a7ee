"""Load the one bundle that a process serves for its whole life."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections.abc import Callable

from service.errors import BundleError, NoBundle
from service.recommending.recommender import Recommender

logger = logging.getLogger(__name__)


class ServedBundle:
    """Loads a bundle in a thread, once, and holds its recommender or the reason why there is none.

    Args:
        load: Makes a verified recommender, or raises `BundleError`.
        yields: Whether the loading thread runs only while no other process wants the processor (Linux), so
            that requests which others answer come first. Unlike a higher priority this needs no privileges;
            threads that the load starts inherit it: only where those answer no requests afterwards.
    """

    def __init__(self, load: Callable[[], Recommender], *, yields: bool = False) -> None:
        self._load = load
        self._yields = yields
        self._recommender: Recommender | None = None
        self._error: BundleError | None = None
        self._done = threading.Event()
        self._changing = threading.Lock()
        self._callbacks: list[Callable[[], object]] = []
        # A daemon: a load cannot be interrupted, and a process that is to end need not wait for it.
        self._thread = threading.Thread(target=self._run, name="bundle-load", daemon=True)

    @property
    def recommender(self) -> Recommender:
        """The recommender of the bundle.

        Raises:
            BundleError: It is still being loaded, or cannot be served.
        """
        if self._recommender is not None:
            return self._recommender
        error = self._error or NoBundle("the bundle is still being loaded; try again shortly")
        # A new object for each caller: raised ones collect tracebacks, and several threads may raise at once.
        raise type(error)(*error.args)

    @property
    def bundle_id(self) -> str | None:
        """The bundle's name; None while there is none."""
        return None if self._recommender is None else self._recommender.bundle_id

    @property
    def error(self) -> BundleError | None:
        """Why the bundle cannot be served; None while it is being loaded, and where it can."""
        return self._error

    def start(self, done: Callable[[], object] | None = None) -> None:
        """Begin to load, where that was not begun.

        Args:
            done: Called once the bundle is loaded or known not to be loadable, from the loading thread or at
                once.
        """
        with self._changing:
            if self._thread.ident is None:
                self._thread.start()
            is_done = self._done.is_set()
            if done is not None and not is_done:
                self._callbacks.append(done)
        if done is not None and is_done:
            done()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the bundle is loaded, or known not to be loadable; False where that took too long."""
        return self._done.wait(seconds)

    def _run(self) -> None:
        if self._yields and sys.platform == "linux":  # elsewhere threads have no policy of their own
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))
        try:
            self._recommender = self._load()
            # It lives as long as the process: no collection of garbage need visit it.
            gc.collect()
            gc.freeze()
            logger.debug("bundle %s is loaded", self._recommender.bundle_id)
        except BundleError as error:
            self._error = error
        except Exception as error:
            logger.exception("a bundle cannot be loaded, for a reason that was not foreseen")
            self._error = BundleError(f"the bundle cannot be loaded ({type(error).__name__}: {error})")
        with self._changing:
            self._done.set()
        for callback in self._callbacks:
            callback()
