"""The result of an experiment beside the published figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from training.cli.progress import results
from training.errors import ConfigurationError
from training.report.charts import Chart
from training.report.pages import chart_svg, render

_HEADER = ("measured", "published", "difference", "TFRS", "band", "in it")


@dataclass(frozen=True)
class Figure:
    """One measured figure and the band in which it should lie.

    Attributes:
        name: The model and the measure, in at most 24 letters.
        measured: In this run.
        published: In the tutorial, as printed there.
        tfrs: Reached by TFRS 0.7.7 on the same rows (docs/experiments.md).
        expected, tolerance: The middle of the band and half its width.
    """

    name: str
    measured: float
    published: str
    tfrs: float
    expected: float
    tolerance: float

    @property
    def difference(self) -> float:
        """Difference from the middle of the band."""
        return self.measured - self.expected

    @property
    def within(self) -> bool:
        """Whether it lies in the band."""
        return abs(self.difference) <= self.tolerance

    def cells(self) -> list[str]:
        """Return the cells of a row of the table, as text."""
        return [
            f"{self.measured:.4f}",
            self.published,
            f"{self.difference:+.4f}",
            f"{self.tfrs:.3f}",
            f"{self.expected:.3f} ± {self.tolerance:.3f}",
            "yes" if self.within else "no",
        ]


@dataclass(frozen=True)
class Outcome:
    """One experiment's result.

    Attributes:
        name: Of the experiment.
        title: Of its table.
        figures: Beside the published ones.
        sentences: Other findings.
        details: JSON values: configurations, curves, times.
        charts: By name.
    """

    name: str
    title: str
    figures: list[Figure]
    sentences: list[str]
    details: dict[str, Any]
    charts: dict[str, Chart]

    def show(self) -> None:
        """Print the table and the sentences."""
        printed = Table(title=self.title, box=SIMPLE_HEAD)
        printed.add_column("", no_wrap=True)
        for name in _HEADER:
            printed.add_column(name, justify="right", no_wrap=True)
        for figure in self.figures:
            printed.add_row(figure.name, *figure.cells())
        results.print(printed)
        for sentence in self.sentences:
            results.print(sentence, markup=False, soft_wrap=True)

    def write(self, directory: Path) -> None:
        """Write `<name>.json`, `<name>.html` and a chart `<name>-<chart>.svg` each.

        Raises:
            ConfigurationError: The directory cannot be written to.
        """
        document = {
            "experiment": self.name,
            "figures": [
                {**vars(figure), "difference": figure.difference, "within": figure.within}
                for figure in self.figures
            ],
            "sentences": self.sentences,
            **self.details,
        }
        page = render(
            "experiment",
            title=f"Matinee, experiment {self.name}",
            summary=self.title,
            head=["", *_HEADER],
            rows=[[figure.name, *figure.cells()] for figure in self.figures],
            all_charts=list(self.charts.values()),
            sentences=self.sentences,
        )
        files = {
            f"{self.name}.json": json.dumps(document, indent=2) + "\n",
            f"{self.name}.html": page,
            **{f"{self.name}-{name}.svg": chart_svg(chart) for name, chart in self.charts.items()},
        }
        try:
            for name, text in files.items():
                (directory / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"--output {directory}: cannot be written: {error.strerror}") from error
