import pytest

from training.data.demographics import age_group, occupation


@pytest.mark.parametrize(
    ("age_years", "group"),
    [
        *[(0, "1"), (17, "1"), (18, "18"), (24, "18"), (25, "25"), (34, "25"), (35, "35")],
        *[(44, "35"), (45, "45"), (49, "45"), (50, "50"), (55, "50"), (56, "56"), (99, "56")],
    ],
)
def test_ages_map_to_the_groups_of_movielens(age_years: int, group: str) -> None:
    assert age_group(age_years) == group


@pytest.mark.parametrize("group", ["1", "18", "25", "35", "45", "50", "56"])
def test_the_lower_end_of_a_group_maps_to_itself(group: str) -> None:
    assert age_group(int(group)) == group


@pytest.mark.parametrize(
    ("number", "words"), [("0", "other/not specified"), ("10", "K-12 student"), ("20", "writer")]
)
def test_occupation_numbers_of_movielens_1m_become_words(number: str, words: str) -> None:
    assert occupation(number) == words


@pytest.mark.parametrize("words", ["scientist", "", "21"])
def test_occupation_words_are_unchanged(words: str) -> None:
    assert occupation(words) == words
