from xml.etree import ElementTree as ET

import pytest

from training.report.charts import Chart
from training.report.pages import chart_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart: Chart) -> ET.Element:
    return ET.fromstring(chart_svg(chart))  # noqa: S314 ours


def test_a_line_goes_from_the_bottom_to_the_top_of_the_axes_and_text_is_escaped() -> None:
    found = drawn(Chart("<script>", "a & b", ["1", "2"], {"loss": [2.0, 4.0]}))
    (line,) = found.iter(f"{SVG}polyline")
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    assert (x0 < x1, y0, y1) == (True, 190, 48)
    assert found.attrib["aria-label"] == "<script>"
    texts = [text.text for text in found.iter(f"{SVG}text")]
    assert {"<script>", "a & b", "loss", "1", "2", "2.5", "3", "3.5", "4"} <= set(texts)


def test_a_line_has_the_colour_of_its_name_in_the_legend() -> None:
    found = drawn(Chart("t", "x", ["1", "2"], {"first": [1, 2], "second": [2, 1]}))
    lines = {line.findtext(f"{SVG}title"): line.attrib["stroke"] for line in found.iter(f"{SVG}polyline")}
    legend = {text.text: text.attrib.get("fill") for text in found.iter(f"{SVG}text")}
    assert lines == {name: legend[name] for name in ("first", "second")}
    assert len(set(lines.values())) == 2


def test_at_most_ten_places_are_labelled() -> None:
    found = drawn(Chart("t", "x", [f"e{epoch}" for epoch in range(45)], {"y": range(45)}))
    labels = [text.text for text in found.iter(f"{SVG}text") if (text.text or "").startswith("e")]
    assert labels == [f"e{epoch}" for epoch in range(0, 45, 5)]


def test_bars_are_as_high_as_their_values() -> None:
    found = drawn(Chart("t", "x", ["a", "b", "c"], {"y": [1.0, 0.5, 0.0]}, kind="bar"))
    assert [float(bar.attrib["height"]) for bar in found.iter(f"{SVG}rect")] == [142, 71, 0]


def test_equal_values_are_drawn_too() -> None:
    for chart in (Chart("t", "x", ["a"], {"y": [1.0]}), Chart("t", "x", ["a"], {"y": [0.0]}, kind="bar")):
        assert "nan" not in chart_svg(chart)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.3078, 0.3091], ["0.3075", "0.308", "0.3085", "0.309", "0.3095"]),
        ([-0.3, 0.9], ["-0.5", "-0.25", "0", "0.25", "0.5", "0.75", "1"]),
        ([3.0, 1234.0], ["0", "250", "500", "750", "1000", "1250"]),
        ([7.0], ["7", "7.2", "7.4", "7.6", "7.8", "8"]),
    ],
)
def test_grid_lines_are_at_round_values_around_the_data(values: list[float], expected: list[str]) -> None:
    chart = Chart("t", "x", [str(place) for place in range(len(values))], {"y": values})
    assert [label for _, label in chart.levels()] == expected
    heights = [y for y, _ in chart.levels()]
    assert (heights[0], heights[-1]) == (chart.bottom, chart.top)
