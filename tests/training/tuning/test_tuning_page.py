import re

from training.tuning.search_space import Searched
from training.tuning.trial_record import Ending, Outcome, TrialRecord, Trials
from training.tuning.tuning_page import tuning_page

SEARCHED = (
    Searched(name="weight_decay", low=0.3, high=10.0, reason="<why>"),
    Searched(name="learning_rate", low=0.001, high=0.1, reason="a test"),
)


def trial(number: int, decay: float, quality: float | None, ending: Ending = "complete") -> TrialRecord:
    values = {"weight_decay": decay, "learning_rate": 0.01}
    outcome = Outcome(ending, quality, {"ndcg_at_10": 0.25 + number / 100}, 0.5, 12, seconds=3.0)
    return TrialRecord(number, values, number == 0, outcome, [0.0, quality or 0.0])


def page_of(*records: TrialRecord, importances: dict[str, float] | None = None) -> str:
    trials = Trials(records, importances or {})
    return " ".join(tuning_page("books, random split.", trials, SEARCHED, ["Trial 2 is best."]).split())


def titles(page: str) -> list[str]:
    """Of the charts: tables, which scroll on their own, are named Table."""
    return [each for each in re.findall(r'aria-label="([^"]*)"', page) if each != "Table"]


def test_the_best_trials_stand_beside_the_defaults_by_importance() -> None:
    page = page_of(
        *(trial(0, 3.0, 0.0), trial(1, 5.0, -0.1), trial(2, 0.5, 0.1), trial(3, 9.0, 0.3, "stopped")),
        importances={"learning_rate": 0.75, "weight_decay": 0.25},
    )
    for text in ("books, random split.", "Trial 2 is best.", "NDCG@10", "weight_decay: &lt;why&gt;"):
        assert text in page
    [table] = re.findall(r"<h2>The best trials</h2>.*?</table>", page)
    rows = [re.findall(r"<t[dh]>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)]
    assert rows[0] == ["", "defaults", "trial 2", "trial 1", "importance"]
    # e to the 0.1 is 1.105.
    assert rows[1] == ["better than the defaults", "+0.0%", "+10.5%", "-9.5%", ""]
    assert rows[2] == ["NDCG@10", "0.2500", "0.2700", "0.2600", ""]
    assert [(row[0], row[2], row[4]) for row in rows[-2:]] == [
        ("learning_rate", "0.01", "75%"),
        ("weight_decay", "0.5", "25%"),
    ]
    assert titles(page) == [
        "Better than the defaults",
        "While training: better than the defaults",
        "learning_rate",
        "weight_decay",
    ]
    assert "stopped" in page


def test_a_search_whose_defaults_diverged_has_a_page_without_charts() -> None:
    page = page_of(trial(0, 3.0, None, "diverged"), trial(1, 0.5, 0.1))
    assert titles(page) == []
    assert "<td>better than the defaults</td><td>-</td>" in page
    assert "diverged" in page


def test_a_search_of_the_defaults_alone_has_a_page() -> None:
    assert titles(page_of(trial(0, 3.0, 0.0))) == [
        "Better than the defaults",
        "While training: better than the defaults",
    ]
