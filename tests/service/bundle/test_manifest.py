import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from any_manifest import MANIFEST

from service.bundle.manifest import MANIFEST_FILE, Manifest, document_sha256, read_manifest
from service.errors import BundleError, BundleIncompatible, BundleInconsistent, FileMissing, ManifestCorrupt


def write_manifest(directory: Path, manifest: Manifest, **changes: Any) -> None:
    """Writes it, with changes after the checksum was taken."""
    document = manifest.to_document() | changes
    (directory / MANIFEST_FILE).write_text(json.dumps(document), encoding="utf-8")


def change(document: dict[str, Any], *, name: str, value: object) -> None:
    document[name] = value


def test_the_checksum_is_of_canonical_json() -> None:
    # printf '{"a":"é","b":[1,0.5]}' | sha256sum
    expected = "487df58a5a8d7b2df6479781692d59ed51086e4f765f37f8f4fc34703e92ba27"
    assert document_sha256({"b": [1, 0.5], "a": "é"}) == expected


def test_an_index_that_is_not_searched_here_is_inconsistent(directory: Path) -> None:
    document = MANIFEST.to_document()
    del document["manifest_sha256"]
    document["index"]["metric"] = "dot"
    document["manifest_sha256"] = document_sha256(document)
    with pytest.raises(BundleInconsistent, match="expected index metric 'angular', got 'dot'"):
        Manifest.from_document(document, directory / MANIFEST_FILE)


def test_a_manifest_comes_back_as_it_was_written(directory: Path) -> None:
    manifest = read_manifest(directory)
    assert replace(manifest, files={}) == MANIFEST
    assert sorted(manifest.files) == ["a.npy", "model/b.pb"]
    assert manifest.files["a.npy"]["bytes"] == 5


def test_a_bundle_of_watches_has_no_rating_scale(tmp_path: Path) -> None:
    watches = replace(MANIFEST, rating_scale=None, bundle_id=tmp_path.name)
    watches.write(tmp_path)
    assert json.loads((tmp_path / MANIFEST_FILE).read_bytes())["rating_scale"] is None
    assert read_manifest(tmp_path) == watches


@pytest.mark.parametrize(("first", "has_times"), [(None, False), (0, True), (-5, True)])
def test_data_has_times_if_it_has_a_first_one(first: int | None, has_times: bool) -> None:
    assert replace(MANIFEST, dataset={"first_timestamp": first}).has_times is has_times


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"schema_version": 2}, BundleIncompatible, "expected schema_version 4, got 2"),
        ({"schema_version": "1"}, BundleIncompatible, "got '1'"),
        ({"seed": 2}, ManifestCorrupt, "expected manifest_sha256"),
        ({"manifest_sha256": None}, ManifestCorrupt, "expected manifest_sha256 None"),
    ],
)
def test_a_changed_manifest_is_refused(
    directory: Path, changes: dict[str, Any], error: type[BundleError], message: str
) -> None:
    write_manifest(directory, MANIFEST, **changes)
    with pytest.raises(error, match=message):
        read_manifest(directory)


COUNTS = ("embedding_dimension", "max_history")
OBJECTS = ("dataset", "hyperparameters", "libraries", "metrics", "files")
SCALES = ([1], [1, 2, 3], [5, 1], ["1", "5"], [1, "5"], [False, True], "15", {"1": 1, "5": 5})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.pop("seed"),
        lambda document: document.update(surplus=1),
        *(partial(change, name=name, value=value) for name in COUNTS for value in (50.0, "50", 0, -1, True)),
        *(partial(change, name=name, value=value) for name in OBJECTS for value in (["a.npy"], "good", 1)),
        *(partial(change, name="rating_scale", value=value) for value in SCALES),
        *(
            partial(change, name="files", value={"a.npy": entry})
            for entry in (
                None,
                "ab",
                {"sha256": "", "bytes": None},
                {"sha256": "", "bytes": True},
                {"sha256": "", "bytes": 1.0},
                {"sha256": 5, "bytes": 1},
                {"bytes": 1},
                {"sha256": ""},
            )
        ),
        *(
            partial(change, name=name, value=None)
            for name in ("dataset", "hyperparameters", "libraries", "files", "index")
        ),
        lambda document: document["index"].update(search_k="100"),
    ],
)
def test_a_manifest_with_other_fields_is_refused_though_its_checksum_fits(
    directory: Path, spoil: Callable[[dict[str, Any]], object]
) -> None:
    document = MANIFEST.to_document()
    del document["manifest_sha256"]
    spoil(document)
    document["manifest_sha256"] = document_sha256(document)
    (directory / MANIFEST_FILE).write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ManifestCorrupt, match=r"manifest\.json"):
        read_manifest(directory)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\xff", b"[]", b"null", b"[" * 100_000),
        b'{"schema_version": 4, "seed": NaN}',
        b'{"schema_version": 4, "dataset": "\\ud800"}',
    ],
)
def test_a_manifest_that_is_no_object_is_refused(directory: Path, content: bytes) -> None:
    (directory / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(ManifestCorrupt, match=r"manifest\.json"):
        read_manifest(directory)


def test_a_bundle_without_manifest_or_under_another_name_is_refused(directory: Path) -> None:
    renamed = directory.rename(directory.with_name("b2"))
    with pytest.raises(ManifestCorrupt, match="expected bundle_id b2, its directory's name, found b1"):
        read_manifest(renamed)
    (renamed / MANIFEST_FILE).unlink()
    with pytest.raises(FileMissing, match=r"manifest\.json: expected a file, found none"):
        read_manifest(renamed)
