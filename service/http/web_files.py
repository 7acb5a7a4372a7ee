"""Static files of the web page, read into memory."""

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
    """A static file.

    Attributes:
        content: The file's bytes.
        media_type: Value of `Content-Type`.
        etag: Depends on the content only, so all workers and replicas send the same; weak, as the content may
            be sent compressed.
    """

    content: bytes
    media_type: str
    etag: str

    @classmethod
    def read(cls, path: Path) -> WebFile:
        """Read a file with one of the endings of `_MEDIA_TYPES`."""
        content = path.read_bytes()
        return cls(content, _MEDIA_TYPES[path.suffix], f'W/"{sha256(content).hexdigest()[:32]}"')


def read_web_files() -> dict[str, WebFile]:
    """Read every file of the page; return them by name."""
    return {path.name: WebFile.read(path) for path in sorted(WEB_DIRECTORY.iterdir())}
