from typing import Any

from training.evaluation.comparison import Cell, compare


def metrics(model: dict[str, float], **baselines: dict[str, float] | None) -> dict[str, Any]:
    return {"model": model, "baselines": baselines}


def test_measures_stand_beside_the_baselines_and_a_dash_where_none_was_computed() -> None:
    found = compare(metrics({"ndcg_at_10": 0.12345}, popularity={"ndcg_at_10": 0.0}, ease=None))
    assert found.header == ["Matinee", "popularity", "EASE"]
    assert list(found.rows) == ["NDCG@10"]  # what nobody was measured at is no row
    assert [cell.text for cell in found.rows["NDCG@10"]] == ["0.1235", "0.0000", "-"]


def apart(low: float, high: float) -> dict[str, float]:
    return {"difference": (low + high) / 2, "low": low, "high": high}


def test_the_best_of_a_row_is_marked_where_it_differs_the_lowest_where_it_is_an_error() -> None:
    document = metrics(
        {"ndcg_at_10": 0.2, "recall_at_20": 0.4, "rmse": 0.9},
        ease={"ndcg_at_10": 0.1, "recall_at_20": 0.39},
        ials={"ndcg_at_10": 0.15, "recall_at_20": 0.38},
        svd={"rmse": 0.8},
    )
    document["differences"] = {
        "ease": {"ndcg_at_10": apart(0.08, 0.12), "recall_at_20": apart(-0.01, 0.03)},
        "ials": {"ndcg_at_10": apart(0.02, 0.08), "recall_at_20": apart(0.01, 0.03)},
        "svd": {"rmse": apart(0.05, 0.15)},
    }
    found = compare(document)
    assert {name: [cell.best for cell in cells] for name, cells in found.rows.items()} == {
        "NDCG@10": [True, False, False, False],
        "recall@20": [False] * 4,  # the model is best, but not surely better than EASE
        "RMSE, stars": [False, False, False, True],
    }
    assert found.against == {
        "NDCG@10": "iALS +0.0500 [+0.0200, +0.0800]",
        "recall@20": "EASE +0.0100 [-0.0100, +0.0300]",
        "RMSE, stars": "SVD +0.1000 [+0.0500, +0.1500]",
    }


def test_without_intervals_nothing_is_marked() -> None:
    found = compare(metrics({"ndcg_at_10": 0.2}, ease={"ndcg_at_10": 0.1}))
    assert [cell.best for cell in found.rows["NDCG@10"]] == [False, False]
    assert found.against == {"NDCG@10": ""}
    few = metrics({"ndcg_at_10": 0.2}, ease={"ndcg_at_10": 0.1})
    few["differences"] = {"ease": {"ndcg_at_10": {"difference": 0.1, "low": None, "high": None}}}
    assert [cell.best for cell in compare(few).rows["NDCG@10"]] == [False, False]
    assert compare(few).against == {"NDCG@10": "EASE +0.1000"}


def test_a_figure_without_rivals_is_not_the_best() -> None:
    found = compare(metrics({"rmse": 0.9}, ease={}))
    assert found.rows["RMSE, stars"] == [Cell("0.9000", best=False), Cell("-", best=False)]
    assert found.verdict == []


def test_words_say_at_what_to_whom_and_by_how_much_the_model_loses_and_what_may_be_chance() -> None:
    document = metrics(
        {"ndcg_at_10": 0.425, "rmse": 0.95, "recall_at_20": 0.4},
        ease={"ndcg_at_10": 0.442, "recall_at_20": 0.3},
        sasrec={"ndcg_at_10": 0.43, "recall_at_20": 0.35},
        popularity={"ndcg_at_10": 0.1},
        svd={"rmse": 0.906},
    )
    document["differences"] = {
        "ease": {"ndcg_at_10": apart(-0.03, -0.01)},
        "svd": {"rmse": apart(-0.01, 0.1)},
    }
    assert compare(document).verdict == [
        "Matinee loses to EASE at NDCG@10 by 0.0170 (0.4250 against 0.4420), and loses to SASRec (0.4300).",
        "Matinee is behind SVD at RMSE, stars by 0.0440 (0.9500 against 0.9060, which may be chance).",
    ]


def test_where_the_model_wins_everything_words_say_that() -> None:
    found = compare(metrics({"ndcg_at_10": 0.3, "rmse": 0.9}, ease={"ndcg_at_10": 0.2}, biases={"rmse": 1.0}))
    assert found.verdict == ["No baseline beats Matinee at any measure."]


def test_figures_that_print_alike_are_a_tie() -> None:
    found = compare(metrics({"ndcg_at_10": 0.25001}, ease={"ndcg_at_10": 0.25004}))
    assert found.verdict == ["No baseline beats Matinee at any measure."]
