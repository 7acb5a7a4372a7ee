from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from training.data.problems import Problems
from training.errors import DataError


@dataclass
class File:
    label: str

    def places(self, rows: Sequence[int]) -> list[str]:
        return [f"line {row + 2}" for row in rows]


RATINGS, MOVIES = File("ratings.csv"), File("movies.csv")


def add(problems: Problems, file: File, rows: list[int], expected: str = "a number") -> None:
    problems.add(file, np.array(rows, np.int64), expected, lambda row: f"'x{row}'", "correct it")


def test_one_problem_is_one_line() -> None:
    problems = Problems()
    add(problems, RATINGS, [3])
    with pytest.raises(DataError, match=r"^ratings\.csv line 5: expected a number, got 'x3'; correct it$"):
        problems.refuse()


def test_all_problems_are_listed_the_first_20_of_each_kind() -> None:
    problems = Problems()
    add(problems, RATINGS, list(range(23)))
    add(problems, RATINGS, [0], "a time")
    add(problems, MOVIES, [7], "a title")
    problems.add_broken(2, lambda: ["movies.csv line 1: broken", "movies.csv line 2: broken"])
    with pytest.raises(DataError) as error:
        problems.refuse()
    lines = str(error.value).splitlines()
    assert lines[0] == "26 rows cannot be read; correct them, or leave them out with --skip-bad-rows"
    assert lines[1:3] == ["  movies.csv line 1: broken", "  movies.csv line 2: broken"]
    assert lines[3] == "  ratings.csv line 2: expected a number, got 'x0'; correct it"
    assert lines[22:] == [
        "  ratings.csv line 21: expected a number, got 'x19'; correct it",
        "  ... and 3 more like these",
        "  ratings.csv line 2: expected a time, got 'x0'; correct it",
        "  movies.csv line 9: expected a title, got 'x7'; correct it",
    ]


def test_rows_to_skip_are_told_by_file_and_not_refused() -> None:
    problems = Problems(skip_rows=True)
    add(problems, RATINGS, [1, 2])
    add(problems, RATINGS, [2], "a time")
    add(problems, MOVIES, [0])
    problems.refuse()
    assert problems.kept(RATINGS, 4).tolist() == [True, False, False, True]
    assert problems.kept(MOVIES, 2).tolist() == [False, True]
    assert problems.num_rows == 3


def test_no_rows_are_no_problem() -> None:
    problems = Problems()
    add(problems, RATINGS, [])
    problems.add_broken(0, list)
    problems.refuse()
    assert problems.listed() == []
