"""Exceptions of the service and the HTTP status of each.

MatineeError                    500
├── BundleError                 503   no bundle can be served
│   ├── NoBundle                      CURRENT is missing or names no bundle
│   ├── BundleUnreadable              a file or directory cannot be read
│   │   └── FileMissing               the manifest or a file that it lists is missing
│   ├── BundleCorrupt                 a file differs from what was written
│   │   ├── ManifestCorrupt           the manifest is not JSON, has a wrong checksum or malformed fields
│   │   ├── SizeDiffers               a file's size differs from the manifest
│   │   └── ChecksumDiffers           a file's checksum differs from the manifest
│   ├── BundleUnsafe                  a path leads out of the bundle's directory
│   ├── BundleIncompatible            written for another schema version
│   ├── BundleInconsistent            files disagree with each other in counts or dimensions
│   ├── BundleDisagrees               a golden request is answered differently
│   └── StorageAway                   the object storage of bundles cannot be used
├── RollbackRefused             409   CURRENT and PREVIOUS were not exchanged
│   └── NoPrevious                    no bundle was live before
├── KeyRefused                  403   the key does not allow this
│   ├── KeyMissing              401   no key, or an unknown one
│   ├── KeyWrong                      a client key where an admin key is needed, or the reverse
│   ├── KeyGuessed              429   too many unknown keys came from one address
│   └── AdminClosed                   no admin key is set
├── RequestError                422   well-formed, but cannot be answered
│   ├── InvalidField                  a field's value is out of range
│   ├── NoRatings               409   the bundle was trained on watches without ratings
│   ├── CannotPlace             409   the bundle embeds no movies that it was not trained with
│   ├── UnknownMovie            404   no such movie id
│   │   └── UnknownTitle              no such title; has the closest ones
│   └── UnknownUser             404   no such user, where only known users have an answer
├── StoreError                  503   feedback can be neither stored nor read
│   ├── StoreAway                     the database cannot be reached, or failed
│   │   └── StoreFull                 its disk is full
│   └── StoreRefused                  a newer schema, a network file system, or no database at all
├── FeedbackOff                 403   MATINEE_STORE=off
├── RequestMalformed            400   not valid HTTP
├── BodyTooLarge                413   the body is larger than the limit
├── HeadersTooLarge             431   too many headers, or too many bytes of them
├── QueueFull                   503   the queue of requests is full
├── ShuttingDown                503   this replica is about to stop
├── DeadlineExceeded            504   the request's deadline passed
└── HungUp                      499   the client closed the connection
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar, NamedTuple


class MatineeError(Exception):
    """Base class of all errors; the message is shown to the client."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retry_after_seconds: ClassVar[int | None] = None
    headers: ClassVar[Mapping[str, str]] = {}


class BundleError(MatineeError):
    """No bundle can be served; the message names the file and the reason."""

    status = 503
    title = "No bundle is being served"
    retry_after_seconds = 5


class NoBundle(BundleError):
    """CURRENT is missing, empty, or names a directory that does not exist."""


class BundleUnreadable(BundleError):
    """A file or directory of the bundle cannot be read."""


class FileMissing(BundleUnreadable):
    """The manifest, or a file that it lists, is missing."""


class BundleCorrupt(BundleError):
    """A file differs from what was written."""


class ManifestCorrupt(BundleCorrupt):
    """The manifest is not JSON, has a wrong checksum, or fields that are missing or malformed."""


class SizeDiffers(BundleCorrupt):
    """A file's size differs from the manifest."""


class ChecksumDiffers(BundleCorrupt):
    """A file has the size that the manifest says, but another checksum."""


class BundleUnsafe(BundleError):
    """A path in the manifest, or in CURRENT, leads out of the artifacts directory."""


class BundleIncompatible(BundleError):
    """The bundle has another schema version than this service reads."""


class BundleInconsistent(BundleError):
    """Files of the bundle disagree with each other in counts or dimensions."""


class BundleDisagrees(BundleError):
    """The answer to a golden request differs from the one that training recorded."""


class StorageAway(BundleError):
    """The object storage of bundles cannot be reached, or not be used."""


