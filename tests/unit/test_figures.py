"""What the benchmarks say of a figure: who is judged by what, and a picture that can be read."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from bench.speed.figures import Figure, Goal, alternating
from bench.speed.plot import plot

FIGURES = [
    Figure("a", "faster & better", "/s", [90, 110, 100], [9, 10, 11], against="the peer", goal=5, judged=Goal.TIMES),
    Figure("b", "<slower>", "/s", [10.0], [10.0], against="the peer", goal=5, judged=Goal.TIMES),
    Figure("c", "light", "MB", [65.0], goal=130, judged=Goal.AT_MOST),
    Figure("d", "late", "s", [2.0], goal=1, judged=Goal.AT_MOST),
    Figure("e", "many", "x", [600.0], goal=500, judged=Goal.AT_LEAST),
    Figure("f", "by chance", "AUC", [0.56], goal=0.05, judged=Goal.AROUND_HALF),
    Figure("g", "seen only", "/s", [5.0]),
    Figure("h", "not there", "/s", goal=5, judged=Goal.TIMES, note="no adapter"),
]  # fmt: skip


def test_each_figure_is_judged_by_its_median_and_its_kind_of_goal() -> None:
    assert [figure.met for figure in FIGURES] == [True, False, True, False, True, False, None, None]
    assert [figure.ratio for figure in FIGURES][:2] == [10, 1]


def test_a_score_is_one_at_the_goal_and_more_is_better() -> None:
    assert [figure.score for figure in FIGURES] == [2, 0.2, 2, 0.5, 1.2, None, None, None]


def test_a_figure_that_was_not_run_says_why_and_meets_nothing() -> None:
    told = FIGURES[-1].told()
    assert (told["run"], told["met"], told["median"], told["note"]) == (False, None, None, "no adapter")
    assert "not run: no adapter" in FIGURES[-1].line()


def test_a_figure_comes_back_from_the_file_as_it_was() -> None:
    for figure in FIGURES:
        again = Figure.of(json.loads(json.dumps(figure.told())))
        assert (again.told(), again.score) == (figure.told(), figure.score)


def test_measures_take_turns() -> None:
    order: list[str] = []
    found = alternating(3, lambda: order.append("a") or 1.0, lambda: order.append("b") or 2.0)
    assert order == ["a", "b"] * 3
    assert found == [[1.0] * 3, [2.0] * 3]


@pytest.mark.parametrize("figures", [FIGURES, []])
def test_the_plot_is_a_picture_with_a_bar_for_each_figure_of_speed(figures: list[Figure]) -> None:
    tree = ET.fromstring(plot(figures, {"cpu": "A <CPU> & more", "cores": 2}))
    bars = [
        rect
        for rect in tree.iter("{http://www.w3.org/2000/svg}rect")
        if rect.get("class") in ("met", "below")
    ]
    assert len(bars) == (4 if figures else 0)
    assert [bar.get("class") for bar in bars] == (["met", "below", "met", "below"] if figures else [])
    assert "faster & better" in (tree.get("aria-label") or "") or not figures
