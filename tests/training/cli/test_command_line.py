import csv
import inspect
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from service_process import REPOSITORY
from synthetic_ratings import Rating, table_of, two_clusters, write_csv

from service.bundle.current import read_current
from service.bundle.manifest import read_manifest
from training import evaluation_pipeline, pipeline
from training.cli import command_line
from training.config import PRESETS, TrainingConfig
from training.distributed import ray_cluster
from training.distributed.worker_group import WorkerGroup
from training.errors import TrainingDiverged


@pytest.fixture(scope="session")
def csv_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few ratings, of which two are replaced by later ones of the same movie."""
    table = two_clusters(per_user=6, with_features=False)
    directory = write_csv(table, tmp_path_factory.mktemp("csv") / "few [ratings]")
    with (directory / "ratings.csv").open("a", encoding="utf-8", newline="") as file:
        for user, movie in list(zip(table.user_rows, table.movie_rows, strict=True))[:2]:
            seconds = int(table.timestamps.max()) + 1
            csv.writer(file).writerow([table.user_ids[user], table.movies.movie_ids[movie], "2.5", seconds])
    return directory


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `python -m training` in this process: exit code, standard output, standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["python -m training", *map(str, arguments)])
        try:
            command_line.main()
        except SystemExit as ended:
            code = ended.code
        captured = capsys.readouterr()
        assert isinstance(code, int)
        return code, captured.out, captured.err

    return run


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Arguments of each call of the pipelines, which do nothing."""
    recorded: list[dict[str, Any]] = []
    for module, name in (
        (pipeline, "fit"),
        (evaluation_pipeline, "evaluate"),
        (evaluation_pipeline, "ablate"),
    ):
        signature = inspect.signature(getattr(module, name))

        def record(*given: Any, signature: inspect.Signature = signature, **named: Any) -> None:
            recorded.append(signature.bind(*given, **named).arguments)

        monkeypatch.setattr(module, name, record)
    return recorded


def test_workers_train_only_where_there_are_to_be_several(
    run: Any, calls: list[dict[str, Any]], csv_directory: Path, tmp_path: Path
) -> None:
    fit = ("fit", "--data", csv_directory, "--artifacts", tmp_path)
    assert run(*fit)[0] == run(*fit, "--workers", "1")[0] == 0
    assert [call["workers"] for call in calls] == [None, None]
    assert run(*fit, "--workers", "3", "--worker-processors", "4", "--ray-address", "head:6379")[0] == 0
    assert calls[-1]["workers"] == WorkerGroup(
        count=3, address="head:6379", processors=4, runs=tmp_path / "runs"
    )
    run(*fit, "--workers", "2", "--checkpoints", tmp_path / "elsewhere")
    assert calls[-1]["workers"] == WorkerGroup(count=2, runs=tmp_path / "elsewhere")
    code, _, err = run(*fit, "--ray-address", "auto")
    assert code == 2
    assert "add --workers" in err


def test_without_ray_workers_are_refused_before_anything_is_read(
    run: Any, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "find_spec", lambda _: None)
    code, _, err = run("fit", "--data", "nothing.csv", "--workers", "2")
    assert code == 2
    assert "pip install 'matinee[ray]'" in err
    assert calls == []


def test_without_workers_nothing_of_ray_is_imported() -> None:
    code = "import sys; from training import evaluation_pipeline, pipeline; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


