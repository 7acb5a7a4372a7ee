import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.folder import open_folder
from training.errors import DataError


def zipped(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("ratings.csv", content)
    return archive.getvalue()


FILES = {"a.txt": b"one", "in/b.txt": b"two" * 1_000, "in/deep/c.txt": b"three"}


@pytest.mark.parametrize("into", ["ml", "ml.zip"])
def test_files_are_listed_and_read_one_directory_deep(write_files: Callable[..., Path], into: str) -> None:
    with open_folder(write_files(FILES, into)) as folder:
        assert folder.names() == ["a.txt", "in/b.txt"]
        assert folder.read("in/b.txt") == b"two" * 1_000


def test_messages_name_files_by_the_given_path(write_files: Callable[..., Path]) -> None:
    directory, archive = write_files(FILES), write_files(FILES, "ml.zip")
    with open_folder(directory) as folder:
        assert folder.label("in/b.txt") == f"{directory}/in/b.txt"
    with open_folder(archive) as folder:
        assert folder.label("in/b.txt") == f"{archive}:in/b.txt"


def test_names_in_a_zip_may_have_a_leading_dot(write_files: Callable[..., Path]) -> None:
    with open_folder(write_files({"./in/b.txt": b"two"}, "ml.zip")) as folder:
        assert folder.names() == ["in/b.txt"]
        assert folder.read("in/b.txt") == b"two"


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(DataError, match="nowhere: no such file or directory"),
        open_folder(tmp_path / "nowhere"),
    ):
        pass


def test_a_file_by_itself_is_a_folder_of_one(write_files: Callable[..., Path]) -> None:
    path = write_files(FILES) / "a.txt"
    with open_folder(path) as folder:
        assert folder.names() == ["a.txt"]
        assert folder.read("a.txt") == b"one"
        assert folder.read("a.txt", 2) == b"on"
        assert folder.label("a.txt") == str(path)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_tar_is_read_as_a_zip_is(write_files: Callable[..., Path], tmp_path: Path, mode: str) -> None:
    with tarfile.open(tmp_path / "ml.tar", mode) as tape:  # type: ignore[call-overload] # of any compression
        tape.add(write_files(FILES), arcname=".")
    with open_folder(tmp_path / "ml.tar") as folder:
        assert folder.names() == ["a.txt", "in/b.txt"]
        assert folder.read("in/b.txt") == b"two" * 1_000


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zipped])
def test_compressed_files_are_unpacked(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """The name does not tell."""
    (tmp_path / "ratings").write_bytes(pack(b"two" * 1_000))
    with open_folder(tmp_path) as folder:
        assert folder.read("ratings") == b"two" * 1_000
        assert folder.read("ratings", 4) == b"twot"


def test_a_truncated_compressed_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv.gz"
    path.write_bytes(gzip.compress(b"two" * 1_000)[:-12])
    message = r"ratings\.csv\.gz: expected gzip, got a damaged or truncated file"
    with open_folder(path) as folder, pytest.raises(DataError, match=message):
        folder.read(path.name)


def test_files_that_computers_add_are_none_of_the_data(write_files: Callable[..., Path]) -> None:
    files = FILES | {".DS_Store": b"x", "__MACOSX/._a.txt": b"x"}
    for into in ("ml", "ml.zip"):
        with open_folder(write_files(files, into)) as folder:
            assert folder.names() == ["a.txt", "in/b.txt"]


def test_a_file_of_an_office_program_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "ratings.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    with (
        pytest.raises(DataError, match=r"ratings\.xlsx: expected text, got .*; save it as CSV"),
        open_folder(path),
    ):
        pass


def test_a_truncated_zip_is_refused(write_files: Callable[..., Path]) -> None:
    path = write_files(FILES, "ml.zip")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"ml\.zip: expected a zip, got a truncated one"), open_folder(path):
        pass


def test_a_zip_member_with_a_wrong_checksum_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "ml.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("u.data", b"1\t2\t3\t4\n")
    path.write_bytes(path.read_bytes().replace(b"1\t2\t3\t4\n", b"1\t2\t5\t4\n"))
    with (
        open_folder(path) as folder,
        pytest.raises(DataError, match=r"ml\.zip:u\.data: the zip is damaged here"),
    ):
        folder.read("u.data")


def test_a_damaged_compressed_zip_member_is_refused_by_name(
    write_files: Callable[..., Path],
) -> None:
    path = write_files({"u.data": b"".join(b"%d\t2\n" % row for row in range(500))}, "ml.zip")
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    with (
        open_folder(path) as folder,
        pytest.raises(DataError, match=r"ml\.zip:u\.data: the zip is damaged here"),
    ):
        folder.read("u.data")


def test_an_unreadable_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "u.data").symlink_to(tmp_path / "gone")
    with (
        pytest.raises(DataError, match=r"u\.data: no such file|u\.data: cannot be read"),
        open_folder(tmp_path) as folder,
    ):
        folder.read("u.data")
