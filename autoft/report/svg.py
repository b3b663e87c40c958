"""The few chart parts that the report needs, as inline SVG. Colours come from the page's CSS classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 500, 260
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 10, 42

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
        self.y = Scale(*spread(ys), HEIGHT - BOTTOM, TOP)
        for tick in ticks(self.y.low, self.y.high):
            at = self.y(tick)
            self.parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
            self.text(LEFT - 8, at + 4, y_text(tick), "end")
        for tick in ticks(self.x.low, self.x.high, 6, whole=whole):
            self.text(self.x(tick), HEIGHT - BOTTOM + 18, f"{tick:g}", "middle")
        self.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_name, "middle")
        self.title = f"{y_name} over {x_name}"

    def text(self, x: float, y: float, words: str, anchor: str, kind: str = "tick") -> None:
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>')

    def line(self, points: Sequence[Point], kind: str, tip: str = "") -> None:
        """A line through the points; a single point becomes a dot."""
        if len(points) == 1:
            self.dot(points[0], f"{kind} lone", tip)
            return
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self.parts.append(f'<polyline class="{kind}" points="{path}">{_tip(tip)}</polyline>')

    def dot(self, point: Point, kind: str, tip: str, radius: float = 4) -> None:
        at = f'cx="{self.x(point[0]):.1f}" cy="{self.y(point[1]):.1f}"'
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
