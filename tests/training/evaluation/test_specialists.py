import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import Rating, table_of, two_clusters

from service.bundle import NO_ROW
from training.data.splits import temporal_split
from training.data.table import RatingsTable
from training.errors import BaselineError, ConfigurationError
from training.evaluation.baselines import environment, specialists
from training.evaluation.baselines.environment import Environment, find_environment, run
from training.evaluation.baselines.exchange import Answer, Task, load_answer
from training.evaluation.baselines.popularity import Popularity
from training.evaluation.baselines.specialists import Factors, make_task, measure_specialists
from training.evaluation.held_out import HeldOut
from training.model.histories import Histories

HERE = Path(sys.executable)


@pytest.fixture(scope="module")
def installed() -> Path:
    try:
        return find_environment().python
    except ConfigurationError as error:
        pytest.skip(str(error))


def learnt(train: RatingsTable, test: RatingsTable) -> Task:
    return make_task(held_out(train, test), Histories.from_table(train), seed=4)


def held_out(train: RatingsTable, test: RatingsTable) -> HeldOut:
    return HeldOut("temporal", train, test, len(np.unique(test.user_rows)))


def test_a_task_has_the_rows_by_user_and_time_and_the_pairs_to_rate() -> None:
    rows: list[Rating] = [("b", "2", 5.0, 9), ("a", "1", 3.0, 7), ("b", "1", 4.0, 5), ("b", "3", 0.5, 8)]
    whole = table_of([*rows, ("a", "3", 1.0, 10), ("c", "2", 2.0, 0)])
    task = learnt(whole.take(np.arange(4)), whole.take(np.array([4, 5])))
    assert task.user_rows.tolist() == [0, 1, 1, 1]
    assert task.movie_rows.tolist() == [0, 0, 2, 1]
    assert task.stars.tolist() == [3.0, 4.0, 0.5, 5.0]
    assert task.timestamps.tolist() == [7, 5, 8, 9]
    assert task.held_out.tolist() == [False, False, False, True]  # a fifth of three, rounded, is the last one
    assert (task.pair_users.tolist(), task.pair_movies.tolist()) == ([0, NO_ROW], [2, 1])
    assert (task.num_users, task.num_movies, task.seed) == (2, 3, 4)
    assert task.scale.tolist() == list(whole.rating_scale or ())


def test_a_task_survives_its_file(
    train_table: RatingsTable, test_table: RatingsTable, tmp_path: Path
) -> None:
    task = learnt(train_table, test_table)
    task.save(tmp_path / "task.npz")
    again = Task.load(tmp_path / "task.npz")
    for name, value in vars(task).items():
        np.testing.assert_array_equal(getattr(again, name), value, strict=True)


