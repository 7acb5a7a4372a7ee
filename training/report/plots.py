"""Line and bar charts as inline SVG: no script, no library, in the colours of the page."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT = 360, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 8, 48, 40
_COLOURS = ("#3b82c4", "#d97706", "#2f9e62")


def line_chart(
    title: str, x_label: str, x_ticks: Sequence[str], series: Mapping[str, Sequence[float]], y_label: str = ""
) -> str:
    """Lines over evenly spaced places.

    Args:
        title: Text, escaped as all text is.
        x_label: Text under the axis.
        y_label: Text above the axis.
        x_ticks: The places' names, `[n]`; every other one or fewer are written where there are many.
        series: By name `[n]` finite values; at most three.
    """
    low, high = _range([value for values in series.values() for value in values])
    marks = []
    for (name, values), colour, at in zip(series.items(), _COLOURS, range(len(_COLOURS)), strict=False):
        points = " ".join(
            f"{_x(place, len(x_ticks)):.1f},{_y(value, low, high):.1f}" for place, value in enumerate(values)
        )
        marks.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        marks.append(_text(_LEFT + 104 * at, 38, name, colour=colour))
    return _chart(title, (x_label, y_label), x_ticks, (low, high), marks)


def bar_chart(
    title: str, x_label: str, x_ticks: Sequence[str], values: Sequence[float], y_label: str = ""
) -> str:
    """Bars from zero, `[n]` finite values of at least zero; see `line_chart`."""
    high = _range([*values, 0.0])[1]
    width = 0.7 * (_WIDTH - _LEFT - _RIGHT) / max(1, len(values))
    marks = []
    for place, value in enumerate(values):
        top = _y(value, 0, high)
        marks.append(
            f'<rect x="{_x(place, len(values)) - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" '
            f'height="{_HEIGHT - _BOTTOM - top:.1f}" fill="{_COLOURS[0]}"/>'
        )
    return _chart(title, (x_label, y_label), x_ticks, (0, high), marks)


def _chart(
    title: str,
    labels: tuple[str, str],
    x_ticks: Sequence[str],
    ends: tuple[float, float],
    marks: Sequence[str],
) -> str:
    low, high = ends
    bottom = _HEIGHT - _BOTTOM
    parts = [_text(_LEFT, 18, title, size=15)]
    for step in range(5):
        value = low + (high - low) * step / 4
        y = _y(value, low, high)
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="currentColor" stroke-opacity=".2"/>'
        )
        parts.append(_text(_LEFT - 6, y + 4, f"{value:.3g}", anchor="end"))
    every = -(-len(x_ticks) // 10)
    parts += [
        _text(_x(place, len(x_ticks)), bottom + 16, name, anchor="middle")
        for place, name in enumerate(x_ticks)
        if place % every == 0
    ]
    parts.append(f'<path d="M{_LEFT} {_TOP}V{bottom}H{_WIDTH - _RIGHT}" fill="none" stroke="currentColor"/>')
    parts += [_text(_WIDTH - _RIGHT, _HEIGHT - 6, labels[0], anchor="end"), _text(4, _TOP - 8, labels[1])]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{html.escape(title)}">{"".join(parts)}{"".join(marks)}</svg>'
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low, low + 1)


def _x(place: int, places: int) -> float:
    return _LEFT + (place + 0.5) * (_WIDTH - _LEFT - _RIGHT) / places


def _y(value: float, low: float, high: float) -> float:
    return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _BOTTOM - _TOP)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", colour: str = "currentColor", size: int = 12
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">'
        f"{html.escape(text)}</text>"
    )
