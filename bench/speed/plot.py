"""The figures that have a goal, as a picture: how far past its goal each is. Readable in light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from bench.speed.figures import Figure, Goal

_WIDTH, _ROW, _TOP, _LEFT, _RIGHT = 940, 32, 74, 370, 230
_MOST = 8.0
_LEAST = 0.5
_TICKS = (0.5, 1, 2, 4, 8)
_STYLE = """
  .paper { fill: #fbf8f1 } .ink { fill: #2b2620 } .soft { fill: #6b6257 } .line { stroke: #d8cfbf }
  .met { fill: #2f6f5e } .below { fill: #b4532a } .goal { stroke: #2b2620 }
  text { font: 13px system-ui, sans-serif } .title { font-size: 16px; font-weight: 600 } .small { font-size: 12px }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #1c1a17 } .ink { fill: #efe8db } .soft { fill: #a89e8f } .line { stroke: #3a352e }
    .met { fill: #5fb39b } .below { fill: #e08a5c } .goal { stroke: #efe8db }
  }
"""


def plot(figures: Sequence[Figure], machine: dict[str, Any]) -> str:
    """An SVG. A bar begins at the goal: to the right of it is better. How much the tests see is not speed: left out."""
    rows = [figure for figure in figures if figure.score is not None and figure.judged is not Goal.AT_LEAST]
    height = _TOP + _ROW * len(rows) + 44
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(_in_words(rows))}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}" rx="10"/>',
        '<text class="ink title" x="20" y="30">How far past its goal each figure is</text>',
        f'<text class="soft small" x="20" y="50">{escape(_where(machine))}</text>',
    ]
    bottom = _TOP + _ROW * len(rows)
    for tick in _TICKS:
        x, kind = _x(tick), "goal" if tick == 1 else "line"
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{bottom}"/>')
        label = "the goal" if tick == 1 else f"{tick:g} x"
        parts.append(
            f'<text class="soft small" x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{label}</text>'
        )
    for number, figure in enumerate(rows):
        parts += _bar(figure, _TOP + _ROW * number)
    return "\n".join([*parts, "</svg>", ""])


def _bar(figure: Figure, top: float) -> list[str]:
    score = figure.score or 1.0
    start, end = sorted((_x(1.0), _x(score)))
    kind = "met" if figure.met else "below"
    title = _title(figure)
    return [
        f'<text class="ink" x="{_LEFT - 14}" y="{top + 20}" text-anchor="end">{escape(title)}</text>',
        f'<rect class="{kind}" x="{start:.1f}" y="{top + 6}" width="{max(end - start, 2):.1f}" height="20" rx="3"/>',
        f'<text class="ink small" x="{_WIDTH - _RIGHT + 14}" y="{top + 20}">{escape(_value(figure))}</text>',
    ]


def _title(figure: Figure) -> str:
    return figure.what + (f" ({figure.engine})" if figure.engine else "")


def _value(figure: Figure) -> str:
    """`18.6 x the peer (goal 12)`, `84 MB (goal 130)`."""
    if figure.judged is Goal.TIMES and figure.ratio is not None:
        return f"{_number(figure.ratio)} x {figure.against.partition(',')[0]} (goal {figure.goal:g})"
    return f"{_number(figure.median or 0)} {figure.unit} (goal {figure.goal:g})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _x(score: float) -> float:
    share = math.log(min(max(score, _LEAST), _MOST) / _LEAST) / math.log(_MOST / _LEAST)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _where(machine: dict[str, Any]) -> str:
    return f"{machine['cpu']}, {machine['cores']} cores shared with the load generator; medians of alternating runs"


def _in_words(rows: Sequence[Figure]) -> str:
    return "; ".join(f"{_title(figure)}: {_value(figure)}" for figure in rows)
