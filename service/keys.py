"""Keys that clients send, as `X-API-Key` or as a bearer token, and what each kind opens."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from service.errors import AdminClosed, KeyMissing

_SENT = "send one as X-API-Key, or as Authorization: Bearer"

_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="A key of the operator.")
_bearer = HTTPBearer(auto_error=False, description="The same key as a bearer token.")


class Keys:
    """The keys there are.

    Args:
        admin: Of operators, separated by commas.
    """

    def __init__(self, admin: SecretStr) -> None:
        self._admin = _digests(admin)

    def require_admin(self, key: str | None) -> None:
        """Lets an operator pass.

        Raises:
            AdminClosed: No key of this kind is set.
            KeyMissing: No key, or one that nobody has.
        """
        if not self._admin:
            raise AdminClosed("/admin is closed: set MATINEE_ADMIN_KEYS to open it to whoever has a key")
        if key is None:
            raise KeyMissing(f"expected a key of an operator, got none; {_SENT}")
        if not _is_among(key, self._admin):
            raise KeyMissing(f"expected a key of an operator, got another one; {_SENT}")


async def require_admin(
    request: Request,
    header: Annotated[str | None, Security(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> None:
    """Dependency of what only operators may do; raises as `Keys.require_admin` does."""
    keys: Keys = request.app.state.keys
    keys.require_admin(header or (bearer.credentials if bearer else None))


def _digests(keys: SecretStr) -> tuple[bytes, ...]:
    return tuple(_digest(key.strip()) for key in keys.get_secret_value().split(",") if key.strip())


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _is_among(key: str, digests: tuple[bytes, ...]) -> bool:
    """In a time that does not depend on the key: all are compared, and their digests are equally long."""
    sent = _digest(key)
    return sum(hmac.compare_digest(sent, digest) for digest in digests) > 0
