"""Files as other people publish and export them, in miniature, read without being rewritten."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from training.data.reader import read_files
from training.data.reading import Reading
from training.data.reading_options import ReadingOptions
from training.errors import DataError

WriteFiles = Callable[..., Path]
Row = tuple[str, str, float | None, int | None]


@pytest.fixture
def read(write_files: WriteFiles) -> Callable[..., Reading]:
    """Reads files that are given by name, as text or bytes."""

    def read(files: dict[str, str | bytes], **options: object) -> Reading:
        encoded = {name: one.encode() if isinstance(one, str) else one for name, one in files.items()}
        return read_files(write_files(encoded), ReadingOptions(**options))  # type: ignore[arg-type] # of any option

    return read


def rows(reading: Reading) -> list[Row]:
    """User, item, rating or None, Unix seconds or None."""
    table = reading.table
    return [
        (
            table.user_ids[user],
            table.movies.movie_ids[movie],
            None if np.isnan(stars) else float(stars),
            int(seconds) if table.has_times else None,
        )
        for user, movie, stars, seconds in zip(
            table.user_rows, table.movie_rows, table.stars, table.timestamps, strict=True
        )
    ]


def seconds(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc] # year, month, day, ...


def test_book_crossing(read: Callable[..., Reading]) -> None:
    """Semicolons, quotes with backslashes, Latin-1, NULL, and 0 for no rating."""
    books = (
        '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher"\r\n'
        '"034545104X";"Clara \\"Callan\\"; a novel";"Wright";"2001";"Harper"\r\n'
        '"0155061224";"Die Wälder";"É";"0";"P"\r\n'
    )
    files: dict[str, str | bytes] = {
        "BX-Book-Ratings.csv": '"User-ID";"ISBN";"Book-Rating"\r\n"276725";"034545104X";"0"\r\n'
        '"276726";"0155061224";"5"\r\n"276726";"034545104X";"0"\r\n"276727";"0155061224";"8"\r\n'
        '"276728";"0155061224";"0"\r\n',
        "BX-Books.csv": books.encode("latin-1"),
        "BX-Users.csv": '"User-ID";"Location";"Age"\r\n"276725";"nyc, new york, usa";NULL\r\n',
    }
    reading = read(files, not_rated=(0,), item_features=("author", "publisher"))
    assert rows(reading) == [
        ("276725", "034545104X", None, None),
        ("276726", "0155061224", 5, None),
        ("276726", "034545104X", None, None),
        ("276727", "0155061224", 8, None),
        ("276728", "0155061224", None, None),
    ]
    movies = reading.table.movies
    assert movies.titles == ("Die Wälder", 'Clara "Callan"; a novel')
    assert movies.years.tolist() == [0, 2001]
    assert movies.features == {"author": (("É",), ("Wright",)), "publisher": (("P",), ("Harper",))}
    assert reading.files[1].description == "';'-separated, Latin-1"
    assert "0" in read(files).warnings[0]


def test_goodbooks(read: Callable[..., Reading]) -> None:
    """Several files of users and books, of which one has ratings; years as decimals, and before Christ."""
    files: dict[str, str | bytes] = {
        "ratings.csv": "user_id,book_id,rating\n1,258,5\n2,4081,4\n2,260,5\n",
        "to_read.csv": "user_id,book_id\n9,8\n",
        "book_tags.csv": "goodreads_book_id,tag_id,count\n1,30574,167697\n",
        "tags.csv": "tag_id,tag_name\n0,-\n",
        "books.csv": "book_id,goodreads_book_id,isbn,authors,original_publication_year,original_title,title\n"
        '258,1232,14,"Zafón, Graves",2001.0,La sombra,"The Shadow (The Cemetery,  #1)"\n'
        "4081,3,43,Rowling,1997.0,Harry,Harry\n260,5,5,Homer,-750.0,O,Odyssey\n",
    }
    reading = read(files)
    assert rows(reading) == [("1", "258", 5, None), ("2", "4081", 4, None), ("2", "260", 5, None)]
    assert reading.table.movies.titles == ("The Shadow (The Cemetery,  #1)", "Odyssey", "Harry")
    assert reading.table.movies.years.tolist() == [2001, 0, 1997]


def test_the_column_of_ids_is_found_by_its_values(read: Callable[..., Reading]) -> None:
    """As in the older Goodbooks, whose `book_id` is not that of its ratings."""
    files: dict[str, str | bytes] = {
        "ratings.csv": "user_id,book_id,rating\n"
        + "".join(f"{user},{user % 5 + 1},4\n" for user in range(9)),
        "books.csv": "id,book_id,title\n"
        + "".join(f"{book},{book * 1000},B{book}\n" for book in range(1, 7)),
    }
    reading = read(files)
    assert reading.files[1].columns["item"] == "id"
    assert reading.table.movies.titles == ("B1", "B2", "B3", "B4", "B5", "B6")
    assert reading.num_unknown_items == 0


def test_anime(read: Callable[..., Reading]) -> None:
    """-1 for watched, and HTML in titles and genres."""
    files: dict[str, str | bytes] = {
        "rating.csv": "user_id,anime_id,rating\n1,20,-1\n1,24,8\n2,20,10\n",
        "anime.csv": "anime_id,name,genre,type,episodes,rating,members\n"
        '20,Gintama&#039;,"Action, Comedy",TV,220,7.81,683297\n24,Rumble,Romance &amp; Co,TV,?,8.06,1\n',
    }
    reading = read(files, not_rated=(-1,))
    assert rows(reading) == [("1", "20", None, None), ("1", "24", 8, None), ("2", "20", 10, None)]
    assert reading.table.movies.titles == ("Gintama'", "Rumble")
    assert reading.table.movies.genres == (("Action", "Comedy"), ("Romance & Co",))


def test_yelp(read: Callable[..., Reading]) -> None:
    """JSON lines with objects within, beside files of tips, users and check-ins."""
    review = {
        "review_id": "r",
        "user_id": "u1",
        "business_id": "b1",
        "stars": 4.0,
        "useful": 0,
        "text": "a\n",
    }
    business = {"business_id": "b1", "name": "Café", "stars": 3.5, "attributes": {"WiFi": "u'free'"}}
    files: dict[str, str | bytes] = {
        "yelp_academic_dataset_review.json": json.dumps(review | {"date": "2016-03-09 00:00:00"})
        + "\n"
        + json.dumps(review | {"user_id": "u2", "date": "2016-03-10 01:02:03"}),
        "yelp_academic_dataset_business.json": json.dumps(business | {"categories": "Restaurants, Food"}),
        "yelp_academic_dataset_tip.json": '{"user_id": "u1", "business_id": "b1", "text": "t", "date": ""}',
        "yelp_academic_dataset_user.json": '{"user_id": "u1", "name": "N", "review_count": 5}',
        "yelp_academic_dataset_checkin.json": '{"business_id": "b1", "date": "2012-01-01, 2013-01-01"}',
    }
    reading = read(files)
    assert rows(reading) == [
        ("u1", "b1", 4, seconds(2016, 3, 9)),
        ("u2", "b1", 4, seconds(2016, 3, 10, 1, 2, 3)),
    ]
    assert reading.table.movies.titles == ("Café",)
    assert reading.table.movies.genres == (("Restaurants", "Food"),)


def test_amazon_reviews(read: Callable[..., Reading]) -> None:
    """Compressed lines of JSON, and of what Python prints."""
    reviews = (
        {
            "overall": 5.0,
            "reviewTime": "09 13, 2009",
            "reviewerID": "A1",
            "asin": "B1",
            "unixReviewTime": 1252800000,
        },
        {
            "overall": 1,
            "reviewTime": "09 14, 2009",
            "reviewerID": "A2",
            "asin": "B2",
            "unixReviewTime": 1252886400,
        },
    )
    files: dict[str, str | bytes] = {
        "reviews.json.gz": gzip.compress("\n".join(map(json.dumps, reviews)).encode()),
        "meta.json.gz": gzip.compress(
            b"{'asin': 'B1', 'title': u'It\\'s', 'categories': [['Books', 'Fiction']]}\n"
        ),
    }
    reading = read(files)
    assert rows(reading) == [("A1", "B1", 5, 1252800000), ("A2", "B2", 1, 1252886400)]
    assert reading.table.movies.titles == ("It's", "B2")
    assert reading.table.movies.genres == (("Books", "Fiction"), ())


def test_plays_of_last_fm(read: Callable[..., Reading]) -> None:
    """Counts as weights, as ratings, and on a log scale where they are skewed."""
    plays = [1, 2, 5, 10, 10_000]
    files: dict[str, str | bytes] = {
        "user_artists.dat": "userID\tartistID\tweight\n"
        + "".join(f"2\t{51 + n}\t{n_plays}\n" for n, n_plays in enumerate(plays)),
        "artists.dat": 'id\tname\turl\tpictureURL\n51\tDuran "Duran\thttp://x\thttp://y\n52\tMorcheeba\t\t\n',
        "tags.dat": "tagID\ttagValue\n1\tmetal\n",
        "user_friends.dat": "userID\tfriendID\n2\t275\n",
    }
    reading = read(files)
    assert [stars for _, _, stars, _ in rows(reading)] == [None] * 5
    assert reading.table.weights.tolist() == pytest.approx(np.log2(1 + np.array(plays)).tolist())
    assert "log scale" in reading.warnings[-1]
    assert reading.table.movies.titles[:2] == ('Duran "Duran', "Morcheeba")
    assert read(files, rating_transform="none").table.weights.tolist() == plays
    rated = read(files, rating_transform="log")
    assert rated.table.stars.tolist() == pytest.approx(np.log1p(plays).tolist(), rel=1e-6)
    assert rated.table.weights.tolist() == [1] * 5
    assert rated.warnings == ()


def test_plays_of_one_item_are_summed(read: Callable[..., Reading]) -> None:
    reading = read({"plays.csv": "user,song,plays,time\na,x,2,7\na,y,1,9\na,x,3,8\nb,x,4,1\n"})
    assert rows(reading) == [("a", "y", None, 9), ("a", "x", None, 8), ("b", "x", None, 1)]
    assert reading.table.weights.tolist() == [1, 5, 4]
    assert reading.table.num_replaced == 1


def test_events_of_a_shop(read: Callable[..., Reading]) -> None:
    """Events weigh what is said; of several the strongest counts, and others are left out."""
    files: dict[str, str | bytes] = {
        "events.csv": "timestamp,visitorid,event,itemid,transactionid\n"
        "1433221332117,7,view,5,\n1433221332118,7,view,5,\n1433221332119,7,transaction,5,4000\n"
        "1433221333120,7,view,6,\n1433221334120,8,remove,6,\n",
        "item_properties_part1.csv": "timestamp,itemid,property,value\n1435460400000,5,categoryid,1338\n",
        "category_tree.csv": "categoryid,parentid\n1016,213\n",
    }
    reading = read(files, event_weights={"view": 1, "transaction": 5})
    assert rows(reading) == [("7", "5", None, 1433221332), ("7", "6", None, 1433221333)]
    assert reading.table.weights.tolist() == [5, 1]
    assert any("1 rows of events without a weight are left out" in warning for warning in reading.warnings)
    [warning] = read(files).warnings
    assert "view 3, transaction 1, remove 1" in warning
    assert "--event-weights view=1,transaction=2,remove=3" in warning
    message = r"expected events buy, got view 3, .*; correct --event-weights"
    with pytest.raises(DataError, match=message):
        read(files, event_weights={"buy": 1})


def test_a_diary_of_one_person(read: Callable[..., Reading]) -> None:
    """Letterboxd's export has no user, and its films no ids."""
    files: dict[str, str | bytes] = {
        "ratings.csv": "Date,Name,Year,Letterboxd URI,Rating\n2020-01-01,Heat,1995,https://boxd.it/1,4.5\n"
        '2020-01-02,"Crouching Tiger, Hidden Dragon",2000,https://boxd.it/2,4\n'
    }
    with pytest.raises(DataError, match=r"expected a column for user, got .* with --user NAME$"):
        read(files)
    reading = read(files, user="me")
    assert rows(reading) == [
        ("me", "Heat", 4.5, seconds(2020, 1, 1)),
        ("me", "Crouching Tiger, Hidden Dragon", 4, seconds(2020, 1, 2)),
    ]
    assert reading.table.movies.years.tolist() == [2000, 1995]


