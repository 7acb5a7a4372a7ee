"""Figure of latency by percentile, and of latency and rate over time."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from benchmarks.load.client_limit import percentile
from benchmarks.load.samples import Columns

_NINES = (50, 90, 99, 99.9, 99.99, 99.999)


def draw(columns: Columns, seconds: float, title: str) -> Figure:
    """Draw the requests of a load test, of which at least one must have a latency.

    Args:
        columns: The requests.
        seconds: Duration of the measurement.
        title: Title of the figure.
    """
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    figure.suptitle(title, fontsize=10)
    left, right = figure.subplots(1, 2)
    _draw_percentiles(left, columns)
    _draw_times(right, columns, seconds)
    return figure


def to_svg(figure: Figure) -> str:
    """Convert a figure to an SVG element."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def _draw_percentiles(axes: Axes, columns: Columns) -> None:
    """Draw latency by percentile; the x axis is logarithmic in the share of slower requests."""
    latencies_ms = np.sort(columns.latencies_ms[columns.is_timed])
    slower = 1 - np.arange(len(latencies_ms)) / len(latencies_ms)
    axes.plot(1 / slower, latencies_ms, drawstyle="steps-post")
    axes.set_xscale("log")
    _scale_latency(axes)
    shown = [nines for nines in _NINES if 100 / (100 - nines) <= 2 * len(latencies_ms)]
    axes.set_xticks([100 / (100 - nines) for nines in shown], [f"{nines:g}" for nines in shown])
    axes.xaxis.minorticks_off()
    axes.set_xlabel("percentile")


def _draw_times(axes: Axes, columns: Columns, seconds: float) -> None:
    edges = np.linspace(0, seconds, min(max(int(seconds), 1), 120) + 1)
    places = np.digitize(columns.at_seconds, edges[1:-1])
    middles = (edges[:-1] + edges[1:]) / 2
    for percent, style in ((50, "-"), (99, "--")):
        values = [
            percentile(columns.latencies_ms[columns.is_timed & (places == place)], percent) or np.nan
            for place in range(len(middles))
        ]
        axes.plot(middles, values, style, marker=".", label=f"p{percent}")
    _scale_latency(axes)
    axes.set_xlabel("seconds")
    rates = axes.twinx()
    width = edges[1] - edges[0]
    for name, mask, colour in (("good", columns.is_ok, "tab:green"), ("errors", ~columns.is_ok, "tab:red")):
        counts = np.bincount(places[mask], minlength=len(middles)) / width
        if counts.any():
            rates.bar(middles, counts, width=0.9 * width, alpha=0.25, color=colour, label=name)
    rates.set_ylabel("requests/s")
    axes.legend(loc="lower left", fontsize=8)
    rates.legend(loc="lower right", fontsize=8)


def _scale_latency(axes: Axes) -> None:
    axes.set_yscale("log", subs=[])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("latency, ms")
    axes.grid(visible=True, alpha=0.3)
