import pytest

from service.recommending.title_words import names_of, without_article, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Star Wars", ["star", "wars"]),
        ("  AMÉLIE ", ["amelie"]),
        ("Ame\u0301lie", ["amelie"]),
        ("Schindler's List", ["schindlers", "list"]),
        ("Schindler\u2019s List", ["schindlers", "list"]),
        ("E.T. the Extra-Terrestrial", ["et", "the", "extra", "terrestrial"]),
        ("M*A*S*H", ["mash"]),
        ("Thelma & Louise", ["thelma", "and", "louise"]),
        ("Smørrebrød", ["smorrebrod"]),
        ("Straße", ["strasse"]),
        ("İstanbul", ["istanbul"]),
        ("影武者", ["影武者"]),
        ("snake_case", ["snake", "case"]),
        ("$", ["$"]),
        ("🎬", ["🎬"]),
        ("a\0b", ["a", "b"]),
        (" \t\n", []),
    ],
)
def test_words_lose_case_accents_and_punctuation(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Star Wars (1977)", ["star wars"]),
        ("Matrix, The (1999)", ["the matrix"]),
        ("Godfather: Part II, The (1974)", ["the godfather part ii"]),
        ("Good, The Bad and The Ugly, The (1966)", ["the good the bad and the ugly"]),
        ("Bug's Life, A (1998)", ["a bugs life"]),
        ("Avventura, L' (Adventure, The) (1960)", ["lavventura", "the adventure"]),
        ("Amelie (Fabuleux destin d'Amélie Poulain, Le)", ["amelie", "le fabuleux destin damelie poulain"]),
        ("Seven (a.k.a. Se7en) (1995)", ["seven", "se7en"]),
        ("Mrs. Brown (Her Majesty, Mrs. Brown) (1997)", ["mrs brown", "her majesty mrs brown"]),
        ("Land Before Time III (1995) (V)", ["land before time iii"]),
        ("2001: A Space Odyssey (1968)", ["2001 a space odyssey"]),
        ("(1995)", []),
        ("", []),
    ],
)
def test_names_have_their_articles_in_front(title: str, names: list[str]) -> None:
    assert [" ".join(name) for name in names_of(title)] == names


def test_an_english_article_in_front_is_dropped_unless_it_is_the_only_word() -> None:
    assert without_article(["the", "matrix"]) == ["matrix"]
    assert without_article(["die", "hard"]) == ["die", "hard"]
    assert without_article(["the"]) == ["the"]
    assert without_article([]) == []
