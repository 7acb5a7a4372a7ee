"""A client of the service, sync and async, which needs httpx and pydantic and nothing of the server."""

from service.client.clients import AsyncMatineeClient, MatineeClient
from service.client.errors import AnswerError, InvalidRequest, NotAllowed, NotFound, Unavailable

__all__ = [
    "AnswerError",
    "AsyncMatineeClient",
    "InvalidRequest",
    "MatineeClient",
    "NotAllowed",
    "NotFound",
    "Unavailable",
]
