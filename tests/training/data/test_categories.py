import pyarrow as pa
import pytest

from training.data.categories import read_categories, read_feature
from training.data.columns import Column


def column(values: list[object]) -> Column:
    return Column("genres", pa.chunked_array([pa.array(values)]))


@pytest.mark.parametrize(
    ("values", "expected", "kind"),
    [
        (
            ["Drama|War", "", "Sci-Fi, or so|War"],
            [("Drama", "War"), (), ("Sci-Fi, or so", "War")],
            "separated by '|'",
        ),
        (["Drama; War", "War"], [("Drama", "War"), ("War",)], "separated by ';'"),
        (["Drama, War,", "War, War"], [("Drama", "War"), ("War",)], "separated by ','"),
        (["Film Noir", "War"], [("Film Noir",), ("War",)], "one each"),
        (["['Drama', \"It's\"]", "[]"], [("Drama", "It's"), ()], "lists"),
        (['["Drama", "War"]', None], [("Drama", "War"), ()], "lists"),
        (["[Drama, War]"], [("Drama", "War")], "lists"),
        (
            ["[{'id': 16, 'name': 'Animation'}, {'id': 35, 'name': 'Comedy'}]"],
            [("Animation", "Comedy")],
            "lists",
        ),
        (['{"fiction": 219, "history, x": 5}'], [("fiction", "history, x")], "lists"),
        (["[['Books', 'Fiction'], ['Books']]"], [("Books", "Fiction")], "lists"),
        (["Drama, War", "['War']"], [("Drama", "War"), ("War",)], "lists and separated by ','"),
        (["(no genres listed)"], [("(no genres listed)",)], "one each"),
        (["Action &amp; Adventure, R&B"], [("Action & Adventure", "R&B")], "separated by ','"),
        ([["Drama", "War"], None, []], [("Drama", "War"), (), ()], "lists"),
        ([None, ""], [(), ()], "empty"),
    ],
)
def test_categories_in_usual_ways_of_writing(
    values: list[object], expected: list[tuple[str, ...]], kind: str
) -> None:
    categories = read_categories(column(values), by_comma=True)
    assert (categories.of_rows, categories.kind) == (expected, kind)


def test_commas_are_parts_of_names_in_a_feature() -> None:
    assert read_feature(column(["Knopf, Inc.", "A|B"])).of_rows == [("Knopf, Inc.",), ("A", "B")]


def test_text_is_read_as_its_words() -> None:
    texts: list[object] = [
        "A man and a dog walk to the sea",
        "Two women steal the moon, and then the sun",
        None,
    ]
    feature = read_feature(column(texts))
    assert feature.kind == "words of text"
    assert feature.of_rows[1] == ("two", "women", "steal", "the", "moon", "and", "then", "sun")
    assert feature.of_rows[2] == ()
