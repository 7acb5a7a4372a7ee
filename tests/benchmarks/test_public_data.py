import gzip
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from benchmarks.public_data.__main__ import CHECKSUMS, main
from benchmarks.public_data.git_files import GitHubFiles, MirrorFiles, NotFetched
from benchmarks.public_data.layout import WrongContent, is_laid_out, lay_out, read_checksums
from benchmarks.public_data.made_files import join_events, join_rows
from benchmarks.public_data.public_set import MadeFile, PublicSet, Repository, SourceFile
from benchmarks.public_data.reading import load_options
from benchmarks.public_data.table import PUBLIC_SETS

RATINGS = b"1::10::8\n2::11::7\n"
BOOKS = "1\tÉtranger\n".encode("latin-1")


def git(where: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(where), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A directory with one repository, `someone/data`, whose second commit changes the ratings."""
    place = tmp_path / "mirror/someone+data/repo"
    (place / "snapshots").mkdir(parents=True)
    git(place, "init", "--quiet")
    git(place, "config", "uploadpack.allowFilter", "true")
    git(place, "config", "uploadpack.allowAnySHA1InWant", "true")
    (place / "snapshots/ratings.dat").write_bytes(RATINGS)
    with zipfile.ZipFile(place / "books.zip", "w") as archive:
        archive.writestr("inner/books.dat", BOOKS)
    git(place, "add", ".")
    git(place, "commit", "--quiet", "-m", "first")
    (place / "snapshots/ratings.dat").write_bytes(b"another state")
    git(place, "commit", "--quiet", "-a", "-m", "second")
    return tmp_path / "mirror"


@pytest.fixture
def public(mirror: Path) -> PublicSet:
    first = git(mirror / "someone+data/repo", "rev-parse", "HEAD~1")
    files = (
        SourceFile("snapshots/ratings.dat"),
        SourceFile("books.zip", member="inner/books.dat", name="parts/books.dat"),
    )
    return PublicSet(
        name="films",
        kind="films",
        terms="none",
        rows=2,
        users=2,
        items=2,
        times="",
        notes="",
        repositories=(Repository("someone/data", first, files),),
        data="films",
    )


@pytest.fixture
def checksums() -> dict[str, str]:
    return {
        "films/ratings.dat": sha256(RATINGS).hexdigest(),
        "films/parts/books.dat": sha256(BOOKS).hexdigest(),
    }


def test_files_of_the_commit_are_laid_out_unchanged_from_a_mirror(
    mirror: Path, public: PublicSet, checksums: dict[str, str], tmp_path: Path
) -> None:
    assert not is_laid_out(public, tmp_path / "sets", checksums)
    lay_out(public, tmp_path / "sets", MirrorFiles(mirror), checksums)
    assert (tmp_path / "sets/films/ratings.dat").read_bytes() == RATINGS
    assert (tmp_path / "sets/films/parts/books.dat").read_bytes() == BOOKS
    assert is_laid_out(public, tmp_path / "sets", checksums)


def test_they_are_the_same_from_a_git_server_of_which_only_the_files_asked_for_are_fetched(
    mirror: Path, public: PublicSet, checksums: dict[str, str], tmp_path: Path
) -> None:
    served = mirror / "someone+data/repo"
    (tmp_path / "clones").mkdir()
    files = GitHubFiles(tmp_path / "clones", url=served.as_uri())
    commit = public.repositories[0].commit
    assert files.read("someone/data", commit, "snapshots/ratings.dat") == RATINGS
    zip_blob = git(served, "rev-parse", f"{commit}:books.zip")
    clone = tmp_path / "clones/someone+data"
    assert f"?{zip_blob}" in git(clone, "rev-list", "--objects", "--missing=print", commit)
    lay_out(public, tmp_path / "sets", files, checksums)
    assert is_laid_out(public, tmp_path / "sets", checksums)


def test_a_changed_file_is_refused_and_not_left_behind(
    mirror: Path, public: PublicSet, checksums: dict[str, str], tmp_path: Path
) -> None:
    wrong = checksums | {"films/ratings.dat": sha256(b"what it was").hexdigest()}
    with pytest.raises(WrongContent, match=r"ratings\.dat: expected the sha256 .* came .*: fetch it again"):
        lay_out(public, tmp_path / "sets", MirrorFiles(mirror), wrong)
    assert not (tmp_path / "sets/films/ratings.dat").exists()


def test_a_file_that_is_damaged_later_is_noticed(
    mirror: Path, public: PublicSet, checksums: dict[str, str], tmp_path: Path
) -> None:
    lay_out(public, tmp_path / "sets", MirrorFiles(mirror), checksums)
    (tmp_path / "sets/films/ratings.dat").write_bytes(RATINGS[:-1])
    assert not is_laid_out(public, tmp_path / "sets", checksums)


def test_a_file_made_of_others_is_verified_too(mirror: Path, public: PublicSet, tmp_path: Path) -> None:
    def write(directory: Path, to: Path) -> None:
        to.write_bytes(gzip.decompress(gzip.compress((directory / "ratings.dat").read_bytes()[:9])))

    made = PublicSet(**{**vars(public), "made": (MadeFile("first.dat", write),)})
    names = {"films/ratings.dat": RATINGS, "films/parts/books.dat": BOOKS, "films/first.dat": RATINGS[:9]}
    right = {name: sha256(content).hexdigest() for name, content in names.items()}
    lay_out(made, tmp_path / "sets", MirrorFiles(mirror), right)
    assert (tmp_path / "sets/films/first.dat").read_bytes() == b"1::10::8\n"
    with pytest.raises(WrongContent, match=r"first\.dat"):
        lay_out(made, tmp_path / "sets", MirrorFiles(mirror), right | {"films/first.dat": "0" * 64})


def test_a_repository_or_file_that_is_not_there_is_named(mirror: Path, public: PublicSet) -> None:
    with pytest.raises(NotFetched, match="expected a git directory of nobody/data"):
        MirrorFiles(mirror).read("nobody/data", "0" * 40, "ratings.dat")
    with pytest.raises(NotFetched, match=r"missing\.dat"):
        MirrorFiles(mirror).read("someone/data", public.repositories[0].commit, "missing.dat")


def test_parts_without_a_header_are_joined_in_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1,2,3\n4,5,6\n")
    (tmp_path / "b").write_text("7,8,9")
    join_rows(("a", "b"), "user,item,rating")(tmp_path, tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_bytes() == b"user,item,rating\n1,2,3\n4,5,6\n7,8,9\n"


def test_files_of_one_event_each_become_rows_with_the_event(tmp_path: Path) -> None:
    (tmp_path / "views").write_text("visitor\titem\tevent\n1\t5\t1\n")
    (tmp_path / "buys").write_text("visitor\titem\tevent\n1\t6\t1\n2\t5\t1\n")
    join_events({"views": "view", "buys": "buy"}, "v\ti\te")(tmp_path, tmp_path / "all.tsv")
    assert (tmp_path / "all.tsv").read_bytes() == b"v\ti\te\n1\t5\tview\n1\t6\tbuy\n2\t5\tbuy\n"


def test_the_list_of_checksums_is_what_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "a file.dat").write_bytes(RATINGS)
    listed = subprocess.run(["sha256sum", "a file.dat"], cwd=tmp_path, check=True, capture_output=True)  # noqa: S607 of the path
    (tmp_path / "sums.txt").write_bytes(listed.stdout)
    assert read_checksums(tmp_path / "sums.txt") == {"a file.dat": sha256(RATINGS).hexdigest()}


def test_every_file_of_the_table_has_a_checksum_and_every_source_a_full_commit() -> None:
    files = [f"{public.name}/{file}" for public in PUBLIC_SETS.values() for file in public.laid_out]
    assert sorted(files) == sorted(CHECKSUMS)
    assert len(files) == len(set(files))
    for public in PUBLIC_SETS.values():
        assert public.data.split("/")[0] == public.name
        assert public.data == public.name or public.data.removeprefix(f"{public.name}/") in public.laid_out
        assert all(len(repository.commit) == 40 for repository in public.repositories)


def test_the_documentation_lists_every_set_with_its_counts() -> None:
    page = (Path(__file__).parents[2] / "docs/public_data.md").read_text(encoding="utf-8")
    for public in PUBLIC_SETS.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| {public.name} |"))
        assert f"| {public.rows:,} / {public.users:,} / {public.items:,} |" in row
        assert all(repository.name in row for repository in public.repositories)


def test_the_command_reports_what_it_could_not_fetch_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "filmtrust", "--mirror", str(tmp_path / "empty")]) == 1
    assert "filmtrust: expected a git directory of Coder-Yu/QRec" in capsys.readouterr().err


def test_the_command_refuses_an_unknown_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "filmtrsut"])
    assert stopped.value.code == 2
    assert "no set is named filmtrsut; there are movietweetings-10k" in capsys.readouterr().err


def test_a_set_is_loaded_by_the_options_of_a_command(tmp_path: Path) -> None:
    path = tmp_path / "plays.csv"
    path.write_text("who,what,plays\na,x,3\na,y,0\nb,x,1\n", encoding="utf-8")
    table = load_options(
        ["--data", str(path), "--columns", "user=who,item=what,rating=plays", "--not-rated", "0"]
    )
    assert len(table) == 3
    assert sorted(table.stars[~np.isnan(table.stars)].tolist()) == [1.0, 3.0]
