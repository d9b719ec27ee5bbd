"""Charts: well-formed, self-contained, escaped, the same every time, and readable without eyes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.charts.axes import Mark, percent, ticks
from onefold.charts.bars import Bar, Shares, bar_chart, distribution_chart
from onefold.charts.canvas import CHARACTER, Chart, page, write
from onefold.charts.graph import Link, Node, graph_chart
from onefold.charts.layout import stress_layout
from onefold.charts.lines import Line, line_chart
from onefold.charts.waterfall import Step, waterfall_chart
from onefold.errors import UsageError

SVG = "{http://www.w3.org/2000/svg}"
NASTY = '<script>alert("x")</script> & \x0b\x00 \ud800 Ёлка'


def waterfall(words: str = "telephone: the same") -> Chart:
    steps = [Step(words, 16.1, words), Step("e-mail: different", -2.8)]
    return waterfall_chart(
        words, words, Step("before", -12.0), steps, "all", unit="bits", marks=[Mark("link", 3.5)], notes=[words]
    )


def graph(words: str = "crm:contacts:1") -> Chart:
    nodes = [Node(words, words, 3), Node("b"), Node("c", outside=True, name=words)]
    links = [Link(0, 1, words, 1.0, "seam"), Link(1, 2, "+3", 2.0, "outside")]
    return graph_chart(
        words, words, nodes, links, [("seam", words), ("outside", "o")], columns=("", "", "", ""), notes=[words]
    )


def lines(words: str = "F1") -> Chart:
    return line_chart(
        words, words, [1.0, 2.0, 3.0], [Line(words, [None, 0.5, 1.0])], x_label=words, marks=[Mark(words, 2.0)]
    )


def bars(words: str = "identifier") -> Chart:
    return bar_chart(words, words, [Bar(words, 3.0, words), Bar("none", 0.0)], unit=words)


def distribution(words: str = "before") -> Chart:
    shares = [Shares(words, [0.5, 0.5]), Shares("now", [0.0, 1.0])]
    return distribution_chart(words, words, [1.0, 2.0, 4.0], shares, x_label=words, y_label=words)


EVERY = pytest.mark.parametrize("make", [waterfall, graph, lines, bars, distribution])


@EVERY
def test_a_chart_is_well_formed_has_a_name_and_a_description(make: Callable[..., Chart]) -> None:
    root = ET.fromstring(make().svg)
    named = (root.get("aria-labelledby") or "").split()
    assert root.get("role") == "img"
    assert [root.find(f"{SVG}{tag}").get("id") for tag in ("title", "desc")] == named  # type: ignore[union-attr]
    assert "prefers-color-scheme:dark" in make().svg


@EVERY
def test_nothing_in_a_chart_is_markup_and_nothing_is_loaded_from_elsewhere(make: Callable[..., Chart]) -> None:
    svg = make(NASTY).svg
    root = ET.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "line", "polyline", "circle", "text"
    }  # fmt: skip
    assert "Ёлка" in svg
    assert svg.count("http") == 1, "only the name of the format"
    document = page(NASTY, [make(NASTY)])
    assert "<script" not in document
    assert "http-equiv" in document
    assert "src=" not in document and "href=" not in document


@EVERY
def test_a_chart_is_the_same_every_time_and_its_figures_are_a_table(make: Callable[..., Chart]) -> None:
    assert make() == make()
    assert make().rows
    assert all(isinstance(cell, str) for row in make().rows for cell in row)
    assert page("x", [make()]).count("<td>") == sum(len(row) for row in make().rows)


def test_charts_are_written_as_one_page_or_as_numbered_files(tmp_path: Path) -> None:
    charts = [bars(), lines()]
    assert write(tmp_path / "a.html", "t", charts) == [tmp_path / "a.html"]
    assert (tmp_path / "a.html").read_text("utf-8").count("<svg") == 2
    assert write(tmp_path / "a.svg", "t", charts) == [tmp_path / "a.svg", tmp_path / "a-2.svg"]
    with pytest.raises(UsageError, match=r"as \.svg or \.html"):
        write(tmp_path / "a.png", "t", charts)
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / "none" / "a.svg", "t", charts)


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6))
def test_ticks_are_round_within_the_range_and_few(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert 1 <= len(found) <= 14
    assert all(low - 1e-6 * span <= value <= low + span * (1 + 1e-6) for value in found)


def test_names_of_marks_at_the_edge_stand_whole_within_the_chart() -> None:
    shares = [Shares("pairs", [0.5, 0.5])]
    marks = [Mark("ask from -20.0", -20.0), Mark("link from +40.0", 40.0)]
    svg = distribution_chart("", "", [-20.0, 10.0, 40.0], shares, x_label="", y_label="", marks=marks).svg
    root = ET.fromstring(svg)
    for mark in marks:
        (text,) = (one for one in root.iter(f"{SVG}text") if one.text == mark.label)
        half = len(mark.label) * CHARACTER / 2
        assert half <= float(text.get("x", 0)) <= float(root.get("width", 0)) - half


def test_shares_near_nothing_and_everything_are_not_rounded_to_it() -> None:
    assert [percent(value) for value in (0, 0.5, 1, 0.99999, 1e-9, 1 - 1e-9)] == [
        "0 %", "50 %", "100 %", "99.999 %", "< 0.0001 %", "> 99.9999 %"
    ]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 12), data=st.data())
def test_nodes_lie_apart_and_inside_whatever_the_links(count: int, data: st.DataObject) -> None:
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1), st.floats(0.5, 3))
    links = [link for link in data.draw(st.lists(ends, max_size=20)) if link[0] != link[1]]
    at = stress_layout(count, links)
    assert np.abs(at).max() <= 1
    for one in range(count):
        for two in range(one):
            assert np.abs(at[one] - at[two]).max() > 1e-3
    assert np.array_equal(at, stress_layout(count, links))


def test_a_chart_with_ways_out_is_a_group_and_not_one_picture() -> None:
    nodes, words = [Node("a", "a", 1), Node("b")], [("seam", "links")]
    link = Link(0, 1, "+3", 1.0, "seam", address="/cases/1/cut")
    chart = graph_chart("", "", nodes, [link], words, columns=("", "", "", ""), notes=[])
    assert ET.fromstring(chart.svg).get("role") == "group"


def test_strong_links_are_drawn_shorter() -> None:
    at = stress_layout(3, [(0, 1, 1.0), (1, 2, 3.0)])
    near, far = np.linalg.norm(at[0] - at[1]), np.linalg.norm(at[1] - at[2])
    assert near == pytest.approx(far / 3, rel=0.05)
