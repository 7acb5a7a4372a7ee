import numpy as np
import pytest

from training.data.ids import are_rounded, merged_ids, spelt_alike


def merged(*ids: str) -> list[str]:
    distinct = list(dict.fromkeys(ids))
    codes, cleaned = merged_ids(np.array([distinct.index(one) for one in ids], np.int32), distinct)
    assert len(set(cleaned)) == len(cleaned)
    return [cleaned[code] for code in codes]


def test_integers_written_as_decimals_by_some_rows_are_one_id() -> None:
    assert merged("1", "1.0", "02", "3.0", "") == ["1", "1", "02", "3", ""]
    assert merged("7.0", "nan") == ["7", "nan"]


def test_ids_that_are_no_integers_stay() -> None:
    assert merged("1.0", "1.1", "1") == ["1.0", "1.1", "1"]
    assert merged("a", "1.0") == ["a", "1.0"]


def test_ids_are_spelt_alike_but_for_capitals_and_leading_zeros() -> None:
    assert spelt_alike(["001", "TT0012", "x"], ["1", "tt0012", "y"]) == {"001": "1", "TT0012": "tt0012"}


@pytest.mark.parametrize(
    ("ids", "wanted"), [(["1", "01"], ["001"]), (["1"], ["01", "001"]), (["0"], ["00a"])]
)
def test_ids_that_could_be_several_are_not_alike(ids: list[str], wanted: list[str]) -> None:
    assert spelt_alike(ids, wanted) == {}


def test_ids_that_a_spreadsheet_rounded_are_told() -> None:
    assert are_rounded(["9.78044E+12", "9780440000000"])
    assert not are_rounded(["1e10", "tt5"])
    assert not are_rounded(["1", "2"])
