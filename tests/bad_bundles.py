"""Corruptions of a bundle, each with the error that must refuse it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tiny_bundle import seal

from service.bundle.annoy_index import INDEX_FILE
from service.bundle.candidate_index import CANDIDATES_FILE
from service.bundle.catalogue import CATALOGUE_FILE
from service.bundle.checksums import file_entry
from service.bundle.golden_requests import GOLDEN_FILE
from service.bundle.histories import HISTORY_ARRAYS
from service.bundle.manifest import MANIFEST_FILE, read_manifest
from service.bundle.rating_head import RATING_ARRAYS, RATING_HEAD_FILE
from service.errors import (
    BundleError,
    BundleInconsistent,
    BundleUnsafe,
    ChecksumDiffers,
    FileMissing,
    ManifestCorrupt,
    SizeDiffers,
)

FILES = (
    CANDIDATES_FILE,
    INDEX_FILE,
    CATALOGUE_FILE,
    GOLDEN_FILE,
    *HISTORY_ARRAYS.values(),
    *RATING_ARRAYS.values(),
    RATING_HEAD_FILE,
    "model/fingerprint.pb",
    "model/saved_model.pb",
    "model/variables/variables.data-00000-of-00001",
    "model/variables/variables.index",
)
"""Files of the tiny bundle, except its manifest."""

LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "metric": lambda manifest: {"index": manifest["index"] | {"metric": "dot"}},
    "augmentation": lambda manifest: {"index": manifest["index"] | {"augmentation": "none"}},
    "number of trees": lambda manifest: {"index": manifest["index"] | {"trees": 21}},
    "number of candidates": lambda manifest: {"index": manifest["index"] | {"candidates": 241}},
    "dimension": lambda manifest: {"embedding_dimension": manifest["embedding_dimension"] + 1},
    "number of users": lambda manifest: {"dataset": manifest["dataset"] | {"users": 9}},
    "number of movies": lambda manifest: {"dataset": manifest["dataset"] | {"movies": 239}},
    "number of ratings": lambda manifest: {"dataset": manifest["dataset"] | {"ratings": 0}},
}
"""Manifest fields that contradict the files, with a valid checksum."""


@dataclass(frozen=True)
class BadBundle:
    """A corruption of a bundle.

    Attributes:
        name: Name of the corruption.
        spoil: Corrupts a bundle's directory, beside which is `other`, with files of equal sizes that differ.
        error: The expected error.
        names: Text that the message must contain; the file, if there is one.
    """

    name: str
    spoil: Callable[[Path], object]
    error: type[BundleError]
    names: str


def _bad_bundles() -> Iterator[BadBundle]:
    for name in (*FILES, MANIFEST_FILE):
        own = name == MANIFEST_FILE
        differs = ManifestCorrupt if own else ChecksumDiffers
        yield BadBundle(f"a byte of {name} flipped", partial(_flip, name), differs, name)
        yield BadBundle(f"{name} cut", partial(_cut, name), ManifestCorrupt if own else SizeDiffers, name)
        yield BadBundle(f"{name} removed", partial(_remove, name), FileMissing, name)
        yield BadBundle(f"{name} of another bundle", partial(_swap, name), differs, name)
    for what, changes in LIES.items():
        yield BadBundle(f"another {what}", partial(_lie, changes), BundleInconsistent, "expected")
    for path in ("../../etc/passwd", "/etc/passwd", "model/../../other/catalogue.json"):
        yield BadBundle(f"a file at {path}", partial(_reach_out, path), BundleUnsafe, "leads out")
    yield BadBundle("a link out", _link_out, BundleUnsafe, CATALOGUE_FILE)
    yield BadBundle("a directory linked out", _link_directory_out, BundleUnsafe, "histories")


def make_other(bundle: Path) -> None:
    """Make a valid copy `other` beside a bundle, with one byte of each file changed."""
    other = Path(shutil.copytree(bundle, bundle.with_name("other")))
    for name in FILES:
        _flip(name, other)
    seal(other)


def _flip(name: str, bundle: Path) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)


def _cut(name: str, bundle: Path) -> None:
    (bundle / name).write_bytes((bundle / name).read_bytes()[:-1])


def _remove(name: str, bundle: Path) -> None:
    (bundle / name).unlink()


def _swap(name: str, bundle: Path) -> None:
    shutil.copy(bundle.parent / "other" / name, bundle / name)


def _lie(changes: Callable[[dict[str, Any]], dict[str, Any]], bundle: Path) -> None:
    seal(bundle, **changes(read_manifest(bundle).to_document()))


def _reach_out(path: str, bundle: Path) -> None:
    files = read_manifest(bundle).files
    seal(bundle, files=files | {path: files[CATALOGUE_FILE]})


def _link_out(bundle: Path) -> None:
    outside = bundle.with_name(f"{bundle.name}.outside")
    shutil.move(bundle / CATALOGUE_FILE, outside)
    (bundle / CATALOGUE_FILE).symlink_to(outside)
    assert file_entry(bundle / CATALOGUE_FILE) == read_manifest(bundle).files[CATALOGUE_FILE]


def _link_directory_out(bundle: Path) -> None:
    outside = bundle.with_name(f"{bundle.name}.outside")
    shutil.move(bundle / "histories", outside)
    (bundle / "histories").symlink_to(outside)


BAD_BUNDLES = tuple(_bad_bundles())
