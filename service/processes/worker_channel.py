"""A worker's end of its channel to the supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from service.errors import BundleError
from service.processes.messages import Message, MessageSocket
from service.reloading.refusals import Refusal
from service.reloading.supervision import LookOutcome, Supervision


class WorkerChannel(Supervision):
    """Reports what becomes of the worker's bundle, and follows what the supervisor says.

    Args:
        messages: This end of the socket pair.
        refusal: What is refused as the worker starts.
    """

    def __init__(self, messages: MessageSocket, refusal: Refusal | None) -> None:
        self._messages = messages
        self._refusal = refusal
        self._is_draining = False
        self._looks: dict[int, asyncio.Future[LookOutcome]] = {}
        self._num_looks = 0

    @property
    def refusal(self) -> Refusal | None:
        """As the supervisor reported it last."""
        return self._refusal

    @property
    def is_draining(self) -> bool:
        """As the supervisor said."""
        return self._is_draining

    def attach(
        self,
        *,
        retire: Callable[[], None],
        drain: Callable[[], None],
        supervisor_gone: Callable[[], None],
    ) -> None:
        """Begin to follow the supervisor, from the running event loop.

        Args:
            retire: Called when another worker has taken this one's place.
            drain: Called when the service is about to stop.
            supervisor_gone: Called when the supervisor has ended.
        """
        loop = asyncio.get_running_loop()

        def receive() -> None:
            messages = self._messages.receive()
            if messages is None:
                loop.remove_reader(self._messages.fileno())
                supervisor_gone()
            for message in messages or ():
                self._follow(message, retire, drain)

        loop.add_reader(self._messages.fileno(), receive)

    def report_accepting(self) -> None:
        """Report that connections are accepted."""
        self._messages.send({"event": "accepting"})

    def report_loaded(self) -> None:
        """Report that the bundle is loaded."""
        self._messages.send({"event": "loaded"})

    def report_refused(self, error: BundleError) -> None:
        """Report that the bundle cannot be served."""
        self._messages.send({"event": "refused", "error": type(error).__name__, "detail": str(error)})

    async def look(self, bundle_id: str | None) -> LookOutcome:
        """See `Supervision.look`: returns when all workers serve what CURRENT names, or it was refused."""
        del bundle_id  # the supervisor knows better
        self._num_looks += 1
        number = self._num_looks
        outcome: asyncio.Future[LookOutcome] = asyncio.get_running_loop().create_future()
        self._looks[number] = outcome
        self._messages.send({"event": "look", "number": number})
        try:
            return await outcome
        finally:
            del self._looks[number]

    def _follow(self, message: Message, retire: Callable[[], None], drain: Callable[[], None]) -> None:
        event = message["event"]
        if event == "retire":
            retire()
            return
        if event == "drain":
            self._is_draining = True
            drain()
            return
        self._refusal = Refusal.from_document(message["refusal"])
        if event == "looked" and (outcome := self._looks.get(message["number"])) and not outcome.done():
            outcome.set_result(LookOutcome(message["bundle_id"], self._refusal))
