from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.reader import read_files
from training.data.reading_options import ReadingOptions
from training.data.table import RatingsTable
from training.errors import DataError

Layout = Callable[[str], dict[str, bytes]]
WriteFiles = Callable[..., Path]


def described(table: RatingsTable) -> list[tuple[str, str, float, int]]:
    """Convert rows to the ids and values of the files."""
    return [
        (table.user_ids[user], table.movies.movie_ids[movie], float(stars), int(timestamp))
        for user, movie, stars, timestamp in zip(
            table.user_rows, table.movie_rows, table.stars, table.timestamps, strict=True
        )
    ]


def of_users(table: RatingsTable, name: str) -> dict[str, str]:
    feature = table.user_features[name]
    values = ["" if code < 0 else feature.vocabulary[code] for code in feature.codes]
    return dict(zip(table.user_ids, values, strict=True))


@pytest.mark.parametrize("name", ["100k", "1m", "csv"])
def test_every_layout_is_recognised_and_keeps_file_order(
    layout: Layout, write_files: WriteFiles, name: str
) -> None:
    table = read_files(write_files(layout(name))).table
    assert described(table) == [
        ("10", "2", 3, 881250949),
        ("9", "10", 5, 891717742),
        ("2", "1", 1, 878887116),
        ("9", "2", 4, 880606923),
        ("10", "1", 2, 886397596),
    ]
    assert table.user_ids == ("2", "9", "10")
    assert table.movies.movie_ids == ("1", "2", "10", "267")
    assert table.movies.titles == (
        "Land Before Time III: The Time of the Great Giving (1995) (V)",
        "Toy Story (1995)",
        "Misérables, Les (1995)",
        "unknown",
    )
    assert table.movies.genres == (
        ("Animation", "Children"),
        ("Animation", "Children", "Comedy"),
        ("Drama", "Musical"),
        (),
    )
    assert table.movies.years.tolist() == [1995, 1995, 1995, 0]
    assert (table.name, table.num_replaced) == ("ml", 0)
    columns = (table.user_rows, table.movie_rows, table.stars, table.timestamps)
    assert [column.dtype.name for column in columns] == ["int32", "int32", "float32", "int64"]


@pytest.mark.parametrize("name", ["100k", "1m"])
def test_only_users_with_ratings_have_features(layout: Layout, write_files: WriteFiles, name: str) -> None:
    table = read_files(write_files(layout(name))).table
    assert of_users(table, "gender") == {"2": "F", "9": "M", "10": "F"}
    assert of_users(table, "age") == {"2": "50", "9": "18", "10": "1"}
    assert of_users(table, "occupation") == {"2": "lawyer", "9": "artist", "10": "writer"}
    assert table.user_features["age"].vocabulary == ("1", "18", "50")
    assert table.user_features["occupation"].vocabulary == ("artist", "lawyer", "writer")


def test_the_csv_layout_has_no_user_features(layout: Layout, write_files: WriteFiles) -> None:
    assert read_files(write_files(layout("csv"))).table.user_features == {}


def test_layouts_zips_and_sub_directories_give_equal_tables(layout: Layout, write_files: WriteFiles) -> None:
    hashes = set()
    for name in ("100k", "1m"):
        nested = {f"ml-{name}/{file}": content for file, content in layout(name).items()}
        hashes |= {
            read_files(write_files(layout(name), name)).table.sha256,
            read_files(write_files(layout(name), f"{name}.zip")).table.sha256,
            read_files(write_files(nested, f"in-{name}")).table.sha256,
            read_files(write_files(nested, f"in-{name}.zip")).table.sha256,
        }
    assert len(hashes) == 1


@pytest.mark.parametrize(("name", "users_file"), [("100k", "u.user"), ("1m", "users.dat")])
def test_the_users_file_may_be_absent(
    layout: Layout, write_files: WriteFiles, name: str, users_file: str
) -> None:
    files = layout(name)
    del files[users_file]
    without = read_files(write_files(files)).table
    assert without.user_features == {}
    assert without.sha256 == read_files(write_files(layout("csv"), "csv")).table.sha256


def test_a_user_missing_in_the_users_file_has_no_features(layout: Layout, write_files: WriteFiles) -> None:
    files = layout("100k") | {"u.user": b"9||M||\n"}
    table = read_files(write_files(files)).table
    assert of_users(table, "gender") == {"2": "", "9": "M", "10": ""}
    assert table.user_features["age"].codes.tolist() == [-1, -1, -1]


def test_the_source_names_the_files_read(layout: Layout, write_files: WriteFiles) -> None:
    assert read_files(write_files(layout("100k"))).table.source == "u.data, u.item, u.user in ml"
    assert read_files(write_files(layout("csv"), "x.zip")).table.source == "ratings.csv, movies.csv in x.zip"


