import pytest

from training.data.dialect import Dialect
from training.data.sniffing import detect


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user,item\n1,2\n", Dialect(",", quoted=True, has_header=True)),
        ("user;item;rating\n1;2;3,5\n1;3;4,5\n", Dialect(";", quoted=True, has_header=True)),
        ("1\t2\t3\n", Dialect("\t")),
        ("a\tb\n1\t2\n", Dialect("\t", has_header=True)),
        ('user\ttitle\n1\t"Great" film\n', Dialect("\t", has_header=True)),
        ('user\ttitle\n1\t"Great\tfilm"\n', Dialect("\t", quoted=True, has_header=True)),
        (
            "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation|Children\n",
            Dialect(",", True, has_header=True),
        ),
        ("1::Star Wars: IV, A New Hope::Action|War\n2::X::Y\n", Dialect("::")),
        ("1 2 3\n1 3 4\n", Dialect(" ")),
        ("user item rating\n1 3 4\n", Dialect(" ", has_header=True)),
        ("# by someone\n# in 2020\n1,2\n", Dialect(",", quoted=True, num_skipped=2)),
        ("#user,item\n1,2\n", Dialect(",", quoted=True, has_header=True)),
        ('"sep=|"\na|b\n', Dialect("|", num_skipped=1)),
        ("2020-01-01,x\n2020-01-02,y\n", Dialect(",", quoted=True)),
        ('isbn;title\n1;"A \\"B\\"; C"\n2;"D"\n', Dialect(";", True, escaped=True, has_header=True)),
        ('isbn;title\n1;"A \\"B\\""\n2;"D"\n', Dialect(";", True, escaped=True, has_header=True)),
        ("'user','item'\n'1','a, b'\n", Dialect(",", True, has_header=True, mark="'")),
        ("user,item\n1,it's\n", Dialect(",", True, has_header=True)),
        ("user~item\n1~2\n", Dialect("~", has_header=True)),
        ("1\x012\x015\n1\x013\x014\n", Dialect("\x01")),
        ('isbn;title\n1;"ends in \\"\n2;"D"\n', Dialect(";", True, escaped=False, has_header=True)),
    ],
)
def test_text_shows_how_it_is_written(text: str, expected: Dialect) -> None:
    assert detect(text.encode()) == expected


@pytest.mark.parametrize("text", ["one\ntwo\n", "a sentence of words\nand another\n", "x"])
def test_text_without_columns_has_no_dialect(text: str) -> None:
    assert detect(text.encode()) is None


def test_a_few_broken_rows_do_not_matter() -> None:
    text = "user,item,rating\n" + "1,2,3\n" * 20 + "1,2\n1,2,3,4\n"
    assert detect(text.encode()) == Dialect(",", quoted=True, has_header=True)


@pytest.mark.parametrize(("separator", "noun"), [("\t", "tab"), (",", "comma"), ("|", "'|'"), ("::", "'::'")])
def test_a_dialect_has_a_name_for_its_fields(separator: str, noun: str) -> None:
    assert Dialect(separator).noun == f"{noun}-separated"
