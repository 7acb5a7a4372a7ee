import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.columns import Column
from training.data.delimited_text import DelimitedText
from training.data.dialect import Dialect
from training.data.problems import Problems
from training.errors import DataError

TABS = Dialect("\t")
NAMES = ("user", "movie", "rating")
COMMAS = Dialect(",", quoted=True, has_header=True)


def opened(content: str | bytes, dialect: Dialect = TABS, names: tuple[str, ...] = NAMES) -> DelimitedText:
    encoded = content.encode() if isinstance(content, str) else content
    return DelimitedText("u.data", encoded, dialect, "UTF-8", () if dialect.has_header else names)


def read(
    content: str | bytes, dialect: Dialect = TABS, names: tuple[str, ...] = NAMES
) -> tuple[dict[str, Column], Problems]:
    file, problems = opened(content, dialect, names), Problems()
    return file.read(file.names, problems), problems


def texts(
    content: str | bytes, column: str, dialect: Dialect = TABS, names: tuple[str, ...] = NAMES
) -> list[str]:
    columns, problems = read(content, dialect, names)
    problems.refuse()
    return columns[column].texts()


def test_columns_are_text() -> None:
    assert texts("1\t242\t3\n2\t07\tNA\n", "movie") == ["242", "07"]
    assert texts("1\t242\t3\n2\t07\tNA\n", "rating") == ["3", "NA"]


def test_codes_ascend_in_order_of_first_occurrence() -> None:
    codes, values = read("b\t1\t1\na\t1\t1\nb\t1\t1\n")[0]["user"].coded
    assert codes.tolist() == [0, 1, 0]
    assert values == ["b", "a"]


def test_spaces_around_a_value_are_none_of_it() -> None:
    codes, values = read("b\t1\t1\n a\t1\t1\nb \t1\t1\n")[0]["user"].coded
    assert (codes.tolist(), values) == ([0, 1, 0], ["b", "a"])


def test_ids_may_have_spaces_around_unless_all_have() -> None:
    columns, _ = read("b\t 1\t1 \n a\t 2\t2 \n \t 3\t3 \n")
    assert columns["user"].ids[1] == ["b", " a", ""]
    assert columns["movie"].ids[1] == columns["rating"].ids[1] == ["1", "2", "3"]


def test_codes_are_consistent_over_a_file_of_many_blocks() -> None:
    users = [f"user {row % 70_001}" for row in range(200_000)]
    codes, values = read("".join(f"{user}\t1\t1\n" for user in users))[0]["user"].coded
    assert values == users[:70_001]
    np.testing.assert_array_equal(codes, np.arange(200_000) % 70_001)


def test_columns_of_a_header_may_be_in_any_order_among_others() -> None:
    content = 'note,rating,user\nsome,4,7\n"a, b",5,"8 ""x"""\n'
    file, problems = opened(content, COMMAS), Problems()
    columns = file.read(("user", "rating"), problems)
    assert columns["user"].texts() == ["7", '8 "x"']
    assert columns["rating"].texts() == ["4", "5"]
    assert file.sample["note"] == ["some", "a, b"]


def test_a_separator_may_have_several_characters() -> None:
    content = "1::Star Wars: Episode IV (1977)\n2::O: a film\n"
    assert texts(content, "title", Dialect("::"), ("movie", "title")) == [
        "Star Wars: Episode IV (1977)",
        "O: a film",
    ]


def test_quotes_are_ordinary_characters_in_an_unquoted_dialect() -> None:
    assert texts('1\t"\t3\n2\t"x\t4\n', "movie") == ['"', '"x']


def test_a_backslash_may_escape_quotes() -> None:
    content = 'user;title\n1;"A \\"B\\"; C"\n'
    assert texts(content, "title", Dialect(";", True, escaped=True, has_header=True)) == ['A "B"; C']


@pytest.mark.parametrize("content", ["user,rating", "user,rating\n", "user,rating\r\n\r\n"])
def test_a_header_without_rows_is_refused(content: str) -> None:
    with pytest.raises(DataError, match=r"^u\.data: expected rows below the header, got none; "):
        read(content, COMMAS)


