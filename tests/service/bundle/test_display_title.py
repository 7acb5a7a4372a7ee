import pytest

from service.bundle.display_title import display_title


@pytest.mark.parametrize(
    ("title", "year", "shown"),
    [
        ("Star Wars (1977)", 1977, "Star Wars"),
        ("Godfather: Part II, The (1974)", 1974, "The Godfather: Part II"),
        ("Good, The Bad and The Ugly, The (1966)", 1966, "The Good, The Bad and The Ugly"),
        ("Enfer, L' (1994)", 1994, "L'Enfer"),
        ("Postino, Il (1994)", 1994, "Il Postino"),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            1995,
            "The City of Lost Children (La Cité des enfants perdus)",
        ),
        ("Seven (a.k.a. Se7en) (1995)", 1995, "Seven (a.k.a. Se7en)"),
        ("Land Before Time III (1995) (V)", 1995, "Land Before Time III (V)"),
        ("I, Robot (2004)", 2004, "I, Robot"),
        ("(500) Days of Summer (2009)", 2009, "(500) Days of Summer"),
        ("1984 (1984)", 1984, "1984"),
        # Nothing is lost that is not shown beside it:
        ("Matrix, The (1999)", None, "The Matrix (1999)"),
        ("Matrix, The (1999)", 2000, "The Matrix (1999)"),
        ("X-Files, The (1993-2002)", 1993, "The X-Files (1993-2002)"),
        ("Hobbit, The", 1937, "The Hobbit"),
        ("Odd  spaces\n", None, "Odd spaces"),
        ("(1995)", 1995, "(1995)"),
        ("", None, ""),
        (" ", 1990, " "),
    ],
)
def test_a_title_is_shown_as_people_say_it(title: str, year: int | None, shown: str) -> None:
    assert display_title(title, year) == shown


def test_a_thousand_parentheses_are_read_at_once() -> None:
    assert display_title("(" * 1_000, None) == "(" * 1_000
    assert display_title("() " * 333 + "x", None) == "() " * 333 + "x"
