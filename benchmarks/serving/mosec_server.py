"""mosec: `python -m benchmarks.serving.mosec_server --port PORT`.

https://mosecorg.github.io/mosec/index.html
"""

from typing import Any

from mosec import Server, Worker

from benchmarks.serving.work import MAX_BATCH_SIZE, MAX_WAIT_MS, WORKERS, make_work


class Recommend(Worker):
    """All workers get their batches from one process that serves HTTP."""

    def __init__(self) -> None:
        self._work = make_work()

    def forward(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer a batch of requests."""
        return self._work.answer([each["user_id"] for each in data])


if __name__ == "__main__":
    server = Server()
    server.append_worker(Recommend, num=WORKERS, max_batch_size=MAX_BATCH_SIZE, max_wait_time=MAX_WAIT_MS)
    server.run()