def test_a_score_is_the_dot_product_and_the_bias_and_cold_start_users_get_popular_movies() -> None:
    popularity = Popularity(Histories.from_table(table_of([("a", "2", 1.0, 0), ("b", "2", 1.0, 0)], "123")))
    answer: Answer = {
        "users": np.array([[1.0, 2.0], [np.nan, np.nan]]),
        "movies": np.array([[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]),
        "biases": np.array([0.5, 0.0, -np.inf]),
    }
    scores = Factors(answer, popularity).score(np.array([0, 1, NO_ROW], np.int32))
    assert scores.dtype == np.float32
    assert scores.tolist() == [[1.5, 2.0, -np.inf], [0.0, 2.0, 0.0], [0.0, 2.0, 0.0]]


def test_without_the_environment_one_line_says_what_to_run(tmp_path: Path) -> None:
    expected = (
        r"--baselines: expected .* in none, missing there: implicit, .*surprise; run `make install-baselines`"
    )
    with pytest.raises(ConfigurationError, match=expected):
        find_environment(tmp_path / "none")


def test_a_package_that_is_missing_is_named_but_those_of_sasrec_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.symlink_to(HERE)
    packages = {"ials": ("json", "no_such_package"), "svd": ("csv",), "sasrec": ("no_such_either",)}
    monkeypatch.setattr(environment, "_PACKAGES", packages)
    with pytest.raises(ConfigurationError, match=r"missing there: no_such_package; run"):
        find_environment(tmp_path)
    monkeypatch.setitem(packages, "ials", ("json",))
    assert find_environment(tmp_path) == Environment(python, ("ials", "svd"))
    monkeypatch.setitem(packages, "sasrec", ("ast",))
    assert find_environment(tmp_path) == Environment(python, ("ials", "svd", "sasrec"))


def test_rows_and_answers_cross_to_a_process_and_back(
    train_table: RatingsTable, test_table: RatingsTable, tmp_path: Path
) -> None:
    """The mean of each movie, by a specialist that lives in another directory."""
    code = (
        "import numpy as np\n"
        "from training.evaluation.baselines.exchange import answer\n"
        "def means(task):\n"
        "    counts = np.bincount(task.movie_rows, minlength=task.num_movies)\n"
        "    sums = np.bincount(task.movie_rows, task.stars, minlength=task.num_movies)\n"
        "    return {'stars': (sums / np.maximum(counts, 1))[task.pair_movies]}\n"
        "answer(means)\n"
    )
    (tmp_path / "means.py").write_text(code, encoding="utf-8")
    learnt(train_table, test_table).save(tmp_path / "task.npz")
    subprocess.run(
        [HERE, tmp_path / "means.py", tmp_path / "task.npz", tmp_path / "answer.npz"],
        env={"PYTHONPATH": str(Path(specialists.__file__).parents[3])},
        check=True,
        timeout=60,
    )
    expected = [
        float(np.mean(train_table.stars[train_table.movie_rows == movie], dtype=np.float64))
        if np.any(train_table.movie_rows == movie)
        else 0
        for movie in test_table.movie_rows
    ]
    np.testing.assert_allclose(load_answer(tmp_path / "answer.npz")["stars"], expected, rtol=1e-6)


def test_a_specialist_that_fails_is_named_with_its_last_words(
    train_table: RatingsTable, test_table: RatingsTable
) -> None:
    expected = r"training\.evaluation\.baselines\.missing ended with exit code 1: .*No module named.*missing"
    with pytest.raises(BaselineError, match=expected):
        run(HERE, "training.evaluation.baselines.missing", learnt(train_table, test_table))


def test_what_specialists_answer_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retrieval that knows the test rows is perfect; stars that are always half a star off miss by that."""
    table = two_clusters(per_user=10)
    split = temporal_split(table)
    train, test = table.take(split.train), table.take(split.test)

    def know_all(_python: Path, module: str, task: Task) -> Answer:
        if module == "training.evaluation.baselines.svd":
            return {"stars": test.stars + 0.5}
        wanted = np.zeros((task.num_users, task.num_movies))
        wanted[task.pair_users, task.pair_movies] = 1 + task.pair_movies / 1000  # without ties
        return {"users": wanted, "movies": np.eye(task.num_movies), "biases": np.zeros(task.num_movies)}

    monkeypatch.setattr(specialists, "run", know_all)
    begun: list[str] = []
    held, all_of_them = held_out(train, test), Environment(HERE, ("ials", "svd", "sasrec"))
    measured = measure_specialists(held, all_of_them, seed=0, on_begin=begun.append)
    found = {name: baseline.sums.measures() for name, baseline in measured.items()}
    assert list(found) == begun == ["ials", "svd", "sasrec"]
    assert set(found["sasrec"].values()) == set(found["ials"].values()) == {1.0}
    assert found["svd"] == {"rmse": pytest.approx(0.5)}
    watched = dataclasses.replace(train, stars=np.full(len(train), np.nan, np.float32))
    assert list(measure_specialists(held_out(watched, test), all_of_them, seed=0)) == ["ials", "sasrec"]


def test_ials_knows_who_likes_what(
    installed: Path, train_table: RatingsTable, test_table: RatingsTable
) -> None:
    task = learnt(train_table, test_table)
    answer = run(installed, "training.evaluation.baselines.ials", task)
    assert len(answer["users"]) == task.num_users
    scores = Factors(answer, Popularity(Histories.from_table(train_table))).score(
        np.arange(task.num_users, dtype=np.int32)
    )
    alpha = np.array([movie_id.startswith("alpha") for movie_id in train_table.movies.movie_ids])
    beta = np.array([movie_id.startswith("beta") for movie_id in train_table.movies.movie_ids])
    likes_alpha = np.bincount(task.user_rows, alpha[task.movie_rows]) > np.bincount(
        task.user_rows, beta[task.movie_rows]
    )
    margins = scores[:, alpha].mean(axis=1) - scores[:, beta].mean(axis=1)
    assert np.mean((margins > 0) == likes_alpha) > 0.95


def test_svd_rates_better_than_means_and_on_the_scale(
    installed: Path, train_table: RatingsTable, test_table: RatingsTable
) -> None:
    stars = run(installed, "training.evaluation.baselines.svd", learnt(train_table, test_table))[
        "stars"
    ].astype(float)
    assert np.all((stars >= 0.5) & (stars <= 5))
    error = np.sqrt(np.mean((stars - test_table.stars) ** 2))
    assert error < 0.8 * test_table.stars.std()


def test_svd_does_not_depend_on_the_unit_of_the_stars_nor_on_rows_without(
    installed: Path, train_table: RatingsTable, test_table: RatingsTable
) -> None:
    def predict(table: RatingsTable) -> NDArray[np.float64]:
        return run(installed, "training.evaluation.baselines.svd", learnt(table, test_table))["stars"]

    stars = np.where(np.arange(len(train_table)) % 7 == 0, np.nan, train_table.stars)
    some = dataclasses.replace(train_table, stars=stars)
    in_thousands = dataclasses.replace(train_table, stars=1000 * stars)
    found = predict(some)
    assert not np.isnan(found).any()
    np.testing.assert_allclose(predict(in_thousands), 1000 * found, rtol=1e-4)


@pytest.mark.slow
def test_sasrecs_factors_rank_as_its_own_recommendations(installed: Path, tmp_path: Path) -> None:
    """RecTools's `recommend` is the oracle; a movie without ratings is not among its candidates."""
    table = two_clusters(per_user=8)
    split = temporal_split(table)
    task = learnt(table.take(split.train), table.take(split.test))
    task.save(tmp_path / "task.npz")
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from rectools.models import SASRecModel\n"
        "from training.evaluation.baselines import sasrec\n"
        "from training.evaluation.baselines.exchange import Task\n"
        "sasrec.SETTINGS.update(epochs=1, n_factors=16)\n"
        "fitted = []\n"
        "fit = SASRecModel.fit\n"
        "SASRecModel.fit = lambda model, data: fitted.append((model, data)) or fit(model, data)\n"
        "task = Task.load(sys.argv[1])\n"
        "answer = sasrec.encode(task)\n"
        "[(model, dataset)] = fitted\n"
        "users = np.arange(task.num_users)\n"
        "listed = model.recommend(users, dataset, k=10, filter_viewed=False)\n"
        "scores = answer['users'] @ answer['movies'].T + answer['biases']\n"
        "own = listed['score'].to_numpy()\n"
        "ours = scores[listed['user_id'], listed['item_id']]\n"
        "np.testing.assert_allclose(ours, own, rtol=1e-4, atol=1e-5)\n"
        "np.testing.assert_allclose(np.sort(scores)[:, :-11:-1].ravel(), own, rtol=1e-4, atol=1e-5)\n"
        "rated = np.bincount(task.movie_rows, minlength=task.num_movies) > 0\n"
        "assert (np.isfinite(answer['biases']) == rated).all() and not rated.all()\n"
    )
    ended = subprocess.run(
        [installed, "-c", code, tmp_path / "task.npz"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(specialists.__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