def test_titles_and_genres_may_be_in_the_ratings_file(read: Callable[..., Reading]) -> None:
    """A title that differs between the rows of an item is not the item's."""
    text = (
        "user_id,product_id,score,title,product_name,category,summary\n"
        "a,p,5,Great,Kettle,Kitchen,x\nb,p,1,Awful,Kettle,Kitchen,x\na,q,3,So so,Pan,Kitchen;Steel,x\n"
    )
    reading = read({"reviews.csv": text}, columns={"title": "product_name"})
    assert reading.table.movies.titles == ("Kettle", "Pan")
    assert reading.table.movies.genres == (("Kitchen",), ("Kitchen", "Steel"))
    assert read({"reviews.csv": text}).table.movies.titles == ("p", "q")


def test_excel_in_a_country_of_decimal_commas(read: Callable[..., Reading]) -> None:
    text = (
        "\ufeffUser ID;Item ID;Rating;Date\r\n1;Müsli;4,5;31.12.2024\r\n2;Brot;3;01.02.2025 10:30\r\n;;;\r\n"
    )
    reading = read({"Mappe1.csv": text})
    assert rows(reading) == [
        ("1", "Müsli", 4.5, seconds(2024, 12, 31)),
        ("2", "Brot", 3, seconds(2025, 2, 1, 10, 30)),
    ]
    assert reading.files[0].description == "';'-separated, UTF-8 with a byte order mark"
    assert reading.warnings == ("1 empty rows are left out",)


