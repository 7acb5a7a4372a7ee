import json

import pytest

from training.data.json_text import JsonText
from training.data.problems import Problems


def opened(content: str) -> JsonText:
    return JsonText("r.json", content.encode(), "UTF-8")


def read(content: str) -> dict[str, list[str]]:
    file, problems = opened(content), Problems()
    columns = file.read(file.names, problems)
    problems.refuse()
    return {name: column.texts() for name, column in columns.items()}


def test_keys_are_columns_whatever_their_order_and_types() -> None:
    assert read('{"u": 1, "i": "x", "r": 4}\n\n{"i": "y", "u": 2, "r": 3.5}\n{"u": 3, "i": null}\n') == {
        "u": ["1", "2", "3"],
        "i": ["x", "y", ""],
        "r": ["4", "3.5", ""],
    }


def test_an_array_of_objects_is_read_as_lines_are() -> None:
    objects = [{"u": 1, "i": "x"}, {"u": "b", "i": [1, "y"]}]
    expected = {"u": ["1", "b"], "i": ["x", '[1, "y"]']}
    assert read(json.dumps(objects)) == read("\n".join(map(json.dumps, objects))) == expected


def test_keys_within_an_object_have_its_name_before() -> None:
    assert read('{"user": {"id": 7, "name": "n"}, "item": 1}\n')["user.id"] == ["7"]


def test_keys_within_an_object_are_read_if_all_are_plain() -> None:
    """They are not in the schema that Arrow parses by."""
    columns = opened('{"user": {"id": 7, "name": "n"}, "r": 1}\n').read(["user.id", "r"], Problems())
    assert [columns[name].texts() for name in ("user.id", "r")] == [["7"], ["1"]]


def test_an_object_with_an_id_is_no_column_of_its_own() -> None:
    columns = read(
        '{"user": {"id": 7, "name": "n"}, "movie": {"title": "t", "ids": {"imdb": "tt1"}}, "g": {"a": 1}}\n'
    )
    assert columns == {
        "user.id": ["7"],
        "user.name": ["n"],
        "movie.title": ["t"],
        "movie.ids.imdb": ["tt1"],
        "g.a": ["1"],
        "g": ['{"a": 1}'],
    }


def test_objects_that_stand_for_one_value_are_that() -> None:
    """MongoDB's extended JSON, and numbers in an object of one key."""
    line = (
        '{"u": {"$oid": "65a0"}, "r": {"value": 4}, "t": {"$date": {"$numberInt": "5"}}, "n": {"id": "x"}}\n'
    )
    columns = read(line)
    assert [columns[name] for name in "urt"] == [["65a0"], ["4"], ["5"]]
    assert columns["n"] == ["x"]


def test_what_python_prints_is_read() -> None:
    assert read("{'u': 'it\\'s', 'i': u'x', 'n': None}\n") == {"u": ["it's"], "i": ["x"], "n": [""]}


def test_a_type_that_changes_late_is_read() -> None:
    lines = ['{"u": 1}'] * 2_000 + ['{"u": "late"}']
    assert read("\n".join(lines))["u"][-1] == "late"


def test_lines_that_are_no_objects_are_noted_and_left_out() -> None:
    file, problems = opened('{"u": 1}\n\n{"u": \n{"u": 2}\n3\n'), Problems(skip_rows=True)
    columns = file.read(("u",), problems)
    assert columns["u"].texts() == ["1", "2"]
    assert problems.listed() == [
        "r.json line 3: expected a JSON object, got '{\"u\":'; correct it or remove it",
        "r.json line 5: expected a JSON object, got '3'; correct it or remove it",
    ]
    assert file.places([1]) == ["line 4"]


@pytest.mark.parametrize("skipped", ["", "\n"])
def test_rows_have_lines(skipped: str) -> None:
    file = opened(f'{skipped}{{"u": 1}}\n{skipped}{{"u": 2}}\n')
    file.read(("u",), Problems())
    assert file.places([1]) == [f"line {2 + 2 * len(skipped)}"]
