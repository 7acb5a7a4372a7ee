"""Line and bar charts: their data and the geometry that `page.html.jinja` draws as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

_MOST_STEPS = 5  # one more where neither end of the values is round


@dataclass(frozen=True)
class Chart:
    """One chart over evenly spaced places, in SVG user units from the top left.

    Attributes:
        title: Above the chart, and its accessible name.
        x_label: Under the axis.
        x_ticks: The places' names, `[n]`; every other one or fewer are written where there are many.
        series: By name `[n]` finite values: at most three lines, or the bars, which begin at zero and whose
            values are at least zero.
        y_label: Above the axis.
        kind: How the values are drawn.
    """

    title: str
    x_label: str
    x_ticks: Sequence[str]
    series: Mapping[str, Sequence[float]]
    y_label: str = ""
    kind: Literal["line", "bar"] = "line"

    width: ClassVar = 360
    height: ClassVar = 230
    left: ClassVar = 48
    right: ClassVar = width - 8
    top: ClassVar = 48
    bottom: ClassVar = height - 40
    colours: ClassVar = ("#b8324a", "#b27615", "#3a7d8c")

    def levels(self) -> Iterator[tuple[float, str]]:
        """Horizontal grid lines at round values, from below the lowest to above the highest: y and label."""
        low, high, step = self._scale()
        for at in range(round((high - low) / step) + 1):
            value = low + at * step
            yield self._y(value), f"{round(value, 12) + 0:.6g}"  # of -0.0 a zero without a sign

    def places(self) -> Iterator[tuple[float, str]]:
        """At most ten labels of the horizontal axis: x and name."""
        every = -(-len(self.x_ticks) // 10)
        for place in range(0, len(self.x_ticks), every or 1):
            yield self._x(place), self.x_ticks[place]

    def lines(self) -> Iterator[tuple[str, str, str]]:
        """Of a line chart name, colour and `x,y` points of each series."""
        if self.kind == "line":
            for (name, values), colour in zip(self.series.items(), self.colours, strict=False):
                points = (f"{self._x(place)},{self._y(value)}" for place, value in enumerate(values))
                yield name, colour, " ".join(points)

    def bars(self) -> Iterator[tuple[float, float, float, float]]:
        """Of a bar chart x, y, width and height of each value."""
        if self.kind == "bar":
            width = round(0.7 * (self.right - self.left) / max(1, len(self.x_ticks)), 1)
            for values in self.series.values():
                for place, value in enumerate(values):
                    y = self._y(value)
                    yield round(self._x(place) - width / 2, 1), y, width, round(self.bottom - y, 1)

    def _scale(self) -> tuple[float, float, float]:
        """The lowest and the highest grid line, and the step between: 1, 2, 2.5 or 5 times a power of ten."""
        values = [value for values in self.series.values() for value in values]
        low, high = (0.0 if self.kind == "bar" else min(values)), max(values, default=0.0)
        high = high if high > low else low + 1
        least = (high - low) / _MOST_STEPS
        power = 10.0 ** math.floor(math.log10(least))
        step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= least * (1 - 1e-9))
        first = math.floor(low / step + 1e-9)
        last = math.ceil(high / step - 1e-9)
        return first * step, last * step, step

    def _x(self, place: int) -> float:
        return round(self.left + (place + 0.5) * (self.right - self.left) / len(self.x_ticks), 1)

    def _y(self, value: float) -> float:
        low, high, _ = self._scale()
        return round(self.bottom - (value - low) / (high - low) * (self.bottom - self.top), 1)
