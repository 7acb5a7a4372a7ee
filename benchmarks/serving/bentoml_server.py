"""BentoML: `bentoml serve benchmarks.serving.bentoml_server:Recommend`.

https://docs.bentoml.com/en/latest/get-started/adaptive-batching.html
https://docs.bentoml.com/en/latest/build-with-bentoml/parallelize-requests.html
"""

from typing import Any

import bentoml

from benchmarks.serving.work import MAX_BATCH_SIZE, WORKERS, make_work


@bentoml.service(workers=WORKERS)
class Recommend:
    """Each worker has adaptive batching."""

    def __init__(self) -> None:
        self._work = make_work()

    @bentoml.api(batchable=True, max_batch_size=MAX_BATCH_SIZE, max_latency_ms=1_000)
    def recommend(self, user_ids: list[str]) -> list[dict[str, Any]]:
        """Answer a batch; each request has a list of one user."""
        return self._work.answer(user_ids)
