"""Lay the files of public data sets out, each set in a directory of its own, their checksums verified."""

from __future__ import annotations

import io
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from benchmarks.public_data.public_set import PublicSet, SourceFile


class WrongContent(Exception):
    """A file whose checksum is not the one in the table."""


class Files(Protocol):
    """Where files are read from."""

    def read(self, repository: str, commit: str, path: str) -> bytes:
        """Return a file's content."""


def read_checksums(path: Path) -> dict[str, str]:
    """Return the sha256 by `<set>/<file>` of a list as `sha256sum` writes and checks it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: checksum for checksum, name in (line.split(maxsplit=1) for line in lines)}


def is_laid_out(public: PublicSet, directory: Path, checksums: dict[str, str]) -> bool:
    """Check whether all files of a set are below `directory` with the right checksums."""
    names = [f"{public.name}/{file}" for file in public.laid_out]
    return all(
        (directory / name).is_file() and _sha256(directory / name) == checksums[name] for name in names
    )


def lay_out(public: PublicSet, directory: Path, files: Files, checksums: dict[str, str]) -> None:
    """Fetch the files of a set into `directory/<its name>` and write those made from them.

    Args:
        public: The set.
        directory: Where each set has a directory.
        files: Where the set's files are read from.
        checksums: sha256 by `<set>/<file>`.

    Raises:
        NotFetched: a file could not be had.
        WrongContent: a checksum differs; the file is not left behind.
    """
    home = directory / public.name
    for repository in public.repositories:
        for file in repository.files:
            place = home / file.laid_out
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(_content(file, files.read(repository.name, repository.commit, file.path)))
            _verify(place, checksums[f"{public.name}/{file.laid_out}"])
    for made in public.made:
        made.write(home, home / made.name)
        _verify(home / made.name, checksums[f"{public.name}/{made.name}"])


def _content(file: SourceFile, content: bytes) -> bytes:
    if not file.member:
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(file.member)


def _verify(place: Path, expected: str) -> None:
    came = _sha256(place)
    if came != expected:
        place.unlink()
        raise WrongContent(
            f"{place}: expected the sha256 {expected}, came {came}: fetch it again, "
            "or if the source or what is made of it changed on purpose, correct sha256sums.txt"
        )


def _sha256(place: Path) -> str:
    return sha256(place.read_bytes()).hexdigest()
