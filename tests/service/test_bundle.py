from pathlib import Path

import pytest

from service.bundle import CURRENT_FILE, read_current, write_current
from service.errors import BundleError, BundleUnsafe, NoBundle


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "b1"
    directory.mkdir()
    return directory


def test_current_names_the_live_bundle_on_one_line(directory: Path) -> None:
    artifacts = directory.parent
    write_current(artifacts, "b1")
    assert (artifacts / CURRENT_FILE).read_bytes() == b"b1\n"
    assert (artifacts / CURRENT_FILE).stat().st_mode & 0o777 == 0o644
    assert read_current(artifacts) == directory
    assert sorted(path.name for path in artifacts.iterdir()) == [CURRENT_FILE, "b1"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", NoBundle),
        (b"\n", NoBundle),
        (b"b2\n", NoBundle),
        (b"\xff\n", NoBundle),
        (b"b1 \n", NoBundle),
        (b"x" * 10_000, NoBundle),
        (b".\n", BundleUnsafe),
        (b"..\n", BundleUnsafe),
        (b"/etc\n", BundleUnsafe),
        (b"b1/model\n", BundleUnsafe),
        (b"b1\0\n", BundleUnsafe),
    ],
)
def test_a_current_that_names_no_bundle_here_is_refused(
    directory: Path, content: bytes, error: type[BundleError]
) -> None:
    (directory.parent / CURRENT_FILE).write_bytes(content)
    with pytest.raises(error, match=CURRENT_FILE):
        read_current(directory.parent)


def test_a_current_of_megabytes_is_not_repeated_in_the_error(directory: Path) -> None:
    (directory.parent / CURRENT_FILE).write_bytes(b"x" * 1_000_000)
    with pytest.raises(NoBundle, match="got 1000000 characters") as caught:
        read_current(directory.parent)
    assert len(str(caught.value)) < 1_000


def test_without_current_the_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NoBundle, match="python -m training fit"):
        read_current(tmp_path)
