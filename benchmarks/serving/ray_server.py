"""Ray Serve: `python -m benchmarks.serving.ray_server PORT`.

https://docs.ray.io/en/latest/serve/advanced-guides/dyn-req-batch.html
https://docs.ray.io/en/master/kuberay/user-guides/serve-high-throughput.html has the variables of `servers`:
by them HAProxy sends requests to the replicas instead of a proxy in Python.
"""

import sys
import time
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.serving.work import MAX_BATCH_SIZE, MAX_WAIT_MS, WORKERS, make_work


@serve.deployment(num_replicas=WORKERS, max_ongoing_requests=10 * MAX_BATCH_SIZE)
class Recommend:
    """Each replica has batching; one proxy of the machine sends requests to them."""

    def __init__(self) -> None:
        self._work = make_work()

    @serve.batch(max_batch_size=MAX_BATCH_SIZE, batch_wait_timeout_s=MAX_WAIT_MS / 1000)
    async def answer(self, user_ids: list[str]) -> list[dict[str, Any]]:
        """Answer a batch of users."""
        return self._work.answer(user_ids)

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Answer one request."""
        return await self.answer((await request.json())["user_id"])


if __name__ == "__main__":
    # By default it would join any cluster that runs on this machine.
    ray.init("local", include_dashboard=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Recommend.bind())
    while True:
        time.sleep(60)
