import pytest

from training.data.column_names import find_columns, folded, named
from training.data.column_synonyms import ITEM_ROLES, RATING_ROLES


@pytest.mark.parametrize(
    "name", ["userId", "user_id", "User-ID", "USER ID", " user.id ", "userId:token", "user_ids"]
)
def test_case_and_punctuation_do_not_matter(name: str) -> None:
    assert folded(name) == "userid"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("userId movieId rating timestamp", "userId movieId rating timestamp"),
        ("user_id item_id score date", "user_id item_id score date"),
        ("uid ISBN Book-Rating ts", "uid ISBN Book-Rating ts"),
        ("reviewerID asin overall unixReviewTime reviewTime", "reviewerID asin overall unixReviewTime"),
        ("user_id business_id stars date useful funny", "user_id business_id stars date"),
        ("user_id username anime_id title rating event_time", "user_id anime_id rating event_time"),
        (
            "review/userId product/productId review/score review/time",
            "review/userId product/productId review/score review/time",
        ),
        (
            "profilename beer_id review_overall review_aroma review_time",
            "profilename beer_id review_overall review_time",
        ),
        ("id user_id recipe_id rating created_at", "user_id recipe_id rating created_at"),
    ],
)
def test_columns_are_found_by_the_names_people_use(header: str, expected: str) -> None:
    found = find_columns(
        header.split(), {role: RATING_ROLES[role] for role in ("user", "item", "rating", "time")}
    )
    assert list(found.of_role.values()) == expected.split()
    assert not found.several


def test_events_and_counts_are_found() -> None:
    found = find_columns(["visitorid", "event", "itemid", "play_count"], RATING_ROLES)
    assert found.of_role == {"user": "visitorid", "item": "itemid", "event": "event", "weight": "play_count"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("id title genres", {"item": "id", "title": "title", "genres": "genres"}),
        (
            "ISBN Book-Title Year-Of-Publication",
            {"item": "ISBN", "title": "Book-Title", "year": "Year-Of-Publication"},
        ),
        (
            "appid name release_date tags",
            {"item": "appid", "title": "name", "year": "release_date", "genres": "tags"},
        ),
        ("business_id name categories", {"item": "business_id", "title": "name", "genres": "categories"}),
    ],
)
def test_columns_of_items_are_found(header: str, expected: dict[str, str]) -> None:
    assert find_columns(header.split(), ITEM_ROLES).of_role == expected


def test_columns_of_equal_right_are_not_chosen_from() -> None:
    found = find_columns(["user", "artist_id", "track_id", "stars", "score"], RATING_ROLES)
    assert found.several == {"item": ("artist_id", "track_id"), "rating": ("stars", "score")}
    assert found.of_role == {"user": "user"}


def test_what_is_given_goes_before_and_nothing_is_none() -> None:
    found = find_columns(["a", "user", "item", "rating"], RATING_ROLES, {"user": "a", "rating": ""})
    assert found.of_role == {"user": "a", "item": "item"}


@pytest.mark.parametrize("wanted", ["Book-Author", "book_author", "author", "2"])
def test_a_column_is_named_exactly_or_not_or_by_its_number(wanted: str) -> None:
    assert named(["ISBN", "Book-Author"], wanted) == "Book-Author"


@pytest.mark.parametrize("wanted", ["writer", "3", "0", "book", "id"])
def test_an_unknown_or_ambiguous_name_is_refused(wanted: str) -> None:
    with pytest.raises(KeyError, match=wanted):
        named(["user_id", "item_id"], wanted)
