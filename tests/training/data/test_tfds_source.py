import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.checksums import UrlInfo
from tensorflow_datasets.structured.movielens import Movielens

from training.data import tfds_source
from training.data.reader import read_files
from training.errors import DataError, SourceError

Layout = Callable[[str], dict[str, bytes]]
WriteFiles = Callable[..., Path]


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Data directory of tfds during a test."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path / "tfds"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """Address of a server on loopback that serves the files of `tmp_path`."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def download_from(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make tfds download MovieLens 100K from another address."""

    def change(url: str) -> None:
        for config in Movielens.BUILDER_CONFIGS:
            if config.name.startswith("100k"):
                monkeypatch.setattr(config, "_download_url", url)

    return change


def zipped(layout: Layout, write_files: WriteFiles) -> Path:
    return write_files(
        {f"ml-100k/{file}": content for file, content in layout("100k").items()}, "ml-100k.zip"
    )


def left_in(downloads: Path) -> list[str]:
    return [path.name for path in downloads.rglob("*") if ".tmp." in path.name]


@pytest.mark.parametrize(("dataset", "name"), [("100k", "100k"), ("1m", "1m"), ("25m", "csv")])
def test_the_builder_and_the_local_reader_agree(
    layout: Layout, write_files: WriteFiles, tmp_path: Path, dataset: str, name: str
) -> None:
    raw = write_files(layout(name))
    tfds_source.prepare_directory(raw, dataset, tmp_path / "prepared")
    table = tfds_source.load_directory(dataset, tmp_path / "prepared", "a test")
    local = read_files(raw).table
    assert table.sha256 == local.sha256
    assert table.movies.genres == local.movies.genres
    assert {one: feature.vocabulary for one, feature in table.user_features.items()} == {
        one: feature.vocabulary for one, feature in local.user_features.items()
    }
    assert (table.name, table.source) == (f"movielens/{dataset}", "a test")
    columns = (table.user_rows, table.movie_rows, table.stars, table.timestamps)
    assert [column.dtype.name for column in columns] == ["int32", "int32", "float32", "int64"]


def test_rows_of_several_files_are_in_the_order_of_tfds(write_files: WriteFiles, tmp_path: Path) -> None:
    ratings = "userId,movieId,rating,timestamp\n" + "".join(f"{row},1,3,{row}\n" for row in range(500))
    files = {"ratings.csv": ratings.encode(), "movies.csv": b"movieId,title,genres\n1,A (1990),Drama\n"}
    raw, prepared = write_files(files), tmp_path / "prepared"
    builder = tfds_source.MovielensDirectory(raw=raw, config="25m-ratings", data_dir=prepared)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=20))
    assert builder.info.splits["train"].num_shards == 20
    tfds_source.prepare_directory(raw, "25m", prepared)  # the movies are missing
    expected = [int(row["timestamp"]) for row in tfds.as_numpy(builder.as_dataset(split="train"))]
    assert tfds_source.load_directory("25m", prepared, "a test").timestamps.tolist() == expected
    assert expected != sorted(expected)


def test_all_of_movielens_100k_is_in_the_order_of_tfds(wheel_cache: Path) -> None:
    builder = tfds_source.MovielensDirectory(config="100k-ratings", data_dir=next(wheel_cache.iterdir()))
    some = tfds.as_numpy(builder.as_dataset(split="train[:2000]"))
    expected = [(row["user_id"].decode(), row["movie_id"].decode(), int(row["timestamp"])) for row in some]
    table = tfds_source.load_directory("100k", next(wheel_cache.iterdir()), "a test").take(np.arange(2_000))
    assert [
        (table.user_ids[user], table.movies.movie_ids[movie], int(timestamp))
        for user, movie, timestamp in zip(table.user_rows, table.movie_rows, table.timestamps, strict=True)
    ] == expected


def test_movielens_is_downloaded_and_prepared_only_once(
    layout: Layout,
    write_files: WriteFiles,
    host: str,
    download_from: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = zipped(layout, write_files)
    local = read_files(archive).table
    download_from(f"{host}/ml-100k.zip")
    assert not tfds_source.is_prepared("100k")
    capsys.readouterr()
    table = tfds_source.load_movielens("100k")
    assert table.sha256 == local.sha256
    assert (table.name, table.source) == ("movielens/100k", "tfds movielens/100k, downloaded")
    assert capsys.readouterr() == ("", "")  # nothing of "Downloading and preparing dataset Unknown size"
    archive.unlink()
    assert tfds_source.is_prepared("100k")
    assert tfds_source.load_movielens("100k").source == "tfds movielens/100k, prepared before"


def test_a_directory_without_its_records_is_not_prepared(data_dir: Path) -> None:
    for table in ("ratings", "movies"):
        (data_dir / f"movielens/100k-{table}/0.1.1").mkdir(parents=True)
    assert not tfds_source.is_prepared("100k")


def test_a_wrong_checksum_is_a_data_error_and_leaves_no_download(
    monkeypatch: pytest.MonkeyPatch,
    write_files: WriteFiles,
    host: str,
    download_from: Callable[[str], None],
    data_dir: Path,
) -> None:
    write_files({"ml-100k.zip": b"please sign in"}, "sign-in")
    url = f"{host}/sign-in/ml-100k.zip"
    expected = UrlInfo(size=tfds.core.utils.Size(10), checksum="50d2a9", filename="ml-100k.zip")
    monkeypatch.setitem(Movielens.url_infos, url, expected)
    download_from(url)
    with pytest.raises(
        DataError, match=r"^ml-100k\.zip: wrong checksum: expected sha256 50d2a9, got \w{64}; try"
    ):
        tfds_source.load_movielens("100k")
    assert left_in(data_dir) == []
    assert not tfds_source.is_prepared("100k")


def test_a_missing_download_is_a_source_error(
    host: str, download_from: Callable[[str], None], data_dir: Path
) -> None:
    download_from(f"{host}/gone.zip")
    with pytest.raises(
        SourceError, match=r"^movielens/100k: the download failed: .* HTTP code: 404"
    ) as error:
        tfds_source.load_movielens("100k")
    assert error.value.exit_code == 1
    assert left_in(data_dir) == []


def test_an_unreachable_host_is_a_source_error(download_from: Callable[[str], None]) -> None:
    download_from("http://127.0.0.1:9/ml-100k.zip")
    with pytest.raises(SourceError, match=r"^movielens/100k: the download failed: .*refused.*--data PATH$"):
        tfds_source.load_movielens("100k")


def test_a_download_that_is_not_a_zip_is_a_source_error(
    write_files: WriteFiles, host: str, download_from: Callable[[str], None]
) -> None:
    write_files({"ml-100k.zip": b"please sign in"}, "sign-in")
    download_from(f"{host}/sign-in/ml-100k.zip")
    with pytest.raises(
        SourceError, match=r"^movielens/100k: tfds failed: ExtractError: Error while extracting"
    ):
        tfds_source.load_movielens("100k")


def test_damaged_prepared_data_is_refused_by_name(
    layout: Layout, write_files: WriteFiles, tmp_path: Path
) -> None:
    prepared = tmp_path / "prepared"
    tfds_source.prepare_directory(write_files(layout("100k")), "100k", prepared)
    records = next(prepared.rglob("*100k-ratings*/**/*.tfrecord*"))
    records.write_bytes(records.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"100k-ratings.*: cannot be read \(DataLossError\); remove it"):
        tfds_source.load_directory("100k", prepared, "a test")
