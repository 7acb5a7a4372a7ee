from xml.etree import ElementTree as ET

from training.report.plots import bar_chart, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_a_line_goes_from_the_bottom_to_the_top_of_the_axes_and_text_is_escaped() -> None:
    found = ET.fromstring(line_chart("<script>", "a & b", ["1", "2"], {"loss": [2.0, 4.0]}))  # noqa: S314 ours
    (line,) = found.iter(f"{SVG}polyline")
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    assert (x0 < x1, y0, y1) == (True, 190, 48)
    texts = [text.text for text in found.iter(f"{SVG}text")]
    assert {"<script>", "a & b", "loss", "1", "2", "2.5", "3", "3.5", "4"} <= set(texts)


def test_bars_are_as_high_as_their_values() -> None:
    found = ET.fromstring(bar_chart("t", "x", ["a", "b", "c"], [1.0, 0.5, 0.0]))  # noqa: S314 ours
    assert [float(bar.attrib["height"]) for bar in found.iter(f"{SVG}rect")] == [142, 71, 0]


def test_equal_values_are_drawn_too() -> None:
    for chart in (line_chart("t", "x", ["a"], {"y": [1.0]}), bar_chart("t", "x", ["a"], [0.0])):
        assert "nan" not in chart
