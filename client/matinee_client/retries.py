"""Retry policy of the client.

Nearly every endpoint is idempotent: a request is retried after a 503 or a refused connection, with
exponential backoff and jitter, or after `Retry-After` if that is longer.
"""

from __future__ import annotations

from typing import Any

import httpx
from tenacity import RetryCallState, stop_after_attempt, wait_random_exponential

from matinee_client.answer_errors import Unavailable

LONGEST_WAIT_SECONDS = 30.0
"""A response with a longer `Retry-After` is not retried."""

_backoff = wait_random_exponential(multiplier=0.1, max=5)


def retry_policy(retries: int) -> dict[str, Any]:
    """Return the arguments of tenacity's `Retrying` and `AsyncRetrying`.

    Args:
        retries: Most repetitions of a request.
    """
    return {
        "retry": _is_retryable,
        "stop": stop_after_attempt(retries + 1),
        "wait": _wait_seconds,
        "reraise": True,
    }


def _is_retryable(state: RetryCallState) -> bool:
    error = state.outcome and state.outcome.exception()
    if isinstance(error, Unavailable):
        return error.retry_after_seconds <= LONGEST_WAIT_SECONDS
    return isinstance(error, httpx.ConnectError)


def _wait_seconds(state: RetryCallState) -> float:
    error = state.outcome and state.outcome.exception()
    retry_after_seconds = error.retry_after_seconds if isinstance(error, Unavailable) else 0.0
    return max(retry_after_seconds, _backoff(state))
