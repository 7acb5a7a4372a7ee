import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import tensorflow as tf
from synthetic_ratings import Rating, table_of, write_csv

from training.cli import command_line, data_loading
from training.data.reading import Reading
from training.data.sources import load_reading
from training.experiments.outcome import Figure, Outcome

DANCES = "Dances with Wolves (1990)"


@pytest.fixture(autouse=True)
def _eagerly() -> Iterator[None]:
    """Spares the seconds in which XLA compiles."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 users, 12 movies, every other pair; user 42 is among them."""
    rows: list[Rating] = [
        (str(user), str(movie), float(1 + (user + movie) % 5), 1_000 * user + movie)
        for user in range(50)
        for movie in range(12)
        if (user + movie) % 2
    ]
    titles = [DANCES, *(f"Film {movie} (1999)" for movie in range(1, 12))]
    table = table_of(rows, [str(movie) for movie in range(12)], titles=titles)
    return write_csv(table, tmp_path_factory.mktemp("ratings") / "small")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `python -m training experiments`: exit code, standard output, standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["python -m training", "experiments", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def test_depth_draws_three_curves_in_one_chart(run: Any, ratings: Path, tmp_path: Path) -> None:
    options = ("--data", ratings, "--epochs", "6", "--seeds", "2", "--output", tmp_path / "new" / "out")
    code, out, err = run("depth", *options)
    assert code == 0, err
    found = json.loads((tmp_path / "new" / "out" / "depth.json").read_text(encoding="utf-8"))
    assert list(found["models"]) == ["layers 32", "layers 64, 32", "layers 128, 64, 32"]
    for models in found["models"].values():
        assert len(models) == 2
        assert models[0]["losses"] != models[1]["losses"]
        for model in models:
            assert list(model["validated"]) == ["5", "6"]
            assert len(model["losses"]) == 6
    chart = ET.fromstring((tmp_path / "new" / "out" / "depth-accuracy.svg").read_text())  # noqa: S314 ours
    assert len(list(chart.iter("{http://www.w3.org/2000/svg}polyline"))) == 3
    page = (tmp_path / "new" / "out" / "depth.html").read_text(encoding="utf-8")
    assert page.count("<polyline") == 3
    # Twelve titles: everything is among the first hundred, and so in no band.
    assert len(re.findall(r"layers .* 1\.0000 .* no\b", out)) == 3
    assert "layers 64, 32: 1.0000, 1.0000 by seed" in out
    assert re.search(r"epoch 6 +loss \d\.\d{3} +top-100 accuracy 1\.0000", err)


def test_multitask_measures_each_task_alone_and_both(run: Any, ratings: Path, tmp_path: Path) -> None:
    options = ("--data", ratings, "--epochs", "2", "--seeds", "2", "--seed", "7", "--output", tmp_path)
    code, out, err = run("multitask", *options)
    assert code == 0, err
    found = json.loads((tmp_path / "multitask.json").read_text(encoding="utf-8"))
    by_name = {figure["name"]: figure["measured"] for figure in found["figures"]}
    for name in ("rating only", "retrieval only", "joint"):
        runs = [one["validated"]["2"]["rmse"] for one in found["models"][name]]
        assert len(runs) == 2
        assert by_name[f"{name}: RMSE"] == pytest.approx(np.mean(runs))
        assert f"{name}: RMSE from {min(runs):.3f} to {max(runs):.3f}" in out
    # The head of the model for retrieval alone is never trained.
    assert by_name["retrieval only: RMSE"] > by_name["rating only: RMSE"]
    assert re.search(rf"user 42 and {re.escape(DANCES)}: -?\d+\.\d\d with seed 8 \(published: 3.40\)", out)


def test_quickstart_prints_what_the_exported_model_answers(run: Any, ratings: Path, tmp_path: Path) -> None:
    code, out, err = run("quickstart", "--data", ratings, "--epochs", "2", "--output", tmp_path)
    assert code == 0, err
    signature = tf.saved_model.load(str(tmp_path / "quickstart-model")).signatures["serving_default"]
    answer = signature(user_ids=tf.constant(["42", "nobody"]))
    assert answer["titles"].shape == (2, 12)
    scores = answer["scores"].numpy()
    assert (np.diff(scores, axis=1) <= 0).all()
    assert not np.allclose(scores[0], scores[1])
    first = answer["titles"].numpy()[0, 0].decode()
    assert f"   1. {first}  {scores[0, 0]:.3f}\n" in out
    written = json.loads((tmp_path / "quickstart.json").read_text(encoding="utf-8"))
    assert [one["title"] for one in written["recommended"]] == [
        title.decode() for title in answer["titles"].numpy()[0, :10]
    ]


def test_without_data_the_ratings_are_those_of_movielens_100k(
    run: Any, ratings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def load(source: str, dataset: str, options: None) -> Reading:
        asked.append((source, dataset))
        return load_reading(str(ratings), dataset, options)

    monkeypatch.setattr(data_loading, "load_reading", load)
    code, out, err = run("quickstart", "--epochs", "1")
    assert code == 0, err
    assert asked == [("auto", "100k")]
    assert "   1. " in out


def test_an_output_that_cannot_be_made_is_refused_before_anything_is_loaded(run: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, out, err = run("depth", "--output", tmp_path / "file", "--data", tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert f"--output {tmp_path}/file: cannot be made" in err


def test_a_figure_is_in_its_band_up_to_the_tolerance() -> None:
    near, far = (Figure("x", measured, "0.27", 0.268, 0.27, 0.02) for measured in (0.2899, 0.2499))
    assert (near.within, far.within) == (True, False)
    assert near.cells() == ["0.2899", "0.27", "+0.0199", "0.268", "0.270 ± 0.020", "yes"]
    assert far.cells()[2:] == ["-0.0201", "0.268", "0.270 ± 0.020", "no"]


def test_the_page_of_an_outcome_escapes_text(tmp_path: Path) -> None:
    Outcome("x", "<b>", [Figure("a & b", 0.1, "<", 0.1, 0.1, 0.1)], ["<script>"], {}, {}).write(tmp_path)
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "a &amp; b" in page
