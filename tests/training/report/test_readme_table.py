from pathlib import Path
from typing import Any

import pytest

from training.errors import ConfigurationError
from training.evaluation.comparison import AGAINST
from training.report.readme_table import write_readme_table


def metrics(recall: float, popular_recall: float) -> dict[str, Any]:
    return {
        "model": {"ndcg_at_10": 0.2, "recall_at_20": recall, "rmse": 0.95},
        "baselines": {
            "popularity": {"ndcg_at_10": 0.1, "recall_at_20": popular_recall},
            "ease": None,
            "biases": {"rmse": 1.0},
        },
        "differences": {
            "popularity": {"recall_at_20": {"difference": -0.1, "low": -0.15, "high": -0.05}},
            "biases": {"rmse": {"difference": -0.05, "low": -0.06, "high": -0.04}},
        },
    }


README = (
    "# Title\n<!-- random -->\nkeep\n<!-- /random -->\n\n<!-- temporal -->\nold\n<!-- /temporal -->\nend, é\n"
)


def test_the_table_of_a_split_is_replaced_in_the_readme_and_nothing_else(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    for _ in range(2):  # a second time it changes nothing
        write_readme_table(readme, "temporal", metrics(0.2, 0.3), "temporal split")
        before, begun, rest = readme.read_text(encoding="utf-8").partition("<!-- temporal -->\n")
        table, ended, after = rest.partition("\n<!-- /temporal -->")
        assert before + begun + "old" + ended + after == README
        table, verdict = table.split("\n\n")
        header, ruler, *rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
        assert header == ["temporal split", "Matinee", "popularity", "EASE", "biases", AGAINST]
        assert set(ruler[1:]) == {"---:"}
        assert [
            "recall@20",
            "0.2000",
            "**0.3000**",
            "-",
            "-",
            "popularity -0.1000 [-0.1500, -0.0500]",
        ] in rows
        assert ["RMSE, stars", "**0.9500**", "-", "-", "1.0000", "biases -0.0500 [-0.0600, -0.0400]"] in rows
        assert len(rows) == 3
        assert verdict == "- Matinee loses to popularity at recall@20 by 0.1000 (0.2000 against 0.3000)."


@pytest.mark.parametrize("text", ["", "<!-- temporal -->\nold\n", "<!-- random --><!-- /random -->"])
def test_a_readme_without_a_place_for_the_table_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"README\.md: expected the marks <!-- temporal --> and"):
        write_readme_table(readme, "temporal", metrics(0.2, 0.3), "temporal split")
    assert readme.read_text(encoding="utf-8") == text
