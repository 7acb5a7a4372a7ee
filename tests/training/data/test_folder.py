import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.folder import open_folder
from training.errors import DataError

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


def test_a_file_that_is_not_a_zip_is_refused(write_files: Callable[..., Path]) -> None:
    path = write_files(FILES) / "a.txt"
    with pytest.raises(DataError, match=r"a\.txt: expected a directory or a zip, got"), open_folder(path):
        pass


def test_a_truncated_zip_is_refused(write_files: Callable[..., Path]) -> None:
    path = write_files(FILES, "ml.zip")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"ml\.zip: expected .*truncated"), open_folder(path):
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
