"""Fetch public data sets: `python -m benchmarks.public_data DIRECTORY [NAME ...]`.

Each set's files go to `DIRECTORY/<name>/` and are checked against `sha256sums.txt`; sets that are there
already are not fetched again. They come from GitHub with git, or with `--mirror DIR` from git directories on
this machine. The options to train on each are printed. None of the data belongs into this repository.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.public_data.git_files import GitHubFiles, MirrorFiles, NotFetched
from benchmarks.public_data.layout import Files, WrongContent, is_laid_out, lay_out, read_checksums
from benchmarks.public_data.public_set import PublicSet
from benchmarks.public_data.table import PUBLIC_SETS

CHECKSUMS = read_checksums(Path(__file__).with_name("sha256sums.txt"))


def main(arguments: list[str] | None = None) -> int:
    """Fetch what the command line names; return 1 if any set could not be had, 2 if a name is unknown."""
    parser = argparse.ArgumentParser(prog="benchmarks.public_data", description="Fetch public data sets.")
    parser.add_argument("directory", type=Path, help="the sets go to directories below it")
    parser.add_argument("names", nargs="*", metavar="NAME", help="sets to fetch; all without a name")
    parser.add_argument(
        "--mirror", type=Path, help="directory of git directories, <owner>+<name>, to read instead"
    )
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in PUBLIC_SETS]
    if unknown:
        parser.error(f"no set is named {', '.join(unknown)}; there are {', '.join(PUBLIC_SETS)}")
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        files = MirrorFiles(given.mirror) if given.mirror else GitHubFiles(Path(scratch))
        for name in given.names or PUBLIC_SETS:
            failed |= not _have(PUBLIC_SETS[name], given.directory, files)
    return int(failed)


def _have(public: PublicSet, directory: Path, files: Files) -> bool:
    """Fetch one set unless it is there, and say how to train on it or why it failed."""
    try:
        if not is_laid_out(public, directory, CHECKSUMS):
            lay_out(public, directory, files, CHECKSUMS)
    except (NotFetched, WrongContent) as error:
        sys.stderr.write(f"{public.name}: {error}\n")
        return False
    sys.stdout.write(f"{public.name}: --data {directory / public.data} {public.options}".rstrip() + "\n")
    return True


if __name__ == "__main__":
    sys.exit(main())
