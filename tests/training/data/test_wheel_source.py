from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from training.data import tfds_source, wheel_source
from training.data.reader import read_files
from training.data.table import RatingsTable
from training.errors import SourceError


@pytest.fixture
def rebuilt(tmp_path: Path) -> Path:
    """GroupLens's files of MovieLens 100K, rebuilt from the wheel."""
    files = metadata.distribution("recbole").locate_file("recbole/dataset_example/ml-100k")
    wheel_source.rebuild_grouplens_files(Path(str(files)), tmp_path)
    return tmp_path


def title_and_genres(table: RatingsTable, movie_id: str) -> tuple[str, tuple[str, ...], int]:
    row = table.movies.movie_ids.index(movie_id)
    return table.movies.titles[row], table.movies.genres[row], int(table.movies.years[row])


def test_movielens_100k_is_complete(movielens_100k: RatingsTable) -> None:
    table = movielens_100k
    assert (table.num_ratings, table.num_users, table.num_movies) == (100_000, 943, 1_682)
    assert len(set(table.movies.titles)) == 1_664
    assert (table.rating_scale, table.time_range) == ((1, 5), (874_724_710, 893_286_638))
    assert (table.num_replaced, table.name) == (0, "movielens/100k")
    assert table.source == "the copy in the PyPI wheel recbole 1.2.1, read by the tfds builder"
    assert set(table.user_features) == {"gender", "age", "occupation"}
    assert len(table.user_features["occupation"].vocabulary) == 21


def test_titles_have_their_years(movielens_100k: RatingsTable) -> None:
    toy_story = ("Toy Story (1995)", ("Animation", "Children", "Comedy"), 1995)
    assert title_and_genres(movielens_100k, "1") == toy_story
    assert title_and_genres(movielens_100k, "97")[0] == "Dances with Wolves (1990)"
    assert title_and_genres(movielens_100k, "543")[0] == "Misérables, Les (1995)"
    movies = movielens_100k.movies
    without_year = [title for title, year in zip(movies.titles, movies.years, strict=True) if not year]
    assert without_year == ["unknown"]


def test_errors_of_the_wheel_are_corrected(movielens_100k: RatingsTable) -> None:
    assert title_and_genres(movielens_100k, "267") == ("unknown", (), 0)
    assert title_and_genres(movielens_100k, "1373") == ("Good Morning (1971)", (), 1971)
    assert title_and_genres(movielens_100k, "1412") == (
        "Land Before Time III: The Time of the Great Giving (1995) (V)",
        ("Animation", "Children"),
        1995,
    )


def test_rebuilt_files_equal_those_of_grouplens(rebuilt: Path) -> None:
    ratings = (rebuilt / "u.data").read_bytes().splitlines()
    assert ratings[0] == b"196\t242\t3\t881250949"
    assert len(ratings) == 100_000
    assert (rebuilt / "u.user").read_bytes().startswith(b"1|24|M|technician|85711\n")
    items = (rebuilt / "u.item").read_bytes().splitlines()
    assert items[266] == b"267|unknown||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0"
    assert items[542].startswith("543|Misérables, Les (1995)||||0|0|".encode("latin-1"))


def test_rebuilt_files_have_the_same_data(rebuilt: Path, movielens_100k: RatingsTable) -> None:
    assert read_files(rebuilt).table.sha256 == movielens_100k.sha256


def test_a_preparation_leaves_no_other_files(wheel_cache: Path) -> None:
    assert [path.name for path in wheel_cache.iterdir()] == ["movielens-100k-recbole-1.2.1"]


def test_a_preparation_is_reused(wheel_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wheel_source.is_prepared(wheel_cache)
    monkeypatch.setattr(metadata, "distribution", lambda _: pytest.fail("the wheel was opened again"))
    assert len(wheel_source.load_wheel(wheel_cache)) == 100_000


def test_an_interrupted_preparation_does_not_look_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_raw: Path, _dataset: str, data_dir: Path) -> None:
        (data_dir / "movielens").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(tfds_source, "prepare_directory", die)
    with pytest.raises(KeyboardInterrupt):
        wheel_source.load_wheel(tmp_path)
    assert not wheel_source.is_prepared(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_concurrent_preparations_do_not_interfere(
    layout: Callable[[str], dict[str, bytes]],
    write_files: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small, cache_dir = write_files(layout("100k")), tmp_path / "cache"
    prepare = tfds_source.prepare_directory

    def prepare_second(_raw: Path, dataset: str, data_dir: Path) -> None:
        prepare(small, dataset, cache_dir / "movielens-100k-recbole-1.2.1")
        prepare(small, dataset, data_dir)

    monkeypatch.setattr(tfds_source, "prepare_directory", prepare_second)
    assert len(wheel_source.load_wheel(cache_dir)) == 5
    assert [path.name for path in cache_dir.iterdir()] == ["movielens-100k-recbole-1.2.1"]


def test_a_missing_wheel_is_reported_with_the_command_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    message = r"expected the PyPI wheel recbole 1\.2\.1, got none; install it with: pip install --no-deps -r "
    with pytest.raises(SourceError, match=message):
        wheel_source.load_wheel(tmp_path)


def test_an_unwritable_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(SourceError, match=r"file.*: cannot write the prepared data: .*; set XDG_CACHE_HOME"):
        wheel_source.load_wheel(tmp_path / "file" / "cache")
