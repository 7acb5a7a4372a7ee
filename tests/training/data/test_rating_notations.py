import math

import pytest

from training.data.rating_notations import read_notations


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["★★★½", "½", "★", "★★★★☆", "⭐⭐"], [3.5, 0.5, 1, 4, 2]),
        (["4/5", "3.5 / 5", "4,5 von 5"], [4, 3.5, 4.5]),
        (["4.0 out of 5 stars", "Rated 3 out of 5"], [4, 3]),
        (["8/10", "3/5", "4/4"], [8, 6, 10]),
        (["4 stars", "1 star", "2.5 Sterne"], [4, 1, 2.5]),
        (["80%", "65 %"], [80, 65]),
        (["One", "Five", "three"], [1, 5, 3]),
        (["Recommended", "Not Recommended"], [1, 0]),
        (["like", "dislike", "LIKE"], [1, 0, 1]),
        (["yes", "no"], [1, 0]),
    ],
)
def test_ratings_as_people_write_them(texts: list[str], expected: list[float]) -> None:
    assert read_notations(texts) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["B+", "4/", "★ 4", "three", "like", "5/0", "4/5/2024", ""])
def test_what_is_none_is_none(text: str) -> None:
    value, other = read_notations([text, "4/5"])
    assert math.isnan(value)
    assert other == 4
