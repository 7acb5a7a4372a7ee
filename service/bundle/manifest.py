"""`manifest.json`: what is in a bundle, where it came from, and checksums; the standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypedDict

from service.bundle.index_description import IndexDescription, is_count
from service.bundle.json_files import write_json
from service.errors import BundleIncompatible, BundleUnreadable, FileMissing, ManifestCorrupt

MANIFEST_FILE = "manifest.json"
SCHEMA_VERSION = 4


class FileEntry(TypedDict):
    """What the manifest knows of one file."""

    sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is in a bundle and where it came from.

    Attributes:
        bundle_id: The directory's name.
        created_utc: ISO 8601, seconds, ending in Z.
        dataset: name, source, ratings, users, movies, first_timestamp, last_timestamp (None where the data
            has no times), sha256.
        hyperparameters: Every field of the training configuration.
        embedding_dimension: Columns of `candidates.npy`.
        max_history: The most recent movies of a history that a query reads.
        rating_scale: Smallest and largest stars; None where nothing was rated, and then the bundle has no
            `rating_head`.
        index: Which index the bundle has, and how long to search it.
        metrics: What evaluation measured on held-out rows, ours beside the baselines'; None if not measured.
        libraries: Versions by package name.
        files: Every other file of the bundle, by its POSIX path inside it.
    """

    bundle_id: str
    created_utc: str
    dataset: dict[str, Any]
    hyperparameters: dict[str, Any]
    seed: int
    embedding_dimension: int
    max_history: int
    rating_scale: tuple[float, float] | None
    index: IndexDescription
    metrics: dict[str, Any] | None
    libraries: dict[str, str]
    files: dict[str, FileEntry]
    schema_version: int = SCHEMA_VERSION

    @property
    def has_times(self) -> bool:
        """Whether the data said when movies were watched; without times the model knows none."""
        return self.dataset.get("first_timestamp") is not None

    def to_document(self) -> dict[str, Any]:
        """The JSON document, with `manifest_sha256` over the rest."""
        document = asdict(self)
        scale = None if self.rating_scale is None else list(self.rating_scale)
        document |= {"rating_scale": scale, "index": self.index.to_document()}
        return document | {"manifest_sha256": document_sha256(document)}

    def write(self, directory: Path) -> None:
        """Write the file, as the last one of a bundle.

        Raises:
            OSError: It cannot be written.
        """
        write_json(directory / MANIFEST_FILE, self.to_document(), indent=2)

    @classmethod
    def from_document(cls, document: object, where: Path) -> Manifest:
        """Read and check what `to_document` wrote.

        Raises:
            BundleIncompatible: Another schema version.
            ManifestCorrupt: Not an object, fields missing or malformed, or a checksum that does not fit.
            BundleInconsistent: See `IndexDescription.from_document`.
        """
        if not isinstance(document, dict):
            raise ManifestCorrupt(
                f"{where}: expected a JSON object, got {type(document).__name__}; export again"
            )
        version = document.get("schema_version")
        if version != SCHEMA_VERSION:
            raise BundleIncompatible(
                f"{where}: expected schema_version {SCHEMA_VERSION}, got {version!r}; "
                "train with this version of Matinee, or serve with the version that trained"
            )
        rest = {key: value for key, value in document.items() if key != "manifest_sha256"}
        try:
            expected, found = document.get("manifest_sha256"), document_sha256(rest)
        except ValueError as error:  # NaN, or half of a surrogate pair, which no export writes
            raise ManifestCorrupt(f"{where}: cannot be checked ({error}); export again") from error
        if expected != found:
            raise ManifestCorrupt(
                f"{where}: expected manifest_sha256 {expected}, found {found}; export again"
            )
        names = {field.name for field in fields(cls)}
        if rest.keys() != names:
            raise ManifestCorrupt(
                f"{where}: missing or unknown fields {sorted(rest.keys() ^ names)}; export again"
            )
        if malformed := [name for name, is_well_formed in _SHAPES.items() if not is_well_formed(rest[name])]:
            raise ManifestCorrupt(f"{where}: malformed fields {malformed}; export again")
        index = IndexDescription.from_document(rest["index"], where)
        scale = rest["rating_scale"]
        if scale is not None:
            scale = float(scale[0]), float(scale[1])
        return cls(**rest | {"rating_scale": scale, "index": index})


def _is_scale(value: object) -> bool:
    return value is None or (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(stars, int | float) and not isinstance(stars, bool) for stars in value)
        and value[0] <= value[1]
    )


def _are_files(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(entry, dict) and isinstance(entry.get("sha256"), str) and type(entry.get("bytes")) is int
        for entry in value.values()
    )


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


# What readers of a manifest rely on, so that they need not check it again.
_SHAPES: dict[str, Callable[[object], bool]] = {
    "dataset": _is_object,
    "hyperparameters": _is_object,
    "embedding_dimension": is_count,
    "max_history": is_count,
    "rating_scale": _is_scale,
    "metrics": lambda value: value is None or isinstance(value, dict),
    "libraries": _is_object,
    "files": _are_files,
}


def document_sha256(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no white space, UTF-8, floats as Python prints them."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(directory: Path) -> Manifest:
    """Read `manifest.json` of one bundle.

    Raises:
        FileMissing, BundleUnreadable: The file is not there, or may not be read.
        ManifestCorrupt, BundleIncompatible, BundleInconsistent: See `Manifest.from_document`.
    """
    path = directory / MANIFEST_FILE
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise FileMissing(
            f"{path}: expected a file, found none; a bundle is whole only with its manifest"
        ) from error
    except OSError as error:
        raise BundleUnreadable(
            f"{path}: {error.strerror}; a bundle is whole only with its manifest"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ManifestCorrupt(f"{path}: not JSON ({error}); export again") from error
    manifest = Manifest.from_document(document, path)
    if manifest.bundle_id != directory.name:
        raise ManifestCorrupt(
            f"{path}: expected bundle_id {directory.name}, its directory's name, found {manifest.bundle_id}"
        )
    return manifest
