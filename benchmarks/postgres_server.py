"""Run a PostgreSQL of one's own, to be killed and started again; Debian's package `postgresql` has it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_DEBIAN = Path("/usr/lib/postgresql")


def postgres_programs() -> Path | None:
    """Find the directory of initdb and pg_ctl; None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    return max(_DEBIAN.glob("*/bin"), default=None, key=lambda path: float(path.parent.name))


@dataclass(frozen=True)
class PostgresServer:
    """A server that listens on a socket in its directory only."""

    programs: Path
    directory: Path

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://matinee@/{database}?host={self.directory}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses='' -k {self.directory}"
        log = self.directory / "log"
        for left in range(20, -1, -1):
            try:
                self.run("pg_ctl", "-D", str(self._data), "-l", str(log), "-w", "-o", options, "start")
            except subprocess.CalledProcessError:  # killed processes are not gone at once
                if not left:
                    raise
                time.sleep(0.2)
            else:
                return

    def stop(self, mode: str = "immediate") -> None:
        """Stop it in one of the modes of `pg_ctl`."""
        self.run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """End all of its processes at once, as a power cut does."""
        process_id = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
        for each in (process_id, *map(int, children)):
            os.kill(each, signal.SIGKILL)

    def create(self, database: str, *options: str) -> str:
        """Make a database, and return its URL."""
        self.run("createdb", "-h", str(self.directory), "-U", "matinee", *options, database)
        return self.url(database)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs as its user.

        Raises:
            CalledProcessError: It failed.
        """
        subprocess.run(  # noqa: S603 PostgreSQL's own programs
            [*_as_its_user(), str(self.programs / program), *arguments],
            cwd=self.directory,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )


@contextmanager
def running_postgres(programs: Path, directory: Path) -> Iterator[PostgresServer]:
    """Make and run a server in an empty directory, whose path must be short: it holds a socket."""
    if os.getuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(directory, account.pw_uid, account.pw_gid)
    server = PostgresServer(programs, directory)
    server.run("initdb", "-D", str(directory / "data"), "-U", "matinee", "-A", "trust", "-E", "UTF8")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _as_its_user() -> Sequence[str]:
    """Return what runs a program as another user: PostgreSQL refuses to be root's."""
    return ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups") if os.getuid() == 0 else ()
