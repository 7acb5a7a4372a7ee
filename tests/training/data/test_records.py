import pytest

from training.data.delimited_text import Format, as_utf8, records
from training.errors import DataError

TABS = Format("\t", ("user", "movie"))
COMMAS = Format(",", quoted=True)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_empty_lines_count_as_lines_but_not_as_rows(line_break: str) -> None:
    content = line_break.join(["", "1\t2", "", "", "3\t", ""]).encode()
    assert list(records("u.data", content, TABS)) == [(2, ["1", "2"]), (5, ["3", ""])]


def test_a_quoted_row_has_the_line_of_its_first_field() -> None:
    content = b'a,b\n1,"x\ny"\n\n2,z\n'
    assert list(records("x.csv", content, COMMAS)) == [(1, ["a", "b"]), (2, ["1", "x\ny"]), (5, ["2", "z"])]


def test_a_field_longer_than_the_limit_is_refused_with_its_line() -> None:
    content = b'a,b\n1,"' + b"x" * 200_000 + b'"\n'
    with pytest.raises(
        DataError, match=r"^x\.csv line 2: expected comma-separated values, got: field larger"
    ):
        list(records("x.csv", content, COMMAS))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_text_in_either_encoding_becomes_utf8(encoding: str) -> None:
    assert as_utf8("Misérables".encode(encoding), TABS).decode() == "Misérables"


def test_text_of_a_quoted_format_is_not_converted() -> None:
    assert as_utf8("é".encode("latin-1"), COMMAS) == b"\xe9"


@pytest.mark.parametrize(("separator", "noun"), [("\t", "tab"), (",", "comma"), ("|", "'|'"), ("::", "'::'")])
def test_a_format_has_a_name_for_its_fields(separator: str, noun: str) -> None:
    assert Format(separator).noun == f"{noun}-separated"
