"""Signs of a few bent strokes, like letters of no script, as masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STROKES = 4
PIECES = 6


def draw(count: int, rng: np.random.Generator) -> Floats:
    """Control points of quadratic curves (n, STROKES, 3, 2) in [-1, 1]; unused strokes repeat the first."""
    points = rng.uniform(-0.85, 0.85, (count, STROKES, 3, 2))
    joined = rng.random((count, STROKES - 1)) < 0.6
    ends = points[:, :-1, 2]
    points[:, 1:, 0] = np.where(joined[..., None], ends, points[:, 1:, 0])
    straight = rng.random((count, STROKES, 1)) < 0.4
    points[:, :, 1] = np.where(straight, (points[:, :, 0] + points[:, :, 2]) / 2, points[:, :, 1])
    used = rng.integers(1, STROKES + 1, count)
    idle = np.arange(STROKES)[None] >= used[:, None]
    points[idle] = np.repeat(points[:, :1], STROKES, 1)[idle]
    return points


def vary(points: Floats, rng: np.random.Generator) -> Floats:
    """Siblings of the same category: the hand shakes. Joints stay nearly joined."""
    other: Floats = points + rng.normal(0, 0.05, points.shape)
    return other


def render(points: Floats, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Masks (n, side, side), each with its own width of line."""
    axis = (np.arange(side) + 0.5) / side * 2 - 1
    pixels = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 1, 2)
    widths = rng.uniform(0.05, 0.16, len(points))
    return np.stack([_one(p, w, pixels, side) for p, w in zip(points, widths, strict=True)])


def _one(points: Floats, width: float, pixels: Floats, side: int) -> NDArray[np.uint8]:
    t = np.linspace(0, 1, PIECES + 1)[:, None]
    a, b, c = (points[:, k, None] for k in range(3))
    curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
    start, way = curve[:, :-1].reshape(-1, 2), np.diff(curve, axis=1).reshape(-1, 2)
    along = ((pixels - start) * way).sum(-1) / np.maximum((way**2).sum(-1), 1e-6)
    nearest = start + np.clip(along, 0, 1)[..., None] * way
    distance = np.sqrt(((pixels - nearest) ** 2).sum(-1)).min(1)
    inside = np.clip((width - distance) * side / 2 + 0.5, 0, 1)
    return np.asarray(inside * 255, np.uint8).reshape(side, side)
