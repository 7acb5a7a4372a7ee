from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.bundle.array_files import open_array, write_array
from service.errors import BundleInconsistent, BundleUnreadable


def test_an_array_comes_back_as_the_type_it_was_written_as_and_cannot_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "made" / "a.npy"
    write_array(path, [0, 1, 2], np.int32)
    array = open_array(path, np.int32, dimensions=1)
    assert array.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    assert [each.name for each in path.parent.iterdir()] == ["a.npy"]


def test_a_mapped_array_stays_as_it_is_when_its_file_is_replaced(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", [1, 2], np.int32)
    mapped = open_array(tmp_path / "a.npy", np.int32, dimensions=1)
    write_array(tmp_path / "a.npy", [3, 4], np.int32)
    assert mapped.tolist() == [1, 2]
    assert open_array(tmp_path / "a.npy", np.int32, dimensions=1).tolist() == [3, 4]


def test_an_array_that_would_need_a_pickle_is_not_written_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        write_array(tmp_path / "a.npy", np.array([{"a": 1}], object), np.object_)
    assert list(tmp_path.iterdir()) == []


def test_an_array_of_length_0_is_an_array(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", [], np.uint8)
    assert open_array(tmp_path / "a.npy", np.uint8, dimensions=1).tolist() == []


@pytest.mark.parametrize("array", [np.zeros(2, np.int64), np.zeros((2, 2), np.int32)])
def test_an_array_of_another_type_or_shape_is_inconsistent(tmp_path: Path, array: NDArray[Any]) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(BundleInconsistent, match="expected int32 with 1 dimensions"):
        open_array(tmp_path / "a.npy", np.int32, dimensions=1)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BundleInconsistent, match=r"a\.npy"):
        open_array(tmp_path / "a.npy", np.int32, dimensions=1)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_file_that_is_no_array_is_inconsistent(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(BundleInconsistent, match=r"a\.npy"):
        open_array(tmp_path / "a.npy", np.int32, dimensions=1)


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleUnreadable, match=r"a\.npy: No such file"):
        open_array(tmp_path / "a.npy", np.int32, dimensions=1)
