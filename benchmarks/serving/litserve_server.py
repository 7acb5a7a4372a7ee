"""LitServe: `python -m benchmarks.serving.litserve_server PORT`.

https://lightning.ai/docs/litserve/features/batching
https://lightning.ai/docs/litserve/api-reference/litserver
"""

import sys
from typing import Any

import litserve

from benchmarks.serving.work import MAX_BATCH_SIZE, MAX_WAIT_MS, WORKERS, make_work


class Recommend(litserve.LitAPI):
    """Each worker has batching, and by default a process beside it that serves HTTP."""

    def setup(self, device: str) -> None:  # noqa: ARG002  LitServe names it
        """Load the bundle in the worker process."""
        self._work = make_work()

    def decode_request(self, request: dict[str, Any]) -> str:
        """Return the user id."""
        return request["user_id"]

    def batch(self, inputs: list[str]) -> list[str]:
        """Return the list unchanged."""
        return inputs

    def predict(self, x: list[str]) -> list[dict[str, Any]]:
        """Answer a batch of users."""
        return self._work.answer(x)

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the list unchanged."""
        return output

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """Return the answer unchanged."""
        return output


if __name__ == "__main__":
    api = Recommend(max_batch_size=MAX_BATCH_SIZE, batch_timeout=MAX_WAIT_MS / 1000)
    server = litserve.LitServer(api, accelerator="cpu", devices=1, workers_per_device=WORKERS)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
