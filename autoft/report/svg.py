"""The few chart parts that the report needs, as inline SVG. Colours come from the page's CSS classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 500, 260
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 10, 42

FEW = 8
"""Values that are all shown."""
FAR, REACH = 100, 5
"""Widths of the middle half: where all values span more than the first, those beyond the second are at the edge."""

Point = tuple[float, float]


class Scale(NamedTuple):
    """Maps values to pixels along one axis."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, what: float) -> float:
        return self.start + (what - self.low) / (self.high - self.low) * (self.end - self.start)


class Frame:
    """One chart: axes first, then whatever is drawn into it."""

    def __init__(
        self,
        points: Sequence[Point],
        x_name: str,
        y_name: str,
        y_text: Callable[[float], str],
        *,
        whole: bool = False,
    ) -> None:
        """Axes that hold `points`. `whole` labels the x axis with integers alone."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        self.parts: list[str] = []
        self.x = Scale(*spread(xs, from_zero=True), LEFT, WIDTH - RIGHT)
        self.y = Scale(*spread(within(ys)), HEIGHT - BOTTOM, TOP)
        for tick in ticks(self.y.low, self.y.high):
            at = self.y(tick)
            self.parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
            self.text(LEFT - 8, at + 4, y_text(tick), "end")
        for tick in ticks(self.x.low, self.x.high, 6, whole=whole):
            self.text(self.x(tick), HEIGHT - BOTTOM + 18, f"{tick:g}", "middle")
        self.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_name, "middle")
        if within(ys) != ys:
            self.text(WIDTH - RIGHT, HEIGHT - BOTTOM - 6, "far values are drawn at the edge", "end")
        self.title = f"{y_name} over {x_name}"

    def height(self, y: float) -> float:
        """Pixels of a value; one that lies far from all others is drawn at the edge."""
        return self.y(min(self.y.high, max(self.y.low, y)))

    def text(self, x: float, y: float, words: str, anchor: str, kind: str = "tick") -> None:
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>')

    def line(self, points: Sequence[Point], kind: str, tip: str = "") -> None:
        """A line through the points; a single point becomes a dot."""
        if len(points) == 1:
            self.dot(points[0], f"{kind} lone", tip)
            return
        path = " ".join(f"{self.x(x):.1f},{self.height(y):.1f}" for x, y in points)
        self.parts.append(f'<polyline class="{kind}" points="{path}">{_tip(tip)}</polyline>')

    def dot(self, point: Point, kind: str, tip: str, radius: float = 4) -> None:
        at = f'cx="{self.x(point[0]):.1f}" cy="{self.height(point[1]):.1f}"'
        self.parts.append(f'<circle class="dot {kind}" {at} r="{radius:g}">{_tip(tip)}</circle>')

    def svg(self) -> str:
        inside = "".join(self.parts)
        return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.title)}">{inside}</svg>'


def _tip(words: str) -> str:
    return f"<title>{escape(words)}</title>" if words else ""


def spread(values: Sequence[float], *, from_zero: bool = False) -> tuple[float, float]:
    """Lowest and highest of an axis: a little wider than the values, and never of length 0."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if from_zero:
        return 0.0, max(high, 1e-9)
    room = 0.06 * (high - low) or max(abs(high) * 0.05, 0.01)
    return low - room, high + room


def within(values: Sequence[float]) -> list[float]:
    """The values, those far from the middle half of all moved to where that ends: a trial that ran away with an R2 of
    -1e27 would make all others a flat line."""
    if len(values) < FEW:
        return list(values)
    ranked = sorted(values)
    first, third = ranked[len(ranked) // 4], ranked[-1 - len(ranked) // 4]
    half = third - first
    if not 0 < FAR * half < ranked[-1] - ranked[0]:
        return list(values)
    return [min(third + REACH * half, max(first - REACH * half, value)) for value in values]


def ticks(low: float, high: float, wanted: int = 5, *, whole: bool = False) -> list[float]:
    """Round numbers between two bounds, about `wanted` of them; `whole` keeps to integers."""
    rough = (high - low) / wanted
    if not rough > 0 or not math.isfinite(rough):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if rough <= power * factor * 1.0001)
    if whole:
        step = max(1.0, math.ceil(step))
    first = math.ceil(low / step - 1e-9)
    return [round(step * number, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]