def test_utf_16_with_tabs_and_time_zones(read: Callable[..., Reading]) -> None:
    text = "user\titem\trating\ttime\nzoë\tx\t4\t2025-01-01T10:00:00+02:00\nbob\ty\t5\t2025-01-01T10:00:00Z\n"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        reading = read({"r.tsv": text.encode(encoding)})
        assert rows(reading) == [
            ("zoë", "x", 4, seconds(2025, 1, 1, 8)),
            ("bob", "y", 5, seconds(2025, 1, 1, 10)),
        ]
        assert reading.files[0].description == "tab-separated, UTF-16"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_with_or_without_the_last(read: Callable[..., Reading], line_end: str) -> None:
    for last in ("", line_end):
        text = line_end.join(["user,item,rating", "1,2,3", "", "2,3,4"]) + last
        assert rows(read({"r.csv": text})) == [("1", "2", 3, None), ("2", "3", 4, None)]


@pytest.mark.parametrize(
    ("text", "described"),
    [
        ("1 7 3.5\n2 7 4\n", "space-separated, UTF-8, no header"),
        ("1::7::3.5\n2::7::4\n", "'::'-separated, UTF-8, no header"),
        ("% bip weighted\n% 100 20\n1\t7\t3.5\n2\t7\t4\n", "tab-separated, UTF-8, no header"),
        ("sep=;\nuser;item;stars\n1;7;3,5\n2;7;4,0\n", "';'-separated, UTF-8"),
        ('"","user","item","rating"\n"1",1,7,3.5\n"2",2,7,4\n', "comma-separated, UTF-8"),
        ("user\titem\trating\n1\t1\t7\t3.5\n2\t2\t7\t4\n", "tab-separated, UTF-8"),
        ("user|item|rating|\n1|7|3.5|\n2|7|4|\n", "'|'-separated, UTF-8"),
        ("userId, movieId, rating\n1, 7, 3.5\n2, 7, 4\n", "comma-separated, UTF-8"),
        ("USER_ID,Film-Id,STARS\n1.0,7.0,3.5\n2.0,7.0,4\n", "comma-separated, UTF-8"),
        ("user_id:token\titem_id:token\trating:float\n1\t7\t3.5\n2\t7\t4.0\n", "tab-separated, UTF-8"),
        (
            '[{"userId": 1, "movieId": 7, "rating": 3.5}, {"userId": 2, "movieId": 7, "rating": 4}]',
            "one JSON array, UTF-8",
        ),
    ],
)
def test_ways_to_write_three_columns(read: Callable[..., Reading], text: str, described: str) -> None:
    reading = read({"some.file": text})
    assert rows(reading) == [("1", "7", 3.5, None), ("2", "7", 4, None)]
    assert reading.files[0].description == described


