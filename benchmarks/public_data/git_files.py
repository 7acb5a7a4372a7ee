"""Files of public repositories at a commit, read with git from GitHub or from copies on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

GITHUB = "https://github.com/{repository}.git"


class NotFetched(Exception):
    """A repository, commit or file that could not be had."""


class GitHubFiles:
    """Files from GitHub: partial clones without history, which fetch the files one asks for and no others.

    Args:
        scratch: A directory for the clones.
        url: Address of a repository, with `{repository}` for its owner and name.
    """

    def __init__(self, scratch: Path, url: str = GITHUB) -> None:
        self._scratch, self._url = scratch, url
        self._commits: set[str] = set()

    def read(self, repository: str, commit: str, path: str) -> bytes:
        """Return a file's content.

        Raises:
            NotFetched: git says why.
        """
        clone = self._scratch / repository.replace("/", "+")
        if not clone.exists():
            self._begin(clone, self._url.format(repository=repository))
        if commit not in self._commits:
            fetch = ("fetch", "--quiet", "--depth=1", "origin", commit)
            _git("--git-dir", str(clone), *fetch)
            self._commits.add(commit)
        return _git("--git-dir", str(clone), "cat-file", "blob", f"{commit}:{path}")

    def _begin(self, clone: Path, url: str) -> None:
        _git("init", "--quiet", "--bare", str(clone))
        for name, value in (("url", url), ("promisor", "true"), ("partialclonefilter", "blob:none")):
            _git("--git-dir", str(clone), "config", f"remote.origin.{name}", value)


class MirrorFiles:
    """Files from git directories on this machine: `owner+name` with the repository in it or in `repo` in it.

    Args:
        mirror: The directory of them all.
    """

    def __init__(self, mirror: Path) -> None:
        self._mirror = mirror

    def read(self, repository: str, commit: str, path: str) -> bytes:
        """Return a file's content.

        Raises:
            NotFetched: the mirror has no such repository, or git says why not.
        """
        copy = self._mirror / repository.replace("/", "+")
        for place in (copy / "repo/.git", copy / "repo", copy / ".git", copy):
            if (place / "HEAD").is_file():
                return _git("--git-dir", str(place), "cat-file", "blob", f"{commit}:{path}")
        raise NotFetched(
            f"expected a git directory of {repository} in {copy}, found none: copy it there first"
        )


def _git(*arguments: str) -> bytes:
    command: Sequence[str] = ("git", *arguments)
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # the table's arguments
    if done.returncode:
        raise NotFetched(f"{' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
