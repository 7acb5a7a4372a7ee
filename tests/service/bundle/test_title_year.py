import pytest

from service.bundle.title_year import without_year, year_of


@pytest.mark.parametrize(
    ("title", "year", "name"),
    [
        ("Star Wars (1977)", 1977, "Star Wars"),
        ("Land Before Time III (1995) (V)", 1995, "Land Before Time III"),
        ("Death Note (2006-2007)", 2006, "Death Note"),
        ("Doctor Who (2005\u2013)", 2005, "Doctor Who"),
        ("Shanghai Triad (Yao a yao) (1995) ", 1995, "Shanghai Triad (Yao a yao)"),
        ("(1995)", 1995, ""),
        ("Still Running (2011-)", 2011, "Still Running"),
        ("2001: A Space Odyssey", None, "2001: A Space Odyssey"),
        ("1984", None, "1984"),
        ("(500) Days of Summer", None, "(500) Days of Summer"),
        ("Blade (2049) Runner", None, "Blade (2049) Runner"),
        ("Alphaville (12345)", None, "Alphaville (12345)"),
        ("Space (٢٠٠١)", None, "Space (٢٠٠١)"),
        ("", None, ""),
    ],
)
def test_a_title_ends_with_its_year_in_parentheses_if_it_has_one(
    title: str, year: int | None, name: str
) -> None:
    assert year_of(title) == year
    assert without_year(title) == name
