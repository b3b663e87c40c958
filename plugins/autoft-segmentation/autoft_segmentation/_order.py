"""Which shape lies on top, where a file does not say it."""

from __future__ import annotations

from collections.abc import Sequence

from autoft.api import Shape


def layered(shapes: Sequence[Shape]) -> tuple[Shape, ...]:
    """What is left out of learning at the bottom, then the largest first: what lies on something else is smaller as a
    rule, and would vanish below it."""
    return tuple(sorted(shapes, key=lambda shape: (shape.name != "", -_area(shape))))


def _area(shape: Shape) -> float:
    """Pixels, with parts that overlap counted twice."""
    return sum(map(_within, shape.polygons)) - sum(map(_within, shape.holes)) + sum(shape.runs[1::2])


def _within(ring: tuple[float, ...]) -> float:
    across, down = ring[::2], ring[1::2]
    pairs = zip(across, down, across[1:] + across[:1], down[1:] + down[:1], strict=True)
    return abs(sum(x * next_y - next_x * y for x, y, next_x, next_y in pairs)) / 2
