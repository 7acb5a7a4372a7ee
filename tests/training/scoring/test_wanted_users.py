from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from training.errors import DataError
from training.scoring.scored_bundle import ScoredBundle
from training.scoring.wanted_users import WantedUsers, read_user_ids


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("42\nab\n42\n\n影\n", None, ["42", "ab", "影"]),
        ("42\r\n é, with a comma\r\n", None, ["42", " é, with a comma"]),
        ("user_id,since\n42,2020\nab,2021\n42,2022\n", "user_id", ["42", "ab"]),
        ("since;User ID\n2020;42\n2021;ab\n", "user_id", ["42", "ab"]),
        ("since\tuser\n2020\t42\n2021\tab\n", "2", ["42", "ab"]),
        ("user_id\n42\nab\n", "user_id", ["42", "ab"]),
    ],
)
def test_a_file_lists_users(text: str, column: str | None, expected: list[str], tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(text.encode())
    assert read_user_ids(path, column) == expected


def test_a_parquet_file_lists_users(tmp_path: Path) -> None:
    path = tmp_path / "users.parquet"
    pyarrow.parquet.write_table(pa.table({"at": [1, 2], "user": ["42", "7"]}), path)
    assert read_user_ids(path, "user") == ["42", "7"]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", None, "expected a user id in every line, got an empty file"),
        ("a,b\n1,2\n3,4\n", "user", "expected the column user, got a, b; name another with --users-column"),
        ("a,user\n1,\n3,\n", "user", "expected user ids in the column user, got none"),
    ],
)
def test_a_file_that_lists_none_is_an_error(
    text: str, column: str | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "users.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_user_ids(path, column)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_user_ids(tmp_path / "users.txt")


def test_users_that_the_bundle_does_not_know_are_counted(tiny_scored: ScoredBundle) -> None:
    wanted = WantedUsers.listed(["nobody", "ab", "x", "42", "y", "z", "ab"], tiny_scored.histories)
    assert [tiny_scored.histories.user_id_of(row) for row in wanted.rows] == ["ab", "42"]
    assert wanted.describe_unknown() == "4 that the bundle does not know ('nobody', 'x', 'y', ...)"


def test_a_list_of_unknown_users_alone_is_an_error(tiny_scored: ScoredBundle) -> None:
    with pytest.raises(DataError, match=r"got 1 that the bundle does not know \('x'\)"):
        WantedUsers.listed(["x"], tiny_scored.histories)