class RollbackRefused(MatineeError):
    """CURRENT and PREVIOUS cannot be exchanged; both are unchanged."""

    status = 409
    title = "No rollback"


class NoPrevious(RollbackRefused):
    """No bundle was live before the present one."""


class KeyRefused(MatineeError):
    """The key does not allow this."""

    status = 403
    title = "Key not allowed"


class KeyMissing(KeyRefused):
    """The request has no key, or an unknown one."""

    status = 401
    title = "Key required"
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class KeyWrong(KeyRefused):
    """The key is of the other kind: a client key for an admin endpoint, or the reverse."""


class KeyGuessed(KeyRefused):
    """Too many unknown keys came from one address."""

    status = 429
    title = "Too many unknown keys"
    headers = MappingProxyType({"Retry-After": "60"})


class AdminClosed(KeyRefused):
    """Admin endpoints are closed because no admin key is set."""

    title = "Closed"


class RequestError(MatineeError):
    """The request is well-formed but cannot be answered.

    Args:
        message: What was expected, what came, how to fix it.
        field: Where in the request, such as `history.0.movie_id`.
    """

    status = 422
    title = "Invalid request"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidField(RequestError):
    """A field's value is out of range for the live bundle."""


class NoRatings(RequestError):
    """The live bundle was trained on watches without ratings: it predicts none and orders nothing by them."""

    status = 409
    title = "No ratings"


class CannotPlace(RequestError):
    """The live bundle embeds no movies that it was not trained with: it is older than that."""

    status = 409
    title = "No new movies"


class UnknownMovie(RequestError):
    """No movie of the live bundle has this id or title."""

    status = 404
    title = "Unknown movie"


class Suggestion(NamedTuple):
    """A movie that may have been meant."""

    movie_id: str
    title: str
    display_title: str


class UnknownTitle(UnknownMovie):
    """No movie of the live bundle has exactly this title.

    Args:
        message: What was expected, what came, how to fix it.
        field: Where in the request.
        search: Returns the movies with the closest titles, best first.

    Attributes:
        suggestions: What `suggest` found; empty before it is called.
    """

    def __init__(self, message: str, *, field: str, search: Callable[[], list[Suggestion]]) -> None:
        super().__init__(message, field=field)
        self._search = search
        self.suggestions: list[Suggestion] = []

    def suggest(self) -> None:
        """Run the search, which takes milliseconds; call it off the event loop."""
        self.suggestions = self._search()


class UnknownUser(RequestError):
    """No user of the live bundle has this id."""

    status = 404
    title = "Unknown user"


class StoreError(MatineeError):
    """Feedback can be neither stored nor read; the message names the store and the reason."""

    status = 503
    title = "No store of feedback"
    retry_after_seconds = 5


class StoreAway(StoreError):
    """The database cannot be reached, or failed."""


class StoreFull(StoreAway):
    """The disk of the database is full."""


class StoreRefused(StoreError):
    """What is there must not be used: a newer schema, a network file system, or no database at all."""


class FeedbackOff(MatineeError):
    """The service keeps no feedback."""

    status = 403
    title = "Feedback is off"


class RequestMalformed(MatineeError):
    """The bytes received are not a valid HTTP request."""

    status = 400
    title = "Malformed request"


class HeadersTooLarge(MatineeError):
    """The request has more headers, or more bytes of headers, than the limit."""

    status = 431
    title = "Headers too large"


class BodyTooLarge(MatineeError):
    """The request's body is larger than the limit."""

    status = 413
    title = "Body too large"


class QueueFull(MatineeError):
    """The queue is full; no work was done for this request."""

    status = 503
    title = "Too busy"
    retry_after_seconds = 1


class ShuttingDown(MatineeError):
    """Other replicas should get what comes from now on; this one still answers it."""

    status = 503
    title = "Shutting down"
    retry_after_seconds = 1


class DeadlineExceeded(MatineeError):
    """The request's deadline passed; work that had not begun was dropped."""

    status = 504
    title = "Timed out"


class HungUp(MatineeError):
    """The client closed the connection before the answer."""

    status = 499
    title = "Client hung up"
