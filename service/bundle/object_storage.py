"""Bundles in an object storage, such as `s3://bucket/prefix`, or below any other URL that fsspec knows.

It holds what a directory of bundles does: bundles, CURRENT, PREVIOUS, REFUSED. A bundle is written with its
manifest last and CURRENT after it, so nothing half-written is ever named. Credentials and endpoints are what
the client of the storage reads, for S3 the variables `AWS_*`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from service.bundle.checksums import verify_files
from service.bundle.current import CURRENT_FILE, PREVIOUS_FILE, REFUSED_FILE, check_name
from service.bundle.manifest import MANIFEST_FILE, read_manifest
from service.errors import BundleError, BundleUnsafe, FileMissing, NoPrevious, StorageAway


def is_url(artifacts: object) -> bool:
    """Whether bundles are in an object storage, rather than in a directory."""
    return isinstance(artifacts, str) and "://" in artifacts


class ObjectStorage:
    """Bundles below one URL.

    Args:
        url: Such as `s3://bucket/prefix`.

    Raises:
        StorageAway: A package for such URLs is not installed, or the URL is not understood.
    """

    def __init__(self, url: str) -> None:
        self.name = url.rpartition("@")[2] if "@" in url else url  # without a password
        try:
            from fsspec.core import url_to_fs  # noqa: PLC0415 optional
        except ImportError as error:
            raise StorageAway(
                f"{self.name}: bundles in object storage need more packages: "
                "pip install -r requirements/storage.txt"
            ) from error
        with self._reaching():
            self._files, root = url_to_fs(url)
        self._root = str(root).rstrip("/")

    def read_name(self, file_name: str) -> str | None:
        """The bundle's id in CURRENT, PREVIOUS or REFUSED; None where there is no such file.

        Raises:
            BundleUnsafe: What it holds is no name of a bundle.
            StorageAway: It cannot be read.
        """
        with self._reaching():
            try:
                content: bytes = self._files.cat_file(self._path(file_name))
            except FileNotFoundError:
                return None
        name = content.decode(errors="replace").removesuffix("\n")
        check_name(name, f"{self.name}/{file_name}")
        return name

    def fetch(self, bundle_id: str, into: Path) -> Path:
        """Copy a bundle into a directory, and verify every file.

        Args:
            bundle_id: The bundle's.
            into: An empty directory.

        Returns:
            The bundle's directory, `into / bundle_id`.

        Raises:
            StorageAway: It cannot be read.
            BundleError: It is not whole.
        """
        directory = into / bundle_id
        directory.mkdir()
        self._get(bundle_id, MANIFEST_FILE, directory)
        manifest = read_manifest(directory)
        for name in manifest.files:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise BundleUnsafe(
                    f"{self.name}/{bundle_id}: {name!r} leads out of the bundle; do not use it"
                )
            self._get(bundle_id, name, directory)
        verify_files(directory, manifest)
        return directory

    def publish(self, bundle: Path) -> None:
        """Copy a bundle's files into the storage, its manifest last; it is not live yet.

        Raises:
            StorageAway: They cannot be written.
            BundleError: The bundle's manifest cannot be read.
        """
        for name in (*read_manifest(bundle).files, MANIFEST_FILE):
            path = self._path(f"{bundle.name}/{name}")
            with self._reaching():
                try:
                    self._files.put_file(str(bundle / name), path)
                except FileNotFoundError:  # a storage with directories, which this one needs first
                    self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
                    self._files.put_file(str(bundle / name), path)

    def go_live(self, bundle_id: str) -> None:
        """As of a directory: PREVIOUS is written first, then CURRENT; each is replaced whole."""
        live = self.read_name(CURRENT_FILE)
        if live not in {None, bundle_id}:
            self._write(PREVIOUS_FILE, str(live))
        self._write(CURRENT_FILE, bundle_id)
        with self._reaching(), suppress(FileNotFoundError):
            self._files.rm_file(self._path(REFUSED_FILE))

    def refuse(self, bundle_id: str) -> None:
        """Note that the newest bundle is kept from going live."""
        self._write(REFUSED_FILE, bundle_id)

    def roll_back(self) -> str:
        """Exchange CURRENT and PREVIOUS; doing it twice undoes it.

        Returns:
            The id of the bundle that is live now.

        Raises:
            NoPrevious: No bundle was live before, or its manifest is not there any more.
            StorageAway: They cannot be read or written.
        """
        live, previous = self.read_name(CURRENT_FILE), self.read_name(PREVIOUS_FILE)
        if live is None or previous is None or live == previous:
            raise NoPrevious(f"{self.name}: there is no bundle to go back to")
        with self._reaching():
            is_there = self._files.exists(self._path(f"{previous}/{MANIFEST_FILE}"))
        if not is_there:
            raise NoPrevious(f"{self.name}: the previous bundle, {previous}, is not there any more")
        self._write(PREVIOUS_FILE, live)
        self._write(CURRENT_FILE, previous)
        return previous

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _write(self, file_name: str, bundle_id: str) -> None:
        with self._reaching():
            self._files.pipe_file(self._path(file_name), f"{bundle_id}\n".encode())

    def _get(self, bundle_id: str, name: str, directory: Path) -> None:
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._reaching():
            try:
                self._files.get_file(self._path(f"{bundle_id}/{name}"), str(target))
            except FileNotFoundError as error:
                raise FileMissing(
                    f"{self.name}/{bundle_id}/{name}: expected a file, found none; copy the bundle again"
                ) from error

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except BundleError:
            raise
        except Exception as error:  # each kind of storage has errors of its own
            raise StorageAway(
                f"{self.name}: the storage of bundles cannot be used ({type(error).__name__}: {error})"
            ) from error