def test_reviews_with_line_breaks(read: Callable[..., Reading]) -> None:
    text = (
        "user_id,recipe_id,date,rating,review\n"
        '38094,40893,2003-02-17,4,"Great.\nCooked, on top, of stove, for ""15"" minutes.\n\nGood"\n'
        "1293707,40893,2011-12-21,5,fine\n"
    )
    expected = [("38094", "40893", 4, seconds(2003, 2, 17)), ("1293707", "40893", 5, seconds(2011, 12, 21))]
    assert rows(read({"interactions.csv": text})) == expected


def test_parquet_with_typed_columns(read: Callable[..., Reading], tmp_path: Path) -> None:
    ratings = pa.table(
        {
            "user_id": pa.array([1, 2, 2], pa.int64()),
            "item_id": pa.array(["a", "b", "a"]).dictionary_encode(),
            "rating": pa.array([1.5, None, 3.0]),
            "timestamp": pa.array([1_577_836_800_123_456_789, 0, 10**18], pa.timestamp("ns", "Europe/Paris")),
        }
    )
    items = pa.table(
        {"item_id": ["a", "b", "c"], "title": ["A", "B", None], "genres": [["x", "y"], None, []]}
    )
    for name, table in (("part-0.parquet", ratings), ("items.parquet", items)):
        pyarrow.parquet.write_table(table, tmp_path / name)
    files = {name: (tmp_path / name).read_bytes() for name in ("part-0.parquet", "items.parquet")}
    with pytest.raises(DataError, match=r"part-0\.parquet row 2: expected a number as rating, got ''"):
        read(files)
    reading = read(files, not_rated=("empty",))
    assert rows(reading) == [("1", "a", 1.5, 1_577_836_800), ("2", "b", None, 0), ("2", "a", 3, 10**9)]
    assert reading.table.movies.titles == ("A", "B", "c")
    assert reading.table.movies.genres == (("x", "y"), (), ())


