import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks import any_data
from benchmarks.any_data import main, options_for
from benchmarks.any_data_table import quality_table
from training.errors import ConfigurationError


def apart(difference: float, low: float, high: float) -> dict[str, float]:
    return {"difference": difference, "low": low, "high": high}


METRICS: dict[str, Any] = {
    "split": "global",
    "train_ratings": 80_000,
    "runs": [{"fit_processor_seconds": 10.0}, {"fit_processor_seconds": 14.0}],
    "model": {"hit_rate_at_100": 0.5, "ndcg_at_10": 0.2, "rmse": 0.9},
    "baselines": {
        "popularity_7_days": {"hit_rate_at_100": 0.4, "ndcg_at_10": 0.25},
        "ease": {"hit_rate_at_100": 0.3, "ndcg_at_10": 0.1},
        "ials": None,
        "biases": {"rmse": 1.0},
        "svd": {"rmse": 0.89},
    },
    "differences": {
        "popularity_7_days": {
            "hit_rate_at_100": apart(0.1, 0.05, 0.15),
            "ndcg_at_10": apart(-0.05, -0.08, -0.02),
        },
        "ease": {"hit_rate_at_100": apart(0.2, 0.1, 0.3), "ndcg_at_10": apart(0.1, 0.05, 0.15)},
        "biases": {"rmse": apart(-0.1, -0.2, -0.05)},
        "svd": {"rmse": apart(0.01, -0.01, 0.03)},
    },
}


def test_the_table_says_above_level_or_short_of_the_best_baseline_and_names_shortfalls() -> None:
    unrated = METRICS | {"split": "random", "model": {"hit_rate_at_100": 0.5}, "train_ratings": 40_000}
    results: dict[str, dict[str, Any]] = {
        "movielens-100k": {"metrics": METRICS, "error": None},
        "plays": {"metrics": unrated, "error": None},
        "broken": {"metrics": None, "error": "no ratings"},
    }
    table, _, below, _, failed = quality_table(results).split("\n\n")
    _, _, first, second = table.splitlines()
    assert [cell.strip() for cell in first.strip("|").split("|")] == [
        "movielens-100k",
        "global",
        "0.5000, popular, 7 days 0.4000: above [+0.0500, +0.1500]",
        "0.2000, popular, 7 days 0.2500: short [-0.0800, -0.0200]",
        "0.9000, SVD 0.8900: level [-0.0100, +0.0300]",
        "150",
        "1.00",
    ]
    assert [cell.strip() for cell in second.strip("|").split("|")][3:] == ["-", "-", "300", "2.00"]
    assert below.splitlines() == [
        "- movielens-100k, NDCG@10: -0.0500 to popular, 7 days [-0.0800, -0.0200], short",
        "- movielens-100k, RMSE, stars: +0.0100 to SVD [-0.0100, +0.0300], level",
    ]
    assert failed == "- broken: no ratings"


def test_a_set_is_read_with_its_own_options_and_trained_without(tmp_path: Path) -> None:
    assert options_for("restaurants-uci", tmp_path) == [
        *("--data", f"{tmp_path}/restaurants-uci"),
        *("--columns", "user=userID,item=placeID,rating=rating"),
    ]
    assert options_for("movielens-100k", tmp_path) == ["--data", "auto", "--dataset", "100k"]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that were run; each keeps `METRICS`, but that of FilmTrust fails."""
    given: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        given.append(command[3:])
        if any("filmtrust" in part for part in command):
            return subprocess.CompletedProcess(command, 2, "", "Load ratings ...\nerror: no column\n")
        records = Path(command[command.index("--artifacts") + 1]) / "evaluation"
        records.mkdir()
        (records / "global-1.json").write_text(json.dumps(METRICS), encoding="utf-8")
        return subprocess.CompletedProcess(command, 0, "", "")

    def missing() -> None:
        raise ConfigurationError("none")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(any_data, "find_environment", missing)
    return given


def test_what_is_kept_is_not_measured_again_unless_it_failed_or_is_asked_for(
    commands: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, results, page = tmp_path / "sets", tmp_path / "results", tmp_path / "page.md"
    (data / "filmtrust").mkdir(parents=True)
    (data / "filmtrust/ratings.txt").touch()
    page.write_text("<!-- benchmarks.any_data -->\n<!-- /benchmarks.any_data -->\n", encoding="utf-8")
    run = [str(data), "--results", str(results), "--seeds", "2", "--page", str(page)]
    assert main(run) == 1
    of_100k, of_filmtrust = commands
    assert of_100k[:8] == [
        *("evaluate", "--data", "auto", "--dataset", "100k"),
        *("--split", "auto", "--no-extras"),
    ]
    assert of_100k[8:10] == ["--seeds", "2"]
    assert "--baselines" not in of_100k
    assert of_filmtrust[1:3] == ["--data", f"{data}/filmtrust/ratings.txt"]
    assert "- filmtrust: no column" in page.read_text(encoding="utf-8")
    assert main(run) == 1
    assert commands[2:] == [of_filmtrust[:-1] + commands[2][-1:]]  # but for its temporary directory
    assert main([*run, "movielens-100k"]) == 0
    assert len(commands) == 3
    assert main([*run, "movielens-100k", "--again"]) == 0
    assert len(commands) == 4
    assert "| movielens-100k | global |" in capsys.readouterr().out


def test_a_set_that_nobody_knows_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path), "no-such-set"])
    assert "no set is named no-such-set; there are movielens-100k, " in capsys.readouterr().err
