from pathlib import Path

import pytest

from service.bundle.json_files import read_json, write_json
from service.errors import BundleInconsistent, BundleUnreadable


def test_a_document_is_written_as_utf_8_with_a_newline_and_comes_back(tmp_path: Path) -> None:
    document = {"title": "Amélie", "years": [2001, None], "score": 0.1}
    write_json(tmp_path / "a.json", document)
    assert (tmp_path / "a.json").read_bytes() == (
        '{"title": "Amélie", "years": [2001, null], "score": 0.1}\n'.encode()
    )
    assert read_json(tmp_path / "a.json") == document


def test_what_json_cannot_say_is_not_written_and_the_old_file_stays(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", [1])
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "a.json", [float("nan")])
    with pytest.raises(UnicodeEncodeError):
        write_json(tmp_path / "a.json", ["\ud800"])
    assert read_json(tmp_path / "a.json") == [1]
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleUnreadable, match=r"a\.json: No such file"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_document_that_is_no_json_is_inconsistent(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(BundleInconsistent, match=r"a\.json: not JSON"):
        read_json(tmp_path / "a.json")
