"""A supervisor whose workers need no model, as a process: `fake_workers.py ARTIFACTS WORKERS RELOAD_SECONDS`.

A bundle's directory says in the file `behaviour` what becomes of a worker that loads it: `ok`, `refuse`, or
`die`, after `SECONDS` where those follow. A worker answers every line it gets on a connection by the name of
its bundle and its number; `look` has CURRENT read, and is answered by what came of it. When it is to retire,
it answers each open connection once more, ends those answers in `!`, and leaves.
"""

from __future__ import annotations

import logging
import selectors
import socket
import sys
import time
from pathlib import Path

from service.processes.listening import reserve
from service.processes.messages import Message, MessageSocket
from service.processes.rollout import Rollout
from service.processes.supervisor import Supervisor, WorkerReports
from service.processes.worker_process import WorkerStart
from service.reloading.bundle_selection import BundleSelection


class FakeWorker:
    def __init__(self, start: WorkerStart, listener: socket.socket, messages: MessageSocket) -> None:
        self._start, self._listener, self._messages = start, listener, messages
        self._selector = selectors.DefaultSelector()
        self._clients: set[socket.socket] = set()
        self._retiring = False
        self._bundle = "none"
        self._looked: Message | None = None

    def run(self) -> None:
        self._selector.register(self._messages, selectors.EVENT_READ)
        if self._start.accepts_at_once:
            self._accept()
        self._load()
        if not self._start.accepts_at_once:
            self._accept()
        if self._bundle != "none":
            self._messages.send({"event": "loaded"})
        while not (self._retiring and not self._clients):
            self._serve_once(10)

    def _load(self) -> None:
        if self._start.directory is None:
            return
        behaviour, *seconds = (self._start.directory / "behaviour").read_text(encoding="utf-8").split()
        deadline = time.monotonic() + float(seconds[0] if seconds else 0)
        while (left := deadline - time.monotonic()) > 0:
            self._serve_once(left)
        if behaviour == "die":
            sys.exit(3)
        if behaviour == "refuse":
            self._messages.send({"event": "refused", "error": "BundleDisagrees", "detail": "as it says"})
            if self._start.ends_if_refused:
                sys.exit(0)
            return
        self._bundle = self._start.directory.name

    def _accept(self) -> None:
        self._listener.listen(64)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._messages.send({"event": "accepting"})

    def _serve_once(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._messages:
                messages = self._messages.receive()
                if messages is None:
                    sys.exit(0)
                for message in messages:
                    self._follow(message)
            elif key.fileobj is self._listener:
                if self._retiring:  # since this turn began
                    continue
                try:
                    client, _ = self._listener.accept()
                except BlockingIOError:
                    continue
                self._clients.add(client)
                self._selector.register(client, selectors.EVENT_READ)
            else:
                self._answer(key.fileobj)  # type: ignore[arg-type] # it is a client

    def _follow(self, message: Message) -> None:
        if message["event"] == "retire":
            self._retiring = True
            self._selector.unregister(self._listener)
            self._listener.close()
        elif message["event"] == "looked":
            self._looked = message

    def _answer(self, client: socket.socket) -> None:
        line = client.recv(64)
        if line == b"look\n":
            self._messages.send({"event": "look", "number": 1})
            while self._looked is None:
                self._serve_once(1)
            text = f"{self._looked['bundle_id']} {(self._looked['refusal'] or {}).get('error')}"
            self._looked = None
        else:
            text = f"{self._bundle} {self._start.number} {'!' if self._retiring else ''}"
        if line:
            client.sendall(f"{text}\n".encode())
        if not line or self._retiring:
            self._selector.unregister(client)
            self._clients.discard(client)
            client.close()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    artifacts, workers, reload_seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    reserved = reserve("127.0.0.1", 0)
    selection = BundleSelection(
        artifacts,
        first_pause_seconds=0.05,
        refused=lambda name: say(f"refused {name}"),
        training_refused=lambda _: None,
    )
    rollout = Rollout(
        workers,
        reserved,
        lambda start, listener, messages: FakeWorker(start, listener, messages).run(),
        selection,
        reload_seconds=reload_seconds,
        died=lambda: say("died"),
    )
    reports = WorkerReports(
        running=lambda count: say(f"running {count}"),
        ended=lambda key: say(f"ended {key}"),
    )
    Supervisor(rollout, reserved, reports, retire_seconds=2, shutdown_seconds=2).run()


if __name__ == "__main__":
    main()
