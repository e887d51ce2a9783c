"""Plain SVG charts of figures: equal figures give equal bytes, and nothing has to be installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 680, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 44, 84
# Told apart by people who do not see red and green (Okabe & Ito 2008).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_INK, _GRID = "#333333", "#dddddd"

Value = Sequence[float]
"""A value with the two ends of its interval."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart as a file beside the document; `alt` says in words what it shows."""

    name: str
    alt: str
    svg: str


@dataclass(frozen=True, slots=True)
class Axes:
    """What a chart is called, what its height means, and from where to where that goes."""

    title: str
    y: str
    low: float
    high: float
    step: float

    def height(self, value: float) -> float:
        share = (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP)


def curve(
    axes: Axes,
    x: str,
    lines: Mapping[str, Mapping[float, Value]],
    names: Mapping[float, str] | None = None,
) -> str:
    """Lines over places 0..1, with an interval at every point; places are called as `names` has them."""

    def place(share: float) -> float:
        return _LEFT + 20 + share * (WIDTH - _LEFT - _RIGHT - 40)

    ticks = sorted({share for points in lines.values() for share in points})
    called = names or {share: f"{share:g}" for share in ticks}
    parts = [_text(place(share), HEIGHT - _BOTTOM + 18, called[share]) for share in ticks]
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - _BOTTOM + 36, x))
    for at, points in enumerate(lines.values()):
        colour = _COLOURS[at % len(_COLOURS)]
        shift = 5 * (at - (len(lines) - 1) / 2)  # intervals of two lines beside one another
        dots = [(place(share) + shift, points[share]) for share in sorted(points)]
        path = " ".join(f"{left:.1f},{axes.height(value[0]):.1f}" for left, value in dots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for left, value in dots:
            parts.append(_whisker(axes, left, value, colour))
            parts.append(f'<circle cx="{left:.1f}" cy="{axes.height(value[0]):.1f}" r="4" fill="{colour}"/>')
    return _chart(axes, parts, list(lines))


def bars(axes: Axes, groups: Mapping[str, Mapping[str, Value]]) -> str:
    """Groups of bars, each with its interval; every group has the same bars in the same order."""
    names = list(next(iter(groups.values())))
    room = (WIDTH - _LEFT - _RIGHT) / len(groups)
    width = room * 0.8 / len(names)
    parts = []
    for at, (group, values) in enumerate(groups.items()):
        left = _LEFT + at * room + room * 0.1
        parts.append(_text(left + room * 0.4, HEIGHT - _BOTTOM + 18, group))
        for number, name in enumerate(names):
            value = values[name]
            top = axes.height(value[0])
            colour = _COLOURS[number % len(_COLOURS)]
            start = left + number * width
            parts.append(
                f'<rect x="{start:.1f}" y="{top:.1f}" width="{width * 0.9:.1f}" '
                f'height="{HEIGHT - _BOTTOM - top:.1f}" fill="{colour}"/>'
            )
            parts.append(_whisker(axes, start + width * 0.45, value, _INK))
    return _chart(axes, parts, names)


def _chart(axes: Axes, parts: Sequence[str], names: Sequence[str]) -> str:
    middle = (HEIGHT - _BOTTOM + _TOP) / 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">',
        f"<title>{escape(axes.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<g font-family="sans-serif" font-size="13" fill="{_INK}">',
        _text(_LEFT, 24, axes.title, anchor="start", weight="bold"),
        f'<g transform="translate(18 {middle:.1f}) rotate(-90)">{_text(0, 0, axes.y)}</g>',
    ]
    for number in range(round((axes.high - axes.low) / axes.step) + 1):
        value = axes.low + number * axes.step
        height = axes.height(value)
        lines.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="{_GRID}"/>'
        )
        lines.append(_text(_LEFT - 8, height + 4, f"{value:.2f}", anchor="end"))
    room = (WIDTH - _LEFT - _RIGHT) / len(names)
    for at, name in enumerate(names):
        left = _LEFT + at * room
        colour = _COLOURS[at % len(_COLOURS)]
        lines.append(f'<rect x="{left:.1f}" y="{HEIGHT - 30}" width="12" height="12" fill="{colour}"/>')
        lines.append(_text(left + 18, HEIGHT - 19, name, anchor="start"))
    return "\n".join([*lines, *parts, "</g></svg>"]) + "\n"


def _text(left: float, top: float, text: str, anchor: str = "middle", weight: str = "normal") -> str:
    bold = ' font-weight="bold"' if weight == "bold" else ""
    return f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}"{bold}>{escape(text)}</text>'


def _whisker(axes: Axes, left: float, value: Value, colour: str) -> str:
    low, high = axes.height(value[1]), axes.height(value[2])
    return (
        f'<path d="M{left:.1f} {low:.1f}V{high:.1f}M{left - 4:.1f} {low:.1f}h8M{left - 4:.1f} {high:.1f}h8" '
        f'stroke="{colour}" stroke-width="1.5" fill="none"/>'
    )