@pytest.mark.parametrize(
    ("content", "line", "got"),
    [
        ("1\t2\n1\t2\t3\n", 1, 2),
        ("1\t2\t3\n1\t2\n", 2, 2),
        ("1\t2\t3\n1\t2\t3\t4\n", 2, 4),
        ("1\t2\t3\r\n\r\n\r\n1\r\n", 4, 1),
        ("1\t2\t3\n  \n", 2, 1),
        ("\n\n1\t2\t3\n1,2,3", 4, 1),
        ("1\t2\t3\n" * 400_000 + "\n1\t2\n" + "1\t2\t3\n" * 100, 400_002, 2),
    ],
)
def test_a_short_or_long_row_is_noted_with_its_line_and_left_out(content: str, line: int, got: int) -> None:
    columns, problems = read(content)
    expected = (
        f"u.data line {line}: expected 3 tab-separated fields, got {got}; complete the row or remove it"
    )
    assert problems.listed() == [expected]
    assert problems.num_rows == 1
    assert {
        tuple(column.text(row) for column in columns.values()) for row in range(len(columns["user"]))
    } == {("1", "2", "3")}


def test_a_row_of_quoted_text_is_noted_with_its_first_line() -> None:
    content = 'user,note\n1,"a\nb"\n\n2,"x\ny",3\n3,c\n'
    columns, problems = read(content, COMMAS)
    assert problems.listed()[0].startswith("u.data line 5: expected 2 comma-separated fields, got 3")
    assert columns["user"].texts() == ["1", "3"]


@pytest.mark.parametrize("rows_after", [2, 400_000])
def test_a_quotation_mark_that_never_closes_is_refused_with_its_line(rows_after: int) -> None:
    content = 'user,title\n1,A\n2,"B\n' + "3,C\n" * rows_after
    with pytest.raises(
        DataError, match=r"^u\.data line 3: expected a quotation mark at the end of a field too"
    ):
        read(content, COMMAS)


def test_a_single_quotation_mark_within_a_field_is_a_character() -> None:
    assert texts('user,title\n1,5" disk\n2,B\n', "title", COMMAS) == ['5" disk', "B"]


def test_a_field_may_be_longer_than_a_block() -> None:
    long = "x\n" * 1_000_000
    assert texts(f'user,text\n1,"{long}"\n2,b\n', "user", COMMAS) == ["1", "2"]


def test_columns_of_one_name_are_told_apart_by_their_places() -> None:
    assert opened("user,user,\n1,2,3\n", COMMAS).names == ("user#1", "user#2", "(no name)#3")


fields = st.text(st.characters(codec="ascii", exclude_characters="\t\r\n"), min_size=1)


@given(st.lists(st.tuples(fields, fields, fields), min_size=1), st.integers(0, 3))
def test_text_is_read_back(written: list[tuple[str, str, str]], num_blank: int) -> None:
    content = ("\n" * num_blank).join("\t".join(row) + "\n" for row in written)
    if content.isspace():
        return
    columns, _ = read(content)
    read_back = zip(*(columns[name].texts() for name in NAMES), strict=True)
    assert list(read_back) == [tuple(field.strip() for field in row) for row in written]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@given(blanks=st.lists(st.integers(0, 2), min_size=1), broken=st.booleans(), data=st.data())
def test_line_numbers_are_right_with_blank_lines(
    line_break: str, blanks: list[int], broken: bool, data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(blanks) - 1))
    content = ("x" + line_break) * broken
    content += "".join(line_break * num_blank + f"1\t2\t3{line_break}" for num_blank in blanks)
    file = opened(content)
    file.read(NAMES, Problems())
    assert file.places([row]) == [f"line {broken + sum(blanks[: row + 1]) + row + 1}"]


def test_line_numbers_are_right_after_text_with_line_breaks() -> None:
    file = opened('user,note\n\n1,"a\n\nb"\n\n2,c\n3,"d\r\ne"\n4,f\n', COMMAS)
    file.read(("user",), Problems())
    assert file.places([3, 0, 1, 2]) == ["line 10", "line 3", "line 7", "line 8"]
