import inspect

import pytest

from training import errors
from training.errors import DataError, TrainingError

CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, TrainingError)]


@pytest.mark.parametrize("error", CLASSES)
def test_the_tree_in_the_docstring_has_every_error_with_its_exit_code(error: type[TrainingError]) -> None:
    lines = [line.split() for line in (errors.__doc__ or "").splitlines()]
    [line] = [line for line in lines if error.__name__ in line]
    assert int(line[line.index(error.__name__) + 1]) == error.exit_code


def test_an_error_in_a_file_names_file_line_and_reason() -> None:
    assert str(DataError.at("u.data", 7, "too short")) == "u.data line 7: too short"
