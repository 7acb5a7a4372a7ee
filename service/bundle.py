"""The contract between training, which writes bundles, and the service, which reads them.

A bundle is a directory `<artifacts>/<bundle_id>/`:

manifest.json   `Manifest` below, written last
model/          one SavedModel with the signatures `embed_query`, `predict_rating`, `serving_default`
candidates.npy  float32 `[num_candidates, embedding_dimension]`; a score is a row's dot product with a query
candidates.ann  Annoy, metric angular, over the same rows augmented by one coordinate (`INDEX_AUGMENTATION`)
catalogue.json  columns by candidate row: `movie_ids`, `titles`, `genres` (lists), `years` (null where not
                known), `num_ratings`
histories/      what each user rated, oldest first, as CSR arrays (`HISTORY_ARRAYS`)
golden.json     `GoldenRequests`: requests with the answers that training computed exactly
report/         pages for people; listed in the manifest like everything else

Beside the bundles, `CURRENT` is a text file: the live bundle's directory name and a newline.

The signatures `embed_query` and `predict_rating` take, by name,
`user_rows` int32 `[B]` (position in the bundle's users, `NO_ROW` for a stranger),
`timestamps` int64 `[B]` (Unix seconds, `NO_TIMESTAMP` for a time-agnostic query),
`history_rows` int32 `[B, L]` (candidate rows, oldest first, padded at the end with `NO_ROW`),
`history_ratings` float32 `[B, L]` (stars, NaN where not rated) and
`history_timestamps` int64 `[B, L]` (`NO_TIMESTAMP` where not known).
`embed_query` returns `query_embeddings` float32 `[B, embedding_dimension]`. `predict_rating` takes
`candidate_rows` int32 `[B, K]` as well and returns `ratings` float32 `[B, K]`, stars clipped to the scale.

This module needs the standard library only, so that both sides, and any script, can import it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, TypedDict

from service.errors import BundleCorrupt, BundleIncompatible, BundleUnreadable, BundleUnsafe, NoBundle

SCHEMA_VERSION = 1
NO_ROW = -1
NO_TIMESTAMP = -(2**63)

_LONGEST_NAME = 255  # of a file, on every file system that matters

CURRENT_FILE = "CURRENT"
MANIFEST_FILE = "manifest.json"
MODEL_DIRECTORY = "model"
CANDIDATES_FILE = "candidates.npy"
INDEX_FILE = "candidates.ann"
CATALOGUE_FILE = "catalogue.json"
GOLDEN_FILE = "golden.json"
REPORT_DIRECTORY = "report"

INDEX_AUGMENTATION = "sqrt(M^2 - |x|^2)"
"""Candidates x become [x, sqrt(M^2 - |x|^2)] with M the largest norm, queries q become [q, 0]: the angle
then orders as the dot product does (Bachrach et al. 2014, https://doi.org/10.1145/2645710.2645741)."""

HISTORY_ARRAYS = {
    "user_id_bytes": "histories/user_id_bytes.npy",  # uint8: all user ids in UTF-8, one after another
    "user_id_offsets": "histories/user_id_offsets.npy",  # int64 [num_users + 1] into it; ids ascend by bytes
    "offsets": "histories/offsets.npy",  # int64 [num_users + 1] into the arrays below
    "movie_rows": "histories/movie_rows.npy",  # int32 [num_ratings], candidate rows
    "ratings": "histories/ratings.npy",  # float32 [num_ratings], stars
    "timestamps": "histories/timestamps.npy",  # int64 [num_ratings], Unix seconds, ascending by user
}


class FileEntry(TypedDict):
    """What the manifest knows of one file."""

    sha256: str
    bytes: int


class HistoryEntry(TypedDict):
    """One movie of a history sent with a request; `rating` is null where there was none."""

    movie_id: str
    rating: float | None


class GoldenItem(TypedDict):
    """One recommended movie of a golden answer."""

    movie_id: str
    score: float
    predicted_rating: float


class GoldenRecommendation(TypedDict):
    """A request to recommend and its exact answer."""

    user_id: str | None
    history: list[HistoryEntry]
    timestamp: int | None
    k: int
    exclude_seen: bool
    source: str
    items: list[GoldenItem]


class GoldenRating(TypedDict):
    """A request to predict one rating and its answer in stars."""

    user_id: str | None
    history: list[HistoryEntry]
    timestamp: int | None
    movie_id: str
    predicted_rating: float


class GoldenRequests(TypedDict):
    """`golden.json`."""

    recommend: list[GoldenRecommendation]
    predict_rating: list[GoldenRating]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is in a bundle and where it came from.

    Attributes:
        bundle_id: The directory's name.
        created_utc: ISO 8601, seconds, ending in Z.
        dataset: name, source, ratings, users, movies, first_timestamp, last_timestamp, sha256.
        hyperparameters: Every field of the training configuration.
        embedding_dimension: Columns of `candidates.npy`.
        max_history: The most recent movies of a history that a query reads.
        rating_scale: Smallest and largest stars.
        index: backend, metric, augmentation, trees, search_k, candidates, recall_at_10, recall_at_100.
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
    rating_scale: tuple[float, float]
    index: dict[str, Any]
    metrics: dict[str, Any] | None
    libraries: dict[str, str]
    files: dict[str, FileEntry]
    schema_version: int = SCHEMA_VERSION

    def to_document(self) -> dict[str, Any]:
        """The JSON document, with `manifest_sha256` over the rest."""
        document = asdict(self) | {"rating_scale": list(self.rating_scale)}
        return document | {"manifest_sha256": document_sha256(document)}

    @classmethod
    def from_document(cls, document: object, where: Path) -> Manifest:
        """Reads and checks what `to_document` wrote.

        Raises:
            BundleIncompatible: Another schema version.
            BundleCorrupt: Not an object, a field missing, or a checksum that does not fit.
        """
        if not isinstance(document, dict):
            raise BundleCorrupt(
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
            raise BundleCorrupt(f"{where}: cannot be checked ({error}); export again") from error
        if expected != found:
            raise BundleCorrupt(f"{where}: expected manifest_sha256 {expected}, found {found}; export again")
        names = {field.name for field in fields(cls)}
        if rest.keys() != names:
            raise BundleCorrupt(
                f"{where}: missing or unknown fields {sorted(rest.keys() ^ names)}; export again"
            )
        if malformed := [name for name, is_well_formed in _SHAPES.items() if not is_well_formed(rest[name])]:
            raise BundleCorrupt(f"{where}: malformed fields {malformed}; export again")
        low, high = rest["rating_scale"]
        return cls(**rest | {"rating_scale": (float(low), float(high))})


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_scale(value: object) -> bool:
    return (
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
    "embedding_dimension": _is_count,
    "max_history": _is_count,
    "rating_scale": _is_scale,
    "index": lambda value: isinstance(value, dict) and _is_count(value.get("search_k", 1)),
    "metrics": lambda value: value is None or isinstance(value, dict),
    "libraries": _is_object,
    "files": _are_files,
}


def index_search_k(index: Mapping[str, Any], num_results: int) -> int | None:
    """Annoy's `search_k` for one query, the same where recall is measured and where it is served.

    Args:
        index: A manifest's `index`, whose `search_k` is the least that any query of Annoy uses.
        num_results: Rows asked of Annoy: k and the number of excluded rows together.

    Returns:
        Nodes to inspect, never fewer than Annoy's own default of `trees * num_results`; None where half of
        the candidates or more are asked for, which scoring every candidate finds sooner, and exactly.
    """
    if 2 * num_results >= int(index["candidates"]):
        return None
    return max(int(index["search_k"]), int(index["trees"]) * num_results)


def document_sha256(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no white space, UTF-8, floats as Python prints them."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_entry(path: Path) -> FileEntry:
    """Size and SHA-256 of one file, read in pieces."""
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


def list_files(directory: Path) -> dict[str, FileEntry]:
    """Entries of every file below `directory` except the manifest, by POSIX path, sorted."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    entries = {path.relative_to(directory).as_posix(): file_entry(path) for path in paths}
    entries.pop(MANIFEST_FILE, None)
    return entries


def read_manifest(directory: Path) -> Manifest:
    """Reads `manifest.json` of one bundle.

    Raises:
        BundleUnreadable: The file is missing or may not be read.
        BundleCorrupt, BundleIncompatible: See `Manifest.from_document`.
    """
    path = directory / MANIFEST_FILE
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise BundleUnreadable(
            f"{path}: {error.strerror}; a bundle is whole only with its manifest"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BundleCorrupt(f"{path}: not JSON ({error}); export again") from error
    manifest = Manifest.from_document(document, path)
    if manifest.bundle_id != directory.name:
        raise BundleCorrupt(
            f"{path}: expected bundle_id {directory.name}, its directory's name, found {manifest.bundle_id}"
        )
    return manifest


def verify_files(directory: Path, manifest: Manifest) -> None:
    """Checks that every file of the manifest is there, inside, and as it was written.

    Raises:
        BundleUnsafe: A path, or a symbolic link, leads out of the bundle.
        BundleUnreadable: A file is missing or may not be read.
        BundleCorrupt: A size or checksum differs.
    """
    root = directory.resolve()
    for name, expected in manifest.files.items():
        path = directory / name
        if PurePosixPath(name).is_absolute() or not _is_inside(path, root):
            raise BundleUnsafe(f"{path}: leads out of the bundle; do not use this bundle")
        try:
            size = path.stat().st_size
            if size != expected["bytes"]:
                raise BundleCorrupt(
                    f"{path}: expected {expected['bytes']} bytes, found {size}; copy it again"
                )
            found = file_entry(path)
        except OSError as error:
            raise BundleUnreadable(f"{path}: {error.strerror}; copy the bundle again") from error
        if found["sha256"] != expected["sha256"]:
            raise BundleCorrupt(
                f"{path}: expected sha256 {expected['sha256']}, found {found['sha256']}; copy it again"
            )


def _is_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that no file can have
        return False


def read_current(artifacts: Path) -> Path:
    """The live bundle's directory.

    Raises:
        NoBundle: CURRENT is missing, empty, or names no directory.
        BundleUnsafe: CURRENT names something that is not directly in `artifacts`.
    """
    path = artifacts / CURRENT_FILE
    try:
        name = path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise NoBundle(
            f"{path}: cannot be read ({error}); run `python -m training fit` to make a bundle"
        ) from error
    if not name:
        raise NoBundle(f"{path}: is empty; expected the name of a bundle's directory")
    if len(name) > _LONGEST_NAME:
        raise NoBundle(f"{path}: expected the name of a directory beside it, got {len(name)} characters")
    if name in {".", ".."} or "/" in name or "\\" in name or "\0" in name:
        raise BundleUnsafe(f"{path}: expected the name of a directory beside it, got {name!r}")
    try:
        is_directory = (artifacts / name).is_dir()
    except OSError as error:  # such as a directory that may not be searched
        raise NoBundle(f"{path}: names {name}, which cannot be looked at ({error})") from error
    if not is_directory:
        raise NoBundle(f"{path}: names {name}, and {artifacts / name} is not a directory")
    return artifacts / name


def write_current(artifacts: Path, bundle_id: str) -> None:
    """Makes `bundle_id` the live bundle, atomically: readers see the old name or the new one."""
    temporary = artifacts / f".{CURRENT_FILE}.{os.getpid()}"
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(f"{bundle_id}\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(artifacts / CURRENT_FILE)
    finally:
        temporary.unlink(missing_ok=True)
