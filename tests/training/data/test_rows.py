import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.delimited_text import Format
from training.data.text_columns import Rows
from training.errors import DataError

TABS = Format("\t", ("user", "movie", "rating"))
COLONS = Format("::", ("movie", "title"))
COMMAS = Format(",", quoted=True)


def read(content: str | bytes, row_format: Format = TABS, *columns: str) -> Rows:
    encoded = content.encode() if isinstance(content, str) else content
    return Rows("u.data", encoded, row_format, columns or row_format.fields)


def test_columns_are_text() -> None:
    rows = read("1\t242\t3\n2\t07\tx\n")
    assert len(rows) == 2
    assert rows.texts("movie") == ["242", "07"]


def test_codes_ascend_in_order_of_first_occurrence() -> None:
    codes, values = read("b\t1\t1\na\t1\t1\nb\t1\t1\n").codes("user")
    assert codes.tolist() == [0, 1, 0]
    assert values == ["b", "a"]


def test_codes_are_consistent_over_a_file_of_many_blocks() -> None:
    users = [f"user {row % 70_001}" for row in range(200_000)]
    codes, values = read("".join(f"{user}\t1\t1\n" for user in users)).codes("user")
    assert values == users[:70_001]
    np.testing.assert_array_equal(codes, np.arange(200_000) % 70_001)


def test_columns_of_a_header_may_be_in_any_order_among_others() -> None:
    rows = read('note,rating,user\nsome,4,7\n"a, b",5,"8 ""x"""\n', COMMAS, "user", "rating")
    assert rows.texts("user") == ["7", '8 "x"']
    assert rows.texts("rating") == ["4", "5"]


def test_byte_order_mark_and_carriage_returns_are_stripped() -> None:
    rows = read(b"\xef\xbb\xbfuser,rating\r\n7,4\r\n8,5\r\n\r\n", COMMAS, "user", "rating")
    assert rows.texts("user") == ["7", "8"]
    assert rows.texts("rating") == ["4", "5"]


def test_words_that_look_like_null_are_text() -> None:
    assert read("NA\tnull\tNaN\n").texts("user") == ["NA"]


def test_a_separator_may_have_several_characters() -> None:
    rows = read("1::Star Wars: Episode IV (1977)\n2::O: a film\n", COLONS)
    assert rows.texts("title") == ["Star Wars: Episode IV (1977)", "O: a film"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_text_without_quotes_is_read_as_utf8_or_latin1(encoding: str) -> None:
    rows = read("1::Misérables, Les\n2::Á köldum klaka\n".encode(encoding), COLONS)
    assert rows.texts("title") == ["Misérables, Les", "Á köldum klaka"]


def test_quotes_are_ordinary_characters_in_an_unquoted_format() -> None:
    assert read('1\t"\t3\n2\t"x\t4\n').texts("movie") == ['"', '"x']


@pytest.mark.parametrize("content", ["", "\n \r\n\n", "\ufeff"])
def test_an_empty_file_is_refused(content: str) -> None:
    for row_format in (TABS, COMMAS):
        with pytest.raises(DataError, match=r"^u\.data: expected rows, got an empty file; "):
            read(content, row_format, "user")


@pytest.mark.parametrize("content", ["user,rating", "user,rating\n", "user,rating\r\n\r\n"])
def test_a_header_without_rows_is_refused(content: str) -> None:
    with pytest.raises(DataError, match=r"^u\.data: expected rows below the header, got none; "):
        read(content, COMMAS, "user", "rating")


@pytest.mark.parametrize(
    ("content", "line", "got"),
    [
        ("1\t2\n1\t2\t3\n", 1, 2),
        ("1\t2\t3\n1\t2\n", 2, 2),
        ("1\t2\t3\n1\t2\t3\t4\n", 2, 4),
        ("1\t2\t3\r\n\r\n\r\n1\r\n", 4, 1),
        ("1\t2\t3\n  \n", 2, 1),
        ("\n\n1\t2\t3\n1,2,3", 4, 1),
    ],
)
def test_a_short_or_long_row_is_refused_with_its_line(content: str, line: int, got: int) -> None:
    message = rf"^u\.data line {line}: expected 3 tab-separated fields, got {got}; complete"
    with pytest.raises(DataError, match=message):
        read(content)


def test_a_short_row_late_in_a_file_is_refused_with_its_line() -> None:
    content = "1\t2\t3\n" * 400_000 + "\n1\t2\n" + "1\t2\t3\n" * 100
    with pytest.raises(DataError, match=r"^u\.data line 400002: expected 3 tab-separated fields, got 2"):
        read(content)


def test_a_row_of_quoted_text_is_refused_with_its_first_line() -> None:
    content = 'user,note\n1,"a\nb"\n\n2,"x\ny",3\n'
    with pytest.raises(DataError, match=r"^u\.data line 5: expected 2 comma-separated fields, got 3"):
        read(content, COMMAS, "user")


def test_quotation_marks_that_never_close_are_refused() -> None:
    content = 'user,title\n1,A\n2,"B\n3,C\n4,D\n'
    with pytest.raises(DataError, match=r"^u\.data line 3: expected title on one line, got a line break"):
        read(content, COMMAS, "user", "title")


def test_an_unclosed_quotation_mark_in_a_large_file_is_refused() -> None:
    content = 'user,title\n1,A\n2,"B\n' + "3,C\n" * 400_000
    with pytest.raises(DataError, match=r"^u\.data"):
        read(content, COMMAS, "user", "title")


def test_bytes_that_are_not_utf8_are_refused_with_their_line() -> None:
    content = "user,title\n1,A\n\n2,Amélie\n".encode("latin-1")
    with pytest.raises(
        DataError, match=r"^u\.data line 4: expected UTF-8 text, got the byte 0xe9; save it as"
    ):
        read(content, COMMAS, "user", "title")


def test_a_short_row_with_bytes_that_are_not_utf8_is_refused() -> None:
    with pytest.raises(DataError, match=r"^u\.data line 2: expected 2 comma-separated fields, got 1"):
        read(b"user,title\n\xe9\n", COMMAS, "user", "title")


def test_a_missing_column_is_refused_with_the_present_ones() -> None:
    message = r"^u\.data line 2: expected a header with a column rating, got user, stars; name the columns"
    with pytest.raises(DataError, match=message):
        read("\nuser,stars\n1,5\n", COMMAS, "user", "rating")


def test_a_column_named_twice_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"^u\.data line 1: expected a header with a column user, got it twice"
    ):
        read("user,user\n1,5\n", COMMAS, "user")