def test_columns_by_number_where_nothing_names_them(read: Callable[..., Reading]) -> None:
    """Steam's hours: five columns without a header."""
    scrolls = '1,"The ""Elder"" Scrolls, V",'
    text = f"{scrolls}purchase,1.0,0\n{scrolls}play,273.0,0\n2,Fallout,play,8,0\n"
    message = (
        r"expected a header, .*got the columns 1 \('1', '2'\); .*3 \('purchase', 'play'\); .*--columns user="
    )
    with pytest.raises(DataError, match=message):
        read({"steam-200k.csv": text})
    reading = read(
        {"steam-200k.csv": text},
        columns={"user": "1", "item": "2", "event": "3"},
        event_weights={"purchase": 1, "play": 2},
    )
    assert rows(reading) == [("1", 'The "Elder" Scrolls, V', None, None), ("2", "Fallout", None, None)]
    assert reading.table.weights.tolist() == [2, 2]


def test_two_columns_are_users_and_items(read: Callable[..., Reading]) -> None:
    reading = read({"pairs.txt": "1 5\n1 6\n2 5\n"})
    assert rows(reading) == [("1", "5", None, None), ("1", "6", None, None), ("2", "5", None, None)]
    assert reading.table.weights.tolist() == [1, 1, 1]


def test_ratings_that_are_all_1_are_watches(read: Callable[..., Reading]) -> None:
    text = "user,item,rating\n" + "".join(f"{row // 5},{row % 7},1.0\n" for row in range(40))
    reading = read({"r.csv": text})
    assert not reading.table.is_rated.any()
    assert "all ratings are 1" in reading.warnings[0]
    assert "from which nothing can be learnt" in read({"r.csv": text.replace("1.0", "4")}).warnings[0]


def test_a_missing_user_is_not_a_user_called_na(read: Callable[..., Reading]) -> None:
    text = "sessionId;userId;itemId\n150;18278;25911\n151;NA;175874\n"
    with pytest.raises(DataError, match=r"line 3: expected a userId, got 'NA'; fill it in$"):
        read({"p.csv": text})
    assert rows(read({"p.csv": text}, skip_bad_rows=True)) == [("18278", "25911", None, None)]
    names = "user,item\n" + "".join(f"name{row},x\n" for row in range(200)) + "na,x\n"
    assert "na" in read({"p.csv": names}).table.user_ids


def test_the_items_file_may_be_anywhere(read: Callable[..., Reading], tmp_path: Path) -> None:
    items = tmp_path / "catalogue.json"
    items.write_text('{"sku": "x", "headline": "X", "brand": "B"}\n', encoding="utf-8")
    files: dict[str, str | bytes] = {"r.csv": "user,item,rating\na,x,3\na,y,4\n"}
    reading = read(files, items=items, item_features=("brand",))
    assert reading.table.movies.titles == ("X", "y")
    assert reading.table.movies.features == {"brand": (("B",), ())}
    assert reading.num_unknown_items == 1
    items.write_text('{"sku": "other", "headline": "X"}\n', encoding="utf-8")
    with pytest.raises(
        DataError, match=r"catalogue\.json: expected items of the ratings, whose item is 'x', 'y'"
    ):
        read(files, items=items)


def test_an_items_file_of_other_items_is_not_taken(read: Callable[..., Reading]) -> None:
    files: dict[str, str | bytes] = {
        "ratings.csv": "user,item,rating\na,x,3\na,y,4\n",
        "movies.csv": "movieId,title\n1,One\n",
    }
    reading = read(files)
    assert reading.table.movies.titles == ("x", "y")
    assert "movies.csv: expected items of the ratings" in reading.warnings[0]


