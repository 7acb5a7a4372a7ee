import pytest

from training.data.encoding import REPLACEMENT, as_utf8
from training.errors import DataError

TEXT = "id,title\n1,Misérables, Les\n2,Á köldum klaka\n"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with a byte order mark"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("latin-1", "Latin-1"),
    ],
)
def test_encodings_are_detected(encoding: str, name: str) -> None:
    assert as_utf8("r.csv", TEXT.encode(encoding)) == (TEXT.encode(), name)


def test_quotation_marks_tell_windows_from_latin_1() -> None:
    text = "1,“Quoted” … café\n"
    assert as_utf8("r.csv", text.encode("cp1252")) == (text.encode(), "Windows-1252")


def test_plain_ascii_is_utf_8() -> None:
    assert as_utf8("r.csv", b"1,2\n") == (b"1,2\n", "UTF-8")


def test_a_few_wrong_bytes_do_not_make_another_encoding() -> None:
    content = TEXT.encode() + "3,Amélie\n".encode("latin-1")
    text, name = as_utf8("r.csv", content)
    assert (text.decode(), name) == (f"{TEXT}3,Am{REPLACEMENT}lie\n", "UTF-8")


def test_a_replacement_character_of_the_file_itself_is_text() -> None:
    damaged = "1,El Rinc\ufffdn\n".encode()
    assert as_utf8("r.csv", damaged) == (damaged, "UTF-8")
    assert REPLACEMENT.encode() not in damaged


def test_the_beginning_of_a_file_may_end_within_a_character() -> None:
    assert as_utf8("r.csv", "aé".encode()[:-1], whole=False)[1] == "UTF-8"
    assert as_utf8("r.csv", "aé".encode("utf-16")[:-1], whole=False)[1] == "UTF-16"


def test_an_encoding_that_is_given_is_used() -> None:
    assert as_utf8("r.csv", "ż".encode("cp1250"), "cp1250") == ("ż".encode(), "cp1250")


def test_what_is_not_of_the_given_encoding_is_refused_with_its_line() -> None:
    message = r"^r\.csv line 2: expected gb18030 text, got the byte 0xff; say what it is with --encoding$"
    with pytest.raises(DataError, match=message):
        as_utf8("r.csv", b"a\n\xff\n", "gb18030")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(DataError, match=r"^u: expected text, Parquet or JSON, got something else; export"):
        as_utf8("u", bytes(range(256)))