def test_reading_writes_nothing(layout: Layout, write_files: WriteFiles, tmp_path: Path) -> None:
    write_files(layout("1m"), "ml.zip")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    read_files(tmp_path / "ml.zip")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_csv_may_have_any_ids_scale_and_further_columns(write_files: WriteFiles) -> None:
    files = {
        "ratings.csv": '\ufeffrating,timestamp,comment,movieId,userId\r\n87,-5,"so, so",tt0111161,Zoë\r\n'
        '"12.5","1700000000","line\nbreak","tt 2",007\r\n\r\n',
        "movies.csv": "title,genres,movieId\r\n"
        '"Shawshank ""Redemption"", The (1994)",Drama|Crime,tt0111161\r\n'
        "Plain,,tt 2\r\n",
    }
    table = read_files(write_files({name: text.encode() for name, text in files.items()})).table
    assert described(table) == [("Zoë", "tt0111161", 87, -5), ("007", "tt 2", 12.5, 1_700_000_000)]
    assert table.user_ids == ("007", "Zoë")
    assert table.movies.titles == ("Plain", 'Shawshank "Redemption", The (1994)')
    assert table.movies.genres == ((), ("Drama", "Crime"))
    assert table.rating_scale == (12.5, 87)


def test_the_latest_rating_of_a_movie_is_kept_and_the_rest_counted(
    layout: Layout, write_files: WriteFiles
) -> None:
    files = layout("100k")
    files["u.data"] += b"9\t2\t1\t880606922\n10\t2\t5\t881250949\n"
    table = read_files(write_files(files)).table
    assert table.num_replaced == 2
    assert ("9", "2", 4, 880606923) in described(table)
    assert ("10", "2", 5, 881250949) in described(table)
    assert len(table) == 5


BAD_LINES = [
    ("100k", "u.data", "9\t267\t4\n", 6, "expected 4 tab-separated fields, got 3; complete"),
    ("100k", "u.data", "\n\n9\t267\tgood\t5\n", 8, "expected a number as rating, got 'good'"),
    ("100k", "u.data", "9\t267\tnan\t5\n", 6, "expected a number as rating, got 'nan'"),
    ("100k", "u.data", "9\t267\t4\tsoon\n", 6, "expected a time as timestamp, such as .*, got 'soon'"),
    ("100k", "u.data", "\t267\t4\t5\n", 6, "expected a userId, got an empty field"),
    ("100k", "u.data", "9\t\t4\t5\n", 6, "expected a movieId, got an empty field"),
    ("100k", "u.item", "5|Short (1990)\n", 5, r"expected 24 '\|'-separated fields, got 2"),
    (
        "100k",
        "u.item",
        f"10|Again (1990)|||{'|0' * 19}\n",
        5,
        "expected each movieId once, got '10' again",
    ),
    ("100k", "u.item", f"|No id (1990)|||{'|0' * 19}\n", 5, "expected a movieId, got an empty field"),
    ("100k", "u.user", "78|young|M|artist|1\n", 5, "expected a whole number as age, got 'young'"),
    ("100k", "u.user", "9|24|M|artist|1\n", 5, "expected each userId once, got '9' again"),
    ("1m", "ratings.dat", "9::267::4\n", 6, "expected 4 '::'-separated fields, got 3"),
    ("1m", "ratings.dat", "9::267::::5\n", 6, "expected a number as rating, got ''"),
    ("1m", "movies.dat", "5::Too::many::fields\n", 5, "expected 3 '::'-separated fields, got 4"),
    ("1m", "users.dat", "5::F\n", 5, "expected 5 '::'-separated fields, got 2"),
    ("csv", "ratings.csv", "9,267,4,\n", 7, "expected a time as timestamp, such as .*, got ''"),
    ("csv", "ratings.csv", "9,267,4,5,6\n", 7, "expected 4 comma-separated fields, got 5"),
    ("csv", "movies.csv", "10,Again,Drama\n", 6, "expected each movieId once, got '10' again"),
    ("csv", "movies.csv", "11,Amélie,Drama\n", 6, "expected title in UTF-8, got 'Am\ufffdlie'"),
]


