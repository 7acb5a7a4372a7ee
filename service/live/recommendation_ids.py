"""Ids of recommendations: signed, so that feedback on one is counted without its having been stored."""

from __future__ import annotations

import hmac
from hashlib import blake2b
from typing import NamedTuple, cast, get_args

from service.telemetry.observer import Source

KEY_NAME = "recommendations"
_MAC_BYTES = 9


class Recommended(NamedTuple):
    """What the id of an answer says.

    Attributes:
        at: Unix seconds at which it was made.
        source: What it rested on.
        bundle_id: Of the bundle that made it.
    """

    at: int
    source: Source
    bundle_id: str


class RecommendationIds:
    """Makes and reads the ids of one store.

    Args:
        key: Of the store; with it ids can be made.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._made: dict[Recommended, str] = {}

    def make(self, recommended: Recommended) -> str:
        """The id of an answer; the same for all that were made in one second of one bundle and source."""
        made = self._made.get(recommended)
        if made is None:
            if len(self._made) > len(get_args(Source)):  # those of the seconds before
                self._made.clear()
            text = f"{recommended.at:x}.{recommended.source}.{recommended.bundle_id}"
            made = self._made[recommended] = f"{text}.{self._mac(text)}"
        return made

    def read(self, recommendation_id: str) -> Recommended | None:
        """What an id says; None for one that was not made with this key."""
        text, _, mac = recommendation_id.rpartition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(text).encode()):
            return None
        at, source, bundle_id = text.split(".", 2)
        return Recommended(int(at, 16), cast("Source", source), bundle_id)

    def _mac(self, text: str) -> str:
        return blake2b(text.encode(), key=self._key, digest_size=_MAC_BYTES).hexdigest()
