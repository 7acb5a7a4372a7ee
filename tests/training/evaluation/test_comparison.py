from typing import Any

from training.evaluation.comparison import Cell, compare


def metrics(model: dict[str, float], **baselines: dict[str, float] | None) -> dict[str, Any]:
    return {"model": model, "baselines": baselines}


def test_measures_stand_beside_the_baselines_and_a_dash_where_none_was_computed() -> None:
    found = compare(metrics({"ndcg_at_10": 0.12345}, popularity={"ndcg_at_10": 0.0}, ease=None))
    assert found.header == ["Matinee", "popularity", "EASE"]
    assert list(found.rows) == ["NDCG@10"]  # what nobody was measured at is no row
    assert [cell.text for cell in found.rows["NDCG@10"]] == ["0.1235", "0.0000", "-"]


def test_the_best_of_a_row_is_marked_the_lowest_where_it_is_an_error() -> None:
    found = compare(metrics({"ndcg_at_10": 0.2, "rmse": 0.9}, svd={"rmse": 0.8}, ials={"ndcg_at_10": 0.1}))
    assert [cell.best for cell in found.rows["NDCG@10"]] == [True, False, False]
    assert [cell.best for cell in found.rows["RMSE, stars"]] == [False, True, False]


def test_a_figure_without_rivals_is_not_the_best() -> None:
    found = compare(metrics({"rmse": 0.9}, ease={}))
    assert found.rows["RMSE, stars"] == [Cell("0.9000", best=False), Cell("-", best=False)]
    assert found.verdict == []


def test_words_say_at_what_to_whom_and_by_how_much_the_model_loses() -> None:
    found = compare(
        metrics(
            {"ndcg_at_10": 0.425, "rmse": 0.95, "recall_at_20": 0.4},
            ease={"ndcg_at_10": 0.442, "recall_at_20": 0.3},
            sasrec={"ndcg_at_10": 0.43, "recall_at_20": 0.35},
            popularity={"ndcg_at_10": 0.1},
            svd={"rmse": 0.906},
        )
    )
    assert found.verdict == [
        "Matinee loses to EASE at NDCG@10 by 0.0170 (0.4250 against 0.4420), and to SASRec (0.4300).",
        "Matinee loses to SVD at RMSE, stars by 0.0440 (0.9500 against 0.9060).",
    ]


def test_where_the_model_wins_everything_words_say_that() -> None:
    found = compare(metrics({"ndcg_at_10": 0.3, "rmse": 0.9}, ease={"ndcg_at_10": 0.2}, biases={"rmse": 1.0}))
    assert found.verdict == ["No baseline beats Matinee at any measure."]


def test_figures_that_print_alike_are_a_tie_and_both_the_best() -> None:
    found = compare(metrics({"ndcg_at_10": 0.25001}, ease={"ndcg_at_10": 0.25004}))
    assert [cell.best for cell in found.rows["NDCG@10"]] == [True, True]
    assert found.verdict == ["No baseline beats Matinee at any measure."]
