"""Fixtures for tests that need a bundle, which is written once per session."""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
from numpy_model import use_numpy_model
from service_client import Ask, asking
from tiny_bundle import write_tiny_bundle
from tiny_model import TinyModel, make_tiny_model

from benchmarks.postgres_server import PostgresServer, postgres_programs, running_postgres
from service.app import create_app
from service.live.database import Connection, Database
from service.live.migration import migrate
from service.live.opening import database_of
from service.loading import load_recommender
from service.recommending.recommender import Recommender
from service.settings import Settings

# Until all is collected: imports leave little garbage, and every full collection scans all that they made.
gc.disable()

# No deadline: the time of an example depends on the machine more than on the code.
hypothesis.settings.register_profile("matinee", deadline=None)
# Under `make mutants` a verdict must not depend on chance, and a failure need not be shrunk.
hypothesis.settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=20,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
# An application that a test makes keeps nothing, unless the test says where.
os.environ["MATINEE_STORE"] = "off"
# By default Ray's workers yield to all else: beside busy processes, seconds of training would take minutes.
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  as Ray has it
IS_MUTANT_RUN = "MATINEE_MUTANTS" in os.environ
hypothesis.settings.load_profile("mutants" if IS_MUTANT_RUN else "matinee")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under `make mutants` run the quick tests of a module first: most mutants then fail at once."""
    if IS_MUTANT_RUN:
        items.sort(
            key=lambda item: ("at_once" in item.nodeid, hasattr(getattr(item, "obj", None), "hypothesis"))
        )


_MOST_FREEZES = 10
_freeze = gc.freeze
_freezes: list[None] = []


def _freeze_and_count() -> None:
    """In place of `gc.freeze`: `gc.get_freeze_count` is slow, and falls as excluded objects are deleted."""
    _freeze()
    _freezes.append(None)


def pytest_collection_finish() -> None:
    """Exclude imported modules from garbage collection, which would scan them at each full collection."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.freeze = _freeze_and_count


@pytest.fixture(scope="module", autouse=True)
def _collect_frozen() -> Iterator[None]:
    """Collect the bundles of former applications, which those of later bundles excluded from collection.

    They hold ten open files each. That scans all there is, so it waits for several.
    """
    yield
    if len(_freezes) >= _MOST_FREEZES:
        _freezes.clear()
        gc.unfreeze()
        gc.collect()
        _freeze()


@pytest.fixture(scope="session")
def tiny() -> TinyModel:
    return make_tiny_model()


@pytest.fixture(scope="session")
def tiny_artifacts(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Artifacts with the live bundle `tiny-1`, shared by all tests and read-only."""
    artifacts = tmp_path_factory.mktemp("tiny") / "artifacts"
    with pytest.MonkeyPatch.context() as patch:
        if IS_MUTANT_RUN:
            use_numpy_model(patch)
        write_tiny_bundle(artifacts, tiny)
        yield artifacts


@pytest.fixture
def artifacts(tiny_artifacts: Path, tmp_path: Path) -> Path:
    """A copy of `tiny_artifacts` that the test may change."""
    return Path(shutil.copytree(tiny_artifacts, tmp_path / "artifacts"))


@pytest.fixture(scope="session")
def recommender(tiny_artifacts: Path) -> Recommender:
    return load_recommender(tiny_artifacts / "tiny-1", Settings())


@pytest.fixture(scope="session")
def ask(tiny_artifacts: Path) -> Iterator[Ask]:
    """Send requests to an application that serves `tiny-1`, without a store of feedback."""
    with asking(create_app(Settings(artifacts=tiny_artifacts, reload_seconds=0.1, store="off"))) as ask:
        deadline = time.monotonic() + 30
        while ask("GET", "/readyz").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        yield ask


_NUMBERS = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian and Ubuntu: apt-get install postgresql)")
    with TemporaryDirectory(prefix="pg-") as directory, running_postgres(programs, Path(directory)) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_setting(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """MATINEE_STORE of an empty store, of each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "feedback.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create(f"store{next(_NUMBERS)}")


@pytest.fixture
def any_database(store_setting: str) -> Iterator[Database]:
    database = database_of(store_setting)
    assert database is not None
    yield database
    database.close()


@pytest.fixture
def writer(any_database: Database) -> Iterator[Connection]:
    """A connection to a new store."""
    migrate(any_database)
    connection = any_database.connect()
    yield connection
    connection.close()
