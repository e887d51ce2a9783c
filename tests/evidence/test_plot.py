"""Charts: what is higher stands higher, equal figures give equal bytes, and names stay text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.evidence.document import write_plots
from benchmarks.evidence.plot import HEIGHT, WIDTH, Axes, Plot, bars, curve

AXES = Axes("Score by share", "score", 0, 1, 0.2)
SVG = "{http://www.w3.org/2000/svg}"


def heights(svg: str) -> list[float]:
    return [float(dot.attrib["cy"]) for dot in ET.fromstring(svg).iter(f"{SVG}circle")]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_a_point_stands_as_high_as_its_value(values: list[float]) -> None:
    points = {at / len(values): (value, value, value) for at, value in enumerate(values)}
    drawn = heights(curve(AXES, "share", {"one": points}))
    assert len(drawn) == len(values)
    in_order = [height for _, height in sorted(zip(values, drawn, strict=True), key=lambda pair: pair[0])]
    assert in_order == sorted(in_order, reverse=True)
    assert all(0 < height < HEIGHT for height in drawn)


def test_intervals_reach_from_end_to_end() -> None:
    svg = curve(AXES, "share", {"one": {0.5: (0.5, 0.2, 0.9)}})
    path = re.search(r'd="M[\d.]+ ([\d.]+)V([\d.]+)', svg)
    assert path is not None
    ends = [float(end) for end in path.groups()]
    assert ends == pytest.approx([AXES.height(0.2), AXES.height(0.9)], abs=0.1)


def test_a_bar_is_as_tall_as_its_value() -> None:
    svg = bars(AXES, {"rare": {"before": (0.25, 0.2, 0.3), "after": (0.75, 0.7, 0.8)}})
    tall = [
        float(bar.attrib["height"])
        for bar in ET.fromstring(svg).iter(f"{SVG}rect")
        if bar.attrib.get("x") and bar.attrib["height"] != "12"
    ]
    assert tall[1] == pytest.approx(3 * tall[0], rel=0.01)


def test_names_are_text_and_places_have_theirs() -> None:
    svg = curve(AXES, "rows & more", {"<script>": {0.0: (0.1, 0, 0.2)}}, {0.0: "five"})
    texts = [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]
    assert {"rows & more", "<script>", "five"} <= set(texts)
    assert f'viewBox="0 0 {WIDTH} {HEIGHT}"' in svg


def test_equal_figures_give_equal_bytes(tmp_path: Path) -> None:
    def drawn() -> Plot:
        return Plot(
            "mix", "falls", curve(AXES, "share", {"one": {0.0: (0.5, 0.4, 0.6), 1.0: (0.3, 0.2, 0.4)}})
        )

    document = tmp_path / "evidence.md"
    write_plots(document, [drawn()])
    first = (tmp_path / "evidence" / "mix.svg").read_bytes()
    write_plots(document, [drawn()])
    assert (tmp_path / "evidence" / "mix.svg").read_bytes() == first
