import pyarrow as pa
import pytest

from training.data.columns import Column
from training.data.decimal_numbers import read_numbers


def read(values: list[object], kind: pa.DataType | None = None) -> tuple[list[float], list[bool], list[bool]]:
    numbers = read_numbers(Column("rating", pa.chunked_array([pa.array(values, kind or pa.string())])))
    is_empty, is_bad = ([*map(bool, numbers.of_rows(one))] for one in (numbers.is_empty, numbers.is_bad))
    assert numbers.rows(numbers.is_bad).tolist() == [row for row, bad in enumerate(is_bad) if bad]
    return [*map(float, numbers.of_rows(numbers.values))], is_empty, is_bad


def test_numbers_may_be_fractions() -> None:
    values, _, is_bad = read(["4.5", "-1", ".5", "5.", "1e2", "+3", " 2 "])
    assert values == [4.5, -1, 0.5, 5, 100, 3, 2]
    assert not any(is_bad)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["4,5", "3", "-0,25"], [4.5, 3, -0.25]),
        (["1,234", "12,345,678.5", "7"], [1234, 12_345_678.5, 7]),
        (["True", "false", "true"], [1, 0, 1]),
        (["★★", "3.5", "4"], [2, 3.5, 4]),
        (["'4'", '"3"', "2"], [4, 3, 2]),
    ],
)
def test_numbers_as_people_and_programs_write_them(texts: list[object], expected: list[float]) -> None:
    assert read(texts) == (expected, [False] * 3, [False] * 3)


@pytest.mark.parametrize("text", ["inf", "-Infinity", "five", "4.5.6", "1_0", "1e39", "٣", "4,5,6"])
def test_what_is_no_finite_number_is_bad(text: str) -> None:
    assert read(["3", text, "4"])[1:] == ([False] * 3, [False, True, False])


@pytest.mark.parametrize("text", ["", "  ", "nan", "NaN", "NA", "null", "None", None])
def test_what_stands_for_none_is_empty(text: str | None) -> None:
    assert read(["3", text])[1:] == ([False, True], [False, False])


def test_typed_columns_are_read_as_they_are() -> None:
    assert read([1, None, 3], pa.int32())[1] == [False, True, False]
    assert read([1, 2, 3], pa.int32())[0] == [1, 2, 3]
    assert read([0.5, float("nan"), float("inf")], pa.float64())[1:] == (
        [False, True, False],
        [False, False, True],
    )
    assert read([True, False, True], pa.bool_())[0] == [1, 0, 1]