@pytest.mark.parametrize(
    ("variable", "options", "expected"),
    [
        ("postgresql://host/db", (), "postgresql://host/db"),
        ("postgresql://host/db", ("--store", "here.sqlite3"), "here.sqlite3"),
        ("off", (), None),
        ("", (), None),
        ("postgresql://host/db", ("--store", "off"), None),
    ],
)
def test_fit_trains_on_the_store_of_the_service(
    *,
    variable: str,
    options: tuple[str, ...],
    expected: str | None,
    run: Any,
    calls: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MATINEE_STORE", variable)
    assert run("fit", *options)[0] == 0
    assert calls[0].get("store") == expected


def test_help_names_the_commands_and_comes_without_tensorflow() -> None:
    code = (
        "import sys; sys.argv = ['training', '--help']; import training.cli.command_line as line\n"
        "try: line.main()\n"
        "finally: assert 'tensorflow' not in sys.modules"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"\bfit\b", ended.stdout)
    assert re.search(r"\bevaluate\b", ended.stdout)


def test_fit_lets_the_data_choose_the_split_by_default(run: Any, calls: list[dict[str, Any]]) -> None:
    assert run("fit")[0] == 0
    assert (
        run("fit", "--evaluate", "none", "--data", "tfds", "--artifacts", "there", "--dataset", "1m")[0] == 0
    )
    names = ("source", "dataset", "config", "split", "artifacts")
    assert [[call[name] for name in names] for call in calls] == [
        ["auto", "100k", TrainingConfig(), "auto", Path("artifacts")],
        ["tfds", "1m", TrainingConfig(), None, Path("there")],
    ]


@pytest.mark.parametrize("command", [["fit"], ["evaluate"], ["evaluate", "--ablation"]])
def test_files_are_read_as_the_options_say_before_the_pipeline(
    command: list[str], run: Any, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "log.tsv").write_text("who\twhat\tevent\na\tx\tview\na\ty\tbuy\n", encoding="utf-8")
    options = ["--columns", "user=who,item=2", "--event-weights", "view=1,buy=5", "--skip-bad-rows"]
    code, _, err = run(*command, "--data", tmp_path / "log.tsv", *options)
    assert code == 0, err
    [call] = calls
    assert call["source"].weights.tolist() == [1, 5]
    assert "2 ratings of 2 movies by 1 users from log.tsv (--columns user=who,item=2" in err
    assert "log.tsv: tab-separated, UTF-8; user = who, item = what, event = event (view 1, buy 1)" in err


def test_fit_learns_on_and_keeps_ratings_in_files_where_it_is_told_to(
    run: Any, calls: list[dict[str, Any]], csv_directory: Path, tmp_path: Path
) -> None:
    data = ("--data", csv_directory, "--artifacts", tmp_path / "there")
    assert run("fit", "--warm-start", "live", "--evaluate", "none", *data)[0] == 0
    code, _, err = run("fit", "--memory", "0.1GiB", *data)
    assert code == 2
    needed = re.search(r"needs (\d+\.\d) GiB with its ratings in mapped files", err)
    assert needed is not None, err
    code, _, err = run("fit", "--memory", f"{needed[1]}GiB", *data)
    assert code == 0, err
    assert [(call["warm_start"], call["memory"] is None) for call in calls] == [("live", True), (None, False)]
    assert isinstance(calls[1]["source"].user_ids, tuple)  # read, and placed


def test_evaluate_takes_a_split_and_a_number_of_seeds(run: Any, calls: list[dict[str, Any]]) -> None:
    assert run("evaluate")[0] == 0
    assert run("evaluate", "--split", "random", "--seeds", "3", "--seed", "7")[0] == 0
    assert run("evaluate", "--baselines")[0] == 0
    names = ("source", "dataset", "config", "split", "seeds", "baselines")
    assert [[call[name] for name in names] for call in calls] == [
        ["auto", "100k", TrainingConfig(), "auto", 1, False],
        ["auto", "100k", TrainingConfig(seed=7), "random", 3, False],
        ["auto", "100k", TrainingConfig(), "auto", 1, True],
    ]


@pytest.mark.parametrize("command", [["fit"], ["evaluate"], ["evaluate", "--ablation"]])
def test_every_command_that_trains_takes_the_store(
    command: list[str], run: Any, calls: list[dict[str, Any]]
) -> None:
    assert run(*command)[0] == 0
    assert run(*command, "--store", "feedback.sqlite3")[0] == 0
    assert [call.get("store") for call in calls] == [None, "feedback.sqlite3"]


@pytest.mark.parametrize("command", ["fit", "evaluate"])
def test_options_become_hyper_parameters(command: str, run: Any, calls: list[dict[str, Any]]) -> None:
    options = {"--layers": "64, 32", "--retrieval-weight": "0.5", "--rating-weight": "2", "--epochs": "3"}
    assert run(command, *(part for option in options.items() for part in option), "--seed", "11")[0] == 0
    assert run(command, "--layers", "")[0] == 0
    expected = TrainingConfig(layers=(64, 32), retrieval_weight=0.5, rating_weight=2.0, epochs=3, seed=11)
    assert [call["config"] for call in calls] == [expected, TrainingConfig(layers=())]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_is_where_single_options_begin(preset: str, run: Any, calls: list[dict[str, Any]]) -> None:
    assert run("fit", "--preset", preset)[0] == 0
    assert run("evaluate", "--preset", preset, "--epochs", "3", "--layers", "8")[0] == 0
    expected = TrainingConfig(**PRESETS[preset])
    assert [call["config"] for call in calls] == [expected, replace(expected, epochs=3, layers=(8,))]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["fit", "--layers", "64,x"], "--layers must be widths such as 64,32, got '64,x'"),
        (["fit", "--layers", "64,0"], r"layers must be made of values above 0, got \(64, 0\)"),
        (["fit", "--moon", "full"], "No such option: --moon"),
        (["fit", "--evaluate", "sometimes"], "--evaluate.*sometimes"),
        (["fit", "--epochs", "0"], "--epochs.*equal to 1"),
        (["fit", "--epochs", "many"], "--epochs.*integer"),
        (["fit", "--retrieval-weight", "nan"], "--?retrieval.weight"),
        (["fit", "--retrieval-weight", "0", "--rating-weight", "0"], "rating_weight must be above 0"),
        (["fit", "--seed", "4294967296"], "seed must be from 0 to 4294967295"),
        (["fit", "--memory", "much"], "--memory: expected a size such as 4GiB or 900MiB, got 'much'"),
        (
            ["fit", "--warm-start", "live", "--evaluate", "global"],
            "--evaluate global would hold out ratings that the bundle of --warm-start was trained on",
        ),
        (["evaluate", "--split", "none"], "--split.*none"),
        (["evaluate", "--ablation", "--baselines"], "leave out --baselines"),
        (["evaluate", "--seeds", "0"], "--seeds.*equal to 1"),
        (["evaluate", "--dataset", "10m"], "--dataset.*10m"),
        (["fit", "--columns", "who=x"], "--columns: expected one of user, item, rating, time, .*, got 'who'"),
        (
            ["fit", "--columns", "user"],
            r"--columns: expected user=\.\.\.,item=\.\.\.,rating=\.\.\., got 'user'",
        ),
        (["fit", "--event-weights", "view=much"], "--event-weights: expected a number, got 'much'"),
        (["fit", "--event-weights", "view=0"], "--event-weights: expected a number above 0 for view, got 0"),
        (["fit", "--not-rated", "none"], "--not-rated: expected a number, got 'none'"),
        (["fit", "--rating-transform", "sqrt"], "--rating-transform.*sqrt"),
        (["fit", "--encoding", "klingon"], "--encoding: expected a name such as utf-8, .*, got 'klingon'"),
        (["evaluate", "--strict"], "--strict: expected files to read so, got --data auto; give their path"),
        (["fit", "--preset", "sideways"], "--preset.*sideways"),
        (["predict"], "No such command 'predict'"),
    ],
)
def test_a_wrong_option_is_refused_and_named(
    arguments: list[str], complaint: str, run: Any, calls: list[dict[str, Any]]
) -> None:
    code, out, err = run(*arguments)
    assert code == 2
    assert re.search(complaint, " ".join(re.sub(r"[│╭╮╰╯─]", " ", err).split())), err
    assert out == ""
    assert "Traceback" not in err
    assert calls == []


