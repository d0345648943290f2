"""Charts: what the template draws as SVG, worked out here: the bars, the axis, and what is to be seen in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

WIDTH, HEIGHT = 400, 150
LEFT, BOTTOM = 62, 18
"""In units of the drawing: room for the numbers beside the axis, and for the dates below it."""
_TOP: Final = 8
_STEPS: Final = (1, 2, 2.5, 5, 10)
_MOST_BARS: Final = 366


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, in units of the drawing. `title`: what a pointer shows."""

    x: str
    y: str
    width: str
    height: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """A horizontal line of the axis, and the number beside it."""

    y: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure. `finding`: what it shows, in a sentence, for whoever does not see it."""

    id: str
    title: str
    finding: str
    bars: Sequence[Bar]
    lines: Sequence[Line]
    first: str
    last: str
    """The two ends of the axis below."""
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    """The table behind it."""


def by_day(
    *, name: str, title: str, finding: str, values: Sequence[tuple[date, int]],
    words: Callable[[int], str], beside: Callable[[int], str], day: Callable[[date], str], head: tuple[str, str],
) -> Chart:  # fmt: skip
    """A bar for each day, the oldest first. `words`: how a value is written; `beside`: how beside the axis."""
    values = values[-_MOST_BARS:]
    bottom, top = scale([value for _, value in values])
    each = (WIDTH - LEFT) / max(len(values), 1)
    gap = each * 0.2 if len(values) <= 100 else 0
    bars = [
        _bar(LEFT + n * each + gap / 2, each - gap, value, f"{day(at)}: {words(value)}", bottom, top)
        for n, (at, value) in enumerate(values)
        if value
    ]
    middle = 0 if bottom else top / 2
    # Halfway there may be no whole number of sales: then the line has no label.
    lines = [
        Line(_text(_y(at, bottom, top)), beside(int(at)) if at == int(at) else "")
        for at in (top, middle, bottom)
    ]
    return Chart(
        id=name, title=title, finding=finding, bars=bars, lines=lines, first=day(values[0][0]), last=day(values[-1][0]),
        head=head, rows=[(day(at), words(value)) for at, value in reversed(values)],
    )  # fmt: skip


def scale(values: Sequence[int]) -> tuple[int, int]:
    """The lowest and the highest number of an axis that has all of these on it, and zero; round ones."""
    return -_round_up(-min(values, default=0)), _round_up(max(values, default=0)) or 1


def _round_up(value: int) -> int:
    """The next number that begins with 1, 2, 2.5 or 5 and goes on with zeros; 0 for what is not positive."""
    if value <= 0:
        return 0
    power = 10 ** (len(str(value)) - 1)
    return next(
        int(step * power) for step in _STEPS if step * power >= value and step * power == int(step * power)
    )


def _bar(x: float, width: float, value: int, title: str, bottom: int, top: int) -> Bar:
    upper, lower = _y(max(value, 0), bottom, top), _y(min(value, 0), bottom, top)
    height = max(lower - upper, 0.5)
    return Bar(_text(x), _text(upper), _text(width), _text(height), title)


def _y(value: float, bottom: int, top: int) -> float:
    room = HEIGHT - BOTTOM - _TOP
    return _TOP + room * (top - value) / (top - bottom)


def _text(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
