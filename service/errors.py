"""Every error the service raises on purpose, and the HTTP status each one owns.

MatineeError                    500
├── BundleError                 503   no bundle can be served
│   ├── NoBundle                      CURRENT is missing or names nothing
│   ├── BundleUnreadable              a file or directory may not be read
│   │   └── FileMissing               a file that the manifest lists, or the manifest itself, is not there
│   ├── BundleCorrupt                 a file is not what was written
│   │   ├── ManifestCorrupt           the manifest: no JSON, another checksum, fields missing or malformed
│   │   ├── SizeDiffers               longer or shorter than the manifest says
│   │   └── ChecksumDiffers           as long as the manifest says, with other bytes
│   ├── BundleUnsafe                  a path leads out of the bundle's directory
│   ├── BundleIncompatible            written for another schema version
│   ├── BundleInconsistent            files disagree with each other in counts or dimensions
│   └── BundleDisagrees               a golden request is answered differently
├── RollbackRefused             409   CURRENT and PREVIOUS stay as they are
│   └── NoPrevious                    no bundle was live before
├── KeyRefused                  403   not with this key
│   ├── KeyMissing              401   no key came, or one that nobody has
│   ├── KeyWrong                      a key of the other kind came
│   └── AdminClosed                   no key opens it, because none is set
├── RequestError                422   the request cannot be answered as asked
│   ├── InvalidField                  a field's value is out of its range
│   ├── UnknownMovie            404   no such movie id
│   │   └── UnknownTitle              no such title; knows the closest ones
│   └── UnknownUser             404   no such user, where a stranger will not do
├── RequestMalformed            400   what came is no request of HTTP
├── BodyTooLarge                413   the body has more bytes than are read
├── HeadersTooLarge             431   the headers are more, or have more bytes, than are read
├── QueueFull                   503   as many requests wait as may
├── DeadlineExceeded            504   no answer in time
└── HungUp                      499   the client did not wait for its answer
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar, NamedTuple


class MatineeError(Exception):
    """Base of all; its message is written for the person who reads the answer."""

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
    """CURRENT is missing, empty, or names a directory that is not there."""


class BundleUnreadable(BundleError):
    """A file or directory of the bundle may not be read."""


class FileMissing(BundleUnreadable):
    """A file that the manifest lists, or the manifest itself, is not there."""


class BundleCorrupt(BundleError):
    """A file is not what was written."""


class ManifestCorrupt(BundleCorrupt):
    """The manifest is no JSON, has another checksum than it says, or fields that are missing or malformed."""


class SizeDiffers(BundleCorrupt):
    """A file is longer or shorter than the manifest says."""


class ChecksumDiffers(BundleCorrupt):
    """A file is as long as the manifest says, and has other bytes."""


class BundleUnsafe(BundleError):
    """A path in the manifest, or CURRENT, leads out of where bundles live."""


class BundleIncompatible(BundleError):
    """The bundle was written for another schema version than this service reads."""


class BundleInconsistent(BundleError):
    """Files that are whole disagree with each other in counts or dimensions."""


class BundleDisagrees(BundleError):
    """A golden request is answered differently from what training recorded."""


class RollbackRefused(MatineeError):
    """CURRENT and PREVIOUS cannot be exchanged; both stay as they are."""

    status = 409
    title = "No rollback"


class NoPrevious(RollbackRefused):
    """No bundle was live before the one that is."""


class KeyRefused(MatineeError):
    """The key that came does not open this."""

    status = 403
    title = "Not with this key"


class KeyMissing(KeyRefused):
    """No key came, or one that nobody has."""

    status = 401
    title = "A key is needed"
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class KeyWrong(KeyRefused):
    """A key came that opens other things: an app's for an operator's, or the other way round."""


class AdminClosed(KeyRefused):
    """No key opens what operators may do, because none is set."""

    title = "Closed"


class RequestError(MatineeError):
    """The request is well-formed but cannot be answered as asked.

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
    """A field's value is outside what the live bundle allows."""


class UnknownMovie(RequestError):
    """No movie of the live bundle has this id or title."""

    status = 404
    title = "Unknown movie"


class Suggestion(NamedTuple):
    """A movie that may have been meant."""

    movie_id: str
    title: str


class UnknownTitle(UnknownMovie):
    """No movie of the live bundle has exactly this title.

    Args:
        message: What was expected, what came, how to fix it.
        field: Where in the request.
        search: Finds the movies with the closest titles, best first.

    Attributes:
        suggestions: What `suggest` found; none before it was called.
    """

    def __init__(self, message: str, *, field: str, search: Callable[[], list[Suggestion]]) -> None:
        super().__init__(message, field=field)
        self._search = search
        self.suggestions: list[Suggestion] = []

    def suggest(self) -> None:
        """Searches; that takes milliseconds, so it is for whoever shows them, and off the event loop."""
        self.suggestions = self._search()


class UnknownUser(RequestError):
    """No user of the live bundle has this id."""

    status = 404
    title = "Unknown user"


class RequestMalformed(MatineeError):
    """What came is no request of HTTP."""

    status = 400
    title = "No request"


class HeadersTooLarge(MatineeError):
    """The request has more headers, or more bytes of them, than the service reads."""

    status = 431
    title = "Headers too large"


class BodyTooLarge(MatineeError):
    """The request's body has more bytes than the service reads."""

    status = 413
    title = "Body too large"


class QueueFull(MatineeError):
    """As many requests wait as may; nothing was done for this one."""

    status = 503
    title = "Too busy"
    retry_after_seconds = 1


class DeadlineExceeded(MatineeError):
    """No answer was found in time; what was not begun is dropped."""

    status = 504
    title = "Timed out"


class HungUp(MatineeError):
    """The client is gone: an answer that nobody reads."""

    status = 499
    title = "Client hung up"
