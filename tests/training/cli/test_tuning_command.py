import importlib.util
import inspect
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_ratings import two_clusters, write_csv

from training import evaluation_pipeline, pipeline
from training.cli import command_line, tuning_command
from training.config import PRESETS, TrainingConfig
from training.tuning import tuning


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = two_clusters(per_user=6, with_features=False)
    some = table.take(np.flatnonzero(table.user_rows < 30))
    return write_csv(some, tmp_path_factory.mktemp("tuned") / "my data")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `python -m training` in this process: exit code, standard output, standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["python -m training", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, captured.out, captured.err

    return run


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Arguments of each call of `tune`, `fit` and `evaluate`, which do nothing."""
    recorded: list[dict[str, Any]] = []
    for module, name in ((tuning, "tune"), (pipeline, "fit"), (evaluation_pipeline, "evaluate")):
        signature = inspect.signature(getattr(module, name))

        def record(*given: Any, signature: inspect.Signature = signature, **named: Any) -> None:
            recorded.append(signature.bind(*given, **named).arguments)

        monkeypatch.setattr(module, name, record)
    return recorded


def test_tune_searches_around_the_preset_by_the_split_of_evaluate(
    run: Any, calls: list[dict[str, Any]]
) -> None:
    assert run("tune")[0] == 0
    options = ("--split", "random", "--preset", "interpolation", "--seed", "7", "--dataset", "1m")
    more = ("--objective", "ndcg_at_10", "--trials", "5", "--timeout", "60", "--study", "s.db")
    assert run("tune", *options, *more, "--artifacts", "there")[0] == 0
    names = ("source", "dataset", "config", "split", "artifacts", "objective", "trials", "seconds", "study")
    interpolation = TrainingConfig(**PRESETS["interpolation"], seed=7)
    assert [[call[name] for name in names] for call in calls] == [
        ["auto", "100k", TrainingConfig(), "auto", Path("artifacts"), "all", 30, None, None],
        ["auto", "1m", interpolation, "random", Path("there"), "ndcg_at_10", 5, 60.0, Path("s.db")],
    ]
    assert [call["command"] for call in calls] == [
        "matinee fit --data auto",
        "matinee fit --data auto --dataset 1m --evaluate random --artifacts there",
    ]


def test_fit_is_named_with_the_store_and_without_its_password(run: Any, calls: list[dict[str, Any]]) -> None:
    stores = ("my store/feedback.sqlite3", "postgresql://someone:secret@host/matinee")
    for store in stores:
        assert run("tune", "--store", store)[0] == 0
    assert [call["store"] for call in calls] == [*stores]
    assert [call["command"] for call in calls] == [
        "matinee fit --data auto --store 'my store/feedback.sqlite3'",
        'matinee fit --data auto --store "$MATINEE_STORE"',
    ]


def test_files_are_read_as_the_options_say_and_fit_is_named_with_them(
    run: Any, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    log = tmp_path / "log.tsv"
    log.write_text("who\twhat\tevent\na\tx\tview\na\ty\tbuy\n", encoding="utf-8")
    reading = ["--columns", "user=who,item=2", "--event-weights", "view=1,buy=5"]
    assert run("tune", "--data", log, *reading)[0] == 0
    [call] = calls
    assert call["source"].weights.tolist() == [1, 5]
    assert call["command"].startswith(f"matinee fit --data {log} --columns user=who,item=2")


@pytest.mark.parametrize("command", ["fit", "evaluate"])
def test_a_configuration_from_a_file_is_above_the_preset_and_below_other_options(
    run: Any, calls: list[dict[str, Any]], tmp_path: Path, command: str
) -> None:
    file = tmp_path / "best.json"
    file.write_text(json.dumps({"weight_decay": 7, "epochs": 9, "seed": 5}), encoding="utf-8")
    assert run(command, "--config", file)[0] == 0
    assert run(command, "--config", file, "--epochs", "3", "--preset", "interpolation")[0] == 0
    expected = TrainingConfig(weight_decay=7.0, epochs=9, seed=5)
    assert calls[0]["config"] == expected
    preset = PRESETS["interpolation"] | {"weight_decay": 7.0, "epochs": 3, "seed": 5}
    assert calls[1]["config"] == TrainingConfig(**preset)


def test_what_tune_writes_is_a_configuration_for_fit(
    run: Any, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    whole = replace(TrainingConfig(), weight_decay=0.5, epochs=4, layers=(8,))
    file = tmp_path / "best.json"
    file.write_text(json.dumps(whole.to_document()), encoding="utf-8")
    assert run("fit", "--config", file)[0] == 0
    assert calls[0]["config"] == whole


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--objective", "novelty"], "--objective.*novelty"),
        (["--trials", "0"], "--trials.*equal to 1"),
        (["--seconds", "-1"], "--seconds"),
        (["--split", "none"], "--split.*none"),
        (["--strict"], "--strict: expected files to read so, got --data auto"),
        (["--data", "nowhere/here"], "nowhere/here: no such file or directory"),
    ],
)
def test_a_wrong_option_is_refused(
    arguments: list[str], complaint: str, run: Any, calls: list[dict[str, Any]]
) -> None:
    code, out, err = run("tune", *arguments)
    assert code == 2
    assert re.search(complaint, " ".join(re.sub(r"[│╭╮╰╯─]", " ", err).split())), err
    assert (out, calls) == ("", [])


def test_without_the_package_it_is_said_how_to_install_it(
    run: Any, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning_command, "find_spec", lambda name: None if name == "optuna" else 1)
    code, _, err = run("tune")
    assert code == 2
    assert "tune needs the package optuna: pip install -r requirements/training.txt" in err
    assert calls == []
    assert importlib.util.find_spec("optuna") is not None


@pytest.mark.usefixtures("eagerly", "verify_here")
def test_a_search_and_the_training_that_it_names(run: Any, data: Path, tmp_path: Path) -> None:
    artifacts = tmp_path / "arte facts"
    code, out, err = run("tune", "--data", data, "--artifacts", artifacts, "--trials", "2", "--seed", "1")
    assert code == 0, err
    assert "begins." in err
    assert "hit rate@100" in out
    [best] = (artifacts / "tuning").glob("*-best.json")
    lines = out.splitlines()
    assert lines[-2] == "Train with:"
    assert lines[-1].endswith(f"--artifacts '{artifacts}' --config '{best}'")
    code, _, err = run(
        *("fit", "--data", data, "--artifacts", artifacts, "--config", best, "--epochs", "1"),
        *("--evaluate", "none"),
    )
    assert code == 0, err
    assert "is live" in err
