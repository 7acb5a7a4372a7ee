"""When the client asks again, and how long it waits before.

Nearly every endpoint may be asked twice: a request that is answered by 503, or finds nobody listening, is
repeated, after a random wait that grows, or after what `Retry-After` says where that is longer.
"""

from __future__ import annotations

from typing import Any

import httpx
from tenacity import RetryCallState, stop_after_attempt, wait_random_exponential

from service.client.errors import Unavailable

LONGEST_WAIT_SECONDS = 30.0
"""A service that asks for more is not waited for."""

_backoff = wait_random_exponential(multiplier=0.1, max=5)


def retry_policy(retries: int) -> dict[str, Any]:
    """Arguments of tenacity's `Retrying` and `AsyncRetrying`.

    Args:
        retries: How often a request is repeated at most.
    """
    return {
        "retry": _is_worth_another_try,
        "stop": stop_after_attempt(retries + 1),
        "wait": _wait_seconds,
        "reraise": True,
    }


def _is_worth_another_try(state: RetryCallState) -> bool:
    error = state.outcome and state.outcome.exception()
    if isinstance(error, Unavailable):
        return error.retry_after_seconds <= LONGEST_WAIT_SECONDS
    return isinstance(error, httpx.ConnectError)


def _wait_seconds(state: RetryCallState) -> float:
    error = state.outcome and state.outcome.exception()
    asked_seconds = error.retry_after_seconds if isinstance(error, Unavailable) else 0.0
    return max(asked_seconds, _backoff(state))
