"""The files of the page that `GET /` shows, as they are sent."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

WEB_DIRECTORY = Path(__file__).parents[1] / "web"

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class WebFile:
    """A file of the page.

    Attributes:
        content: Its bytes.
        media_type: By its name.
        etag: Changes with its content, and with nothing else: all workers and replicas have the same.
    """

    content: bytes
    media_type: str
    etag: str

    @classmethod
    def read(cls, path: Path) -> WebFile:
        """Reads a file whose name ends in one of the endings that the page is made of."""
        content = path.read_bytes()
        return cls(content, _MEDIA_TYPES[path.suffix], f'"{sha256(content).hexdigest()[:32]}"')


def read_web_files() -> dict[str, WebFile]:
    """Every file of the page, by its name."""
    return {path.name: WebFile.read(path) for path in sorted(WEB_DIRECTORY.iterdir())}