@pytest.mark.parametrize("into", ["ml", "ml.zip"])
@pytest.mark.parametrize("bad", BAD_LINES, ids=lambda bad: f"{bad[1]}: {bad[4]}")
def test_a_bad_line_is_refused_with_file_line_and_reason(
    layout: Layout, write_files: WriteFiles, into: str, bad: tuple[str, str, str, int, str]
) -> None:
    name, file, added, line, reason = bad
    files = layout(name)
    files[file] += added.encode("latin-1")
    with pytest.raises(DataError, match=rf"{file} line {line}: {reason}") as error:
        read_files(write_files(files, into))
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["100k", "1m", "csv"])
def test_an_empty_file_is_refused_by_name(layout: Layout, write_files: WriteFiles, name: str) -> None:
    for file in layout(name):
        with pytest.raises(DataError, match=f"{file}: expected rows, got an empty file"):
            read_files(write_files(layout(name) | {file: b""}, f"without-{file}"))


def test_a_header_without_rows_is_refused_by_name(layout: Layout, write_files: WriteFiles) -> None:
    for file in layout("csv"):
        header = layout("csv")[file].splitlines()[0]
        with pytest.raises(DataError, match=f"{file}: expected rows below the header, got none"):
            read_files(write_files(layout("csv") | {file: header}, f"without-{file}"))


def test_a_missing_column_is_refused_with_what_is_there(layout: Layout, write_files: WriteFiles) -> None:
    files = layout("csv") | {"ratings.csv": b"who,movieId,rating,timestamp\n1,2,3,4\n"}
    message = (
        r"ratings\.csv: expected a column for user, got the columns who \('1'\); movieId \('2'\); "
        r"rating \('3'\); timestamp \('4'\); name them with --columns user=\.\.\."
    )
    with pytest.raises(DataError, match=message):
        read_files(write_files(files))


@pytest.mark.parametrize("name", ["100k", "1m", "csv"])
def test_an_unknown_movie_is_kept_with_its_id_as_title(
    layout: Layout, write_files: WriteFiles, name: str
) -> None:
    files = layout(name)
    ratings = next(file for file in files if file.startswith(("u.data", "ratings")))
    separator = {"100k": "\t", "1m": "::", "csv": ","}[name]
    files[ratings] += separator.join(("9", "1999", "4", "5\n")).encode()
    reading = read_files(write_files(files))
    assert ("9", "1999", 4, 5) in described(reading.table)
    assert reading.table.movies.titles[-1] == "1999"
    assert reading.num_unknown_items == 1
    expected = rf"{ratings} line \d: expected an item of the items' file, got movieId '1999'; add it"
    with pytest.raises(DataError, match=expected):
        read_files(write_files(files), ReadingOptions(strict=True))


def test_ratings_without_their_movies_have_ids_as_titles(layout: Layout, write_files: WriteFiles) -> None:
    files = layout("100k")
    del files["u.item"]
    assert read_files(write_files(files)).table.movies.titles == ("1", "2", "10")


def test_a_path_with_several_layouts_is_refused(layout: Layout, write_files: WriteFiles) -> None:
    message = (
        r"ml: expected one file of ratings, got ratings\.csv, u\.data; give the path of one with --data "
    )
    with pytest.raises(DataError, match=message):
        read_files(write_files(layout("100k") | layout("csv")))
    nested = {f"{name}/{file}": content for name in ("100k", "1m") for file, content in layout(name).items()}
    message = r"x: expected one file of ratings, got 100k/u\.data, 1m/ratings\.dat; give"
    with pytest.raises(DataError, match=message):
        read_files(write_files(nested, "x"))


def test_the_outermost_ratings_are_read(layout: Layout, write_files: WriteFiles) -> None:
    nested = {f"old/{file}": content for file, content in layout("1m").items()}
    assert read_files(write_files(layout("csv") | nested)).table.source == "ratings.csv, movies.csv in ml"


def test_a_path_without_ratings_is_refused_with_what_is_there(write_files: WriteFiles) -> None:
    message = (
        r"ml: expected a file with a column of users and one of items, .*; got movies\.csv \(movieId, title"
    )
    with pytest.raises(DataError, match=message):
        read_files(write_files({"movies.csv": b"movieId,title,genres\n"}))


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such file or directory"):
        read_files(tmp_path / "nowhere")


def test_a_truncated_zip_is_refused(layout: Layout, write_files: WriteFiles) -> None:
    path = write_files(layout("100k"), "ml.zip")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"ml\.zip: expected a zip, got a truncated one"):
        read_files(path)


def test_a_truncated_last_line_of_any_file_is_refused(layout: Layout, write_files: WriteFiles) -> None:
    for name in ("100k", "1m", "csv"):
        for file, content in layout(name).items():
            rows = content.splitlines(keepends=True)
            broken = b"".join([*rows[:-1], rows[-1][:1] + b"\n"])
            with pytest.raises(DataError, match=rf"{file} line {len(rows)}: expected \d+ .* fields, got 1"):
                read_files(write_files(layout(name) | {file: broken}, f"cut-{file}"))