def test_an_empty_id_is_refused_with_its_line() -> None:
    with pytest.raises(DataError, match=r"^u\.data line 3: expected a user, got an empty field; fill it in"):
        read("1\t2\t3\n2\t2\t3\n\t2\t3\n\t2\t3\n").ids("user")


def test_whole_numbers_may_be_negative() -> None:
    rows = read("1\t2\t-5\n1\t2\t0\n1\t2\t1574327703\n")
    assert rows.integers("rating").tolist() == [-5, 0, 1_574_327_703]
    assert rows.integers("rating").dtype == np.int64


@pytest.mark.parametrize("text", ["", "x", "1.0", "+5", " 5", "0x5", "1e3", "٣", "9" * 19])
def test_a_field_that_is_not_an_integer_is_refused_with_its_line(text: str) -> None:
    rows = read(f"1\t2\t3\n\n1\t2\t{text}\n1\t2\t?\n")
    with pytest.raises(
        DataError, match=r"^u\.data line 3: expected a whole number as rating, got '"
    ) as error:
        rows.integers("rating")
    assert repr(text) in str(error.value)


def test_numbers_may_be_fractions() -> None:
    numbers = read("".join(f"1\t2\t{text}\n" for text in ("4.5", "-1", ".5", "5.", "1e2", "+3"))).numbers(
        "rating"
    )
    assert numbers.tolist() == [4.5, -1, 0.5, 5, 100, 3]
    assert numbers.dtype == np.float32


@pytest.mark.parametrize("text", ["", "nan", "NaN", "inf", "-Infinity", "five", "4,5", "1_0", "1e39", "٣"])
def test_a_field_that_is_not_a_number_is_refused_with_its_line(text: str) -> None:
    rows = read(f"1\t2\t3\n1\t2\t{text}\n1\t2\t?\n")
    with pytest.raises(DataError, match=r"^u\.data line 2: expected a number as rating, got '") as error:
        rows.numbers("rating")
    assert repr(text) in str(error.value)


fields = st.text(st.characters(codec="ascii", exclude_characters="\t\r\n"), min_size=1)


@given(st.lists(st.tuples(fields, fields, fields), min_size=1), st.integers(0, 3))
def test_text_is_read_back_unchanged(written: list[tuple[str, str, str]], num_blank: int) -> None:
    content = ("\n" * num_blank).join("\t".join(row) + "\n" for row in written)
    if content.isspace():
        return
    rows = read(content)
    assert list(zip(*(rows.texts(name) for name in TABS.fields), strict=True)) == written


@given(st.lists(st.integers(0, 2), min_size=1), st.data())
def test_line_numbers_are_right_with_blank_lines(blanks: list[int], data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(blanks) - 1))
    content = "".join("\n" * num_blank + "1\t2\t3\n" for num_blank in blanks)
    line = sum(blanks[: row + 1]) + row + 1
    with pytest.raises(DataError, match=rf"^u\.data line {line}: why$"):
        read(content).fail(row, "why")
