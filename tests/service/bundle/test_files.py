from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.bundle.files import load_array, load_json
from service.errors import BundleInconsistent, BundleUnreadable


def test_an_array_is_mapped_and_cannot_be_written(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3, dtype=np.int32))
    array = load_array(tmp_path / "a.npy", np.int32, dimensions=1)
    assert array.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_an_array_of_length_0_is_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.empty(0, np.uint8))
    assert load_array(tmp_path / "a.npy", np.uint8, dimensions=1).tolist() == []


@pytest.mark.parametrize("array", [np.zeros(2, np.int64), np.zeros((2, 2), np.int32)])
def test_an_array_of_another_type_or_shape_is_inconsistent(tmp_path: Path, array: NDArray[Any]) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(BundleInconsistent, match="expected int32 with 1 dimensions"):
        load_array(tmp_path / "a.npy", np.int32, dimensions=1)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BundleInconsistent, match=r"a\.npy"):
        load_array(tmp_path / "a.npy", np.int32, dimensions=1)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_file_that_is_no_array_is_inconsistent(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(BundleInconsistent, match=r"a\.npy"):
        load_array(tmp_path / "a.npy", np.int32, dimensions=1)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleUnreadable, match=r"a\.npy: No such file"):
        load_array(tmp_path / "a.npy", np.int32, dimensions=1)
    with pytest.raises(BundleUnreadable, match=r"a\.json: No such file"):
        load_json(tmp_path / "a.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_document_that_is_no_json_is_inconsistent(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(BundleInconsistent, match=r"a\.json: not JSON"):
        load_json(tmp_path / "a.json")