def test_several_files_of_ratings_are_refused_by_name(read: Callable[..., Reading]) -> None:
    text = "user,item,rating\na,x,3\n"
    with pytest.raises(
        DataError, match=r"expected one file of ratings, got test\.csv, train\.csv; give .*--data "
    ):
        read({"train.csv": text, "test.csv": text, "README.md": "user,item\n"})


def test_a_wrong_encoding_can_be_corrected(read: Callable[..., Reading]) -> None:
    text = "user,item,rating\nжюли,x,3\n".encode("cp1251")
    assert read({"r.csv": text}).table.user_ids != ("жюли",)
    assert read({"r.csv": text}, encoding="cp1251").table.user_ids == ("жюли",)
    with pytest.raises(
        DataError, match=r"r\.csv line 2: expected user in UTF-8, got '.*'; correct it, or say with --enc"
    ):
        read({"r.csv": text}, encoding="utf-8")


def test_counts_that_are_taken_for_ratings_are_warned_of(read: Callable[..., Reading]) -> None:
    """As in the Million Song Dataset: three columns without a header, of which the last counts plays."""
    text = "".join(f"u{row}\ts{row % 7}\t{1 + (row % 50 == 0) * 300 * row}\n" for row in range(1, 300))
    [warning] = read({"train_triplets.txt": text}).warnings
    assert "skewed as counts are" in warning
    weighed = read({"train_triplets.txt": text}, columns={"user": "1", "item": "2", "weight": "3"})
    assert not weighed.table.is_rated.any()
    assert weighed.table.weights.max() > 10


def test_an_items_file_needs_no_header(read: Callable[..., Reading]) -> None:
    files: dict[str, str | bytes] = {
        "ratings.txt": "1|7|3\n2|8|4\n",
        "movies.txt": "7|Heat (1995)|Crime, Drama\n8|Alien (1979)|Horror\n9|Cold (2000)|Horror\n",
        "genres.txt": "Crime|0\nDrama|1\n",
    }
    movies = read(files).table.movies
    assert movies.titles == ("Heat (1995)", "Alien (1979)", "Cold (2000)")
    assert movies.genres == (("Crime", "Drama"), ("Horror",), ("Horror",))


def test_columns_that_are_not_needed_may_be_ambiguous(read: Callable[..., Reading]) -> None:
    text = "user,item,rating,plays,views,event,action\na,x,3,1,2,e,f\n"
    assert rows(read({"r.csv": text})) == [("a", "x", 3, None)]
    with pytest.raises(
        DataError, match=r"one column each: event or action as event, plays or views as weight, got"
    ):
        read({"r.csv": text.replace("rating", "mood")})


def test_ratings_may_be_watches_with_weights_too(read: Callable[..., Reading]) -> None:
    text = "user,item,rating,confidence\na,x,3,0.5\nb,x,4,2\n"
    reading = read({"r.csv": text}, columns={"weight": "confidence"})
    assert reading.table.stars.tolist() == [3, 4]
    assert reading.table.weights.tolist() == [0.5, 2]


def test_a_column_can_be_left_out(read: Callable[..., Reading]) -> None:
    text = "user,item,rating,time\na,x,3,soon\nb,x,4,later\n"
    with pytest.raises(DataError, match="leave the column out with --columns time="):
        read({"r.csv": text})
    assert rows(read({"r.csv": text}, columns={"time": ""})) == [("a", "x", 3, None), ("b", "x", 4, None)]


def test_an_items_file_whose_ids_have_leading_zeros(read: Callable[..., Reading]) -> None:
    ratings = "user_id,movie_id,rating\na,1,5\na,20,4\nb,1.0,3\n"
    items = "movie_id,title\n0001,One\n0020,Twenty\n0300,Three hundred\n"
    reading = read({"ratings.csv": ratings, "movies.csv": items})
    assert reading.table.movies.movie_ids == ("1", "20", "0300")
    assert reading.table.movies.titles == ("One", "Twenty", "Three hundred")
    assert any("'0001' is taken for '1'" in one for one in reading.warnings)
    assert rows(reading)[2][:2] == ("b", "1")


def test_fields_between_apostrophes(read: Callable[..., Reading]) -> None:
    reading = read({"r.csv": "'user','item','rating'\n'1','It, too','2'\n'1','It''s','3'\n"})
    assert rows(reading) == [("1", "It, too", 2, None), ("1", "It's", 3, None)]