def test_a_path_that_is_missing_is_one_line_and_nothing_is_written(run: Any, tmp_path: Path) -> None:
    code, out, err = run("fit", "--data", tmp_path / "nowhere [1]", "--artifacts", tmp_path / "artifacts")
    assert code == 2
    assert f"error: {tmp_path}/nowhere [1]: no such file or directory" in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_bad_data_ends_with_2_naming_file_line_and_reason_and_writes_nothing(
    csv_directory: Path, tmp_path: Path
) -> None:
    """In a process of its own."""
    bad = tmp_path / "bad"
    bad.mkdir()
    for name in ("ratings.csv", "movies.csv"):
        (bad / name).write_bytes((csv_directory / name).read_bytes())
    lines = (bad / "ratings.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    lines[4] = "user-1,alpha-1,excellent,1\n"
    (bad / "ratings.csv").write_text("".join(lines), encoding="utf-8")
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    ended = subprocess.run(
        [sys.executable, "-m", "training", "fit", "--data", str(bad), "--artifacts", str(artifacts)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    complaint = f"error: {bad}/ratings.csv line 5: expected a number as rating, got 'excellent'"
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert list(artifacts.iterdir()) == []


def test_a_split_that_holds_nothing_out_is_refused_before_anything_is_written(
    run: Any, tmp_path: Path
) -> None:
    """No user rated three movies, so that a fifth of each user's ratings rounds to none."""
    ratings: list[Rating] = [
        (str(user), movie, 3.0, 9 * user + ord(movie)) for user in range(9) for movie in "ab"
    ]
    data = write_csv(table_of(ratings), tmp_path / "data")
    code, _, err = run("fit", "--evaluate", "temporal", "--data", data, "--artifacts", tmp_path / "artifacts")
    assert code == 2
    assert "error: data: expected at least 2 training ratings and a test rating by the temporal split" in err
    assert not (tmp_path / "artifacts").exists()


def test_a_loss_that_is_no_number_ends_with_1(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: Any, **__: Any) -> None:
        raise TrainingDiverged("loss became nan in epoch 2; lower learning_rate")

    monkeypatch.setattr(evaluation_pipeline, "evaluate", diverge)
    code, _, err = run("evaluate")
    assert (code, err) == (1, "error: loss became nan in epoch 2; lower learning_rate\n")


def test_ctrl_c_ends_with_130_and_no_traceback(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "fit", interrupt)
    code, _, err = run("fit")
    assert code == 130
    assert "Traceback" not in err


@pytest.mark.usefixtures("eagerly")
def test_evaluate_prints_the_measures_beside_the_baselines(
    run: Any, csv_directory: Path, tmp_path: Path
) -> None:
    logs, artifacts = tmp_path / "logs", tmp_path / "artifacts"
    code, out, err = run(
        *("evaluate", "--split", "random", "--data", csv_directory, "--epochs", "1"),
        *("--tensorboard", logs, "--artifacts", artifacts),
    )
    assert code == 0
    assert sorted(log.name.partition(" ")[2] for log in logs.iterdir()) == [
        "Cold start, random split, seed 42",
        "Train and measure, random split, seed 42",
    ]
    assert [path.name for path in artifacts.iterdir()] == ["evaluation"]
    assert "no user with ten training ratings" in out
    assert "random split" in out
    for column in ("Matinee", "popularity", "EASE", "biases"):
        assert column in out
    [ndcg] = [line for line in out.splitlines() if "│ NDCG@10" in line]
    # The model, popularity of all time, of 7 and of 30 days, EASE; then a difference with its interval.
    assert len(re.findall(r" 0\.\d{4}", ndcg)) == 5
    assert re.search(r"[+-]0\.\d{4} \[[+-]0\.\d{4}, [+-]0\.\d{4}\]", ndcg)
    assert "720 ratings of 85 movies by 120 users from ratings.csv, movies.csv in few [ratings]\n" in err
    assert "2 ratings were replaced by later ones of the same movie" in err
    for name in ("Load ratings", "Train and measure, random split"):
        assert re.search(rf"^{name}: \d+\.\d s$", err, re.MULTILINE)


@pytest.mark.usefixtures("verify_here", "eagerly")
def test_fit_measures_trains_on_everything_and_exports(run: Any, csv_directory: Path, tmp_path: Path) -> None:
    artifacts = tmp_path / "arte facts"
    code, out, err = run(
        *("fit", "--data", csv_directory, "--artifacts", artifacts, "--epochs", "1", "--layers", "8,4")
    )
    assert code == 0, err
    bundle = read_current(artifacts)
    assert f"{bundle} is live\n" in err
    assert "global split" in out
    manifest = read_manifest(bundle)
    assert manifest.dataset["ratings"] == 720
    assert manifest.hyperparameters["layers"] == [8, 4]
    assert manifest.metrics is not None
    assert manifest.metrics["split"] == "global"
    assert f"{manifest.metrics['model']['ndcg_at_10']:.4f}" in out
    assert json.loads((bundle / "report" / "metrics.json").read_text(encoding="utf-8"))["losses"]
