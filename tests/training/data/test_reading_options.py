from pathlib import Path

import pytest

from training.data.reading_options import ReadingOptions
from training.errors import ConfigurationError


def test_options_are_read_as_they_are_typed() -> None:
    options = ReadingOptions.parse(
        columns="user=who, item = 2,time=",
        event_weights="view=1,buy=2.5",
        not_rated="0,-1,empty",
        item_features="author, publisher",
    )
    assert options == ReadingOptions(
        columns={"user": "who", "item": "2", "time": ""},
        event_weights={"view": 1, "buy": 2.5},
        not_rated=(0, -1, "empty"),
        item_features=("author", "publisher"),
    )
    assert ReadingOptions.parse(not_rated="") == ReadingOptions(not_rated=("empty",))


def test_options_are_written_as_a_shell_reads_them() -> None:
    assert ReadingOptions().as_arguments() == ""
    options = ReadingOptions(
        columns={"user": "User Name"},
        items=Path("b.csv"),
        not_rated=(-1, "empty"),
        skip_bad_rows=True,
        event_weights={"view": 1.5},
        rating_transform="log",
    )
    assert options.as_arguments() == (
        "--columns 'user=User Name' --items b.csv --rating-transform log --event-weights view=1.5 "
        "--not-rated -1,empty --skip-bad-rows"
    )


@pytest.mark.parametrize("weight", [-1, 0, float("nan"), float("inf")])
def test_an_event_must_have_a_weight(weight: float) -> None:
    with pytest.raises(ConfigurationError, match="expected a number above 0 for view"):
        ReadingOptions(event_weights={"view": weight})
