"""Which pixels a polygon covers: those whose middles lie inside, as COCO has it. Pixel 0 reaches from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from autoft.contracts import Array


class Covered(NamedTuple):
    """Part of a picture."""

    left: int
    top: int
    inside: Array
    """bool (height, width)."""

    def fill(self, canvas: Array, value: int) -> None:
        """Write `value` where it is inside."""
        height, width = self.inside.shape
        canvas[self.top : self.top + height, self.left : self.left + width][self.inside] = value


def cover(ring: Sequence[float], size: tuple[int, int]) -> Covered:
    """The pixels of a picture of this size (width, height) that a ring x1, y1, x2, y2, ... covers. Where it crosses
    itself, a place that it goes around twice is outside.

    One that is so thin that it covers the middle of no pixel has those on its border: a thing that somebody drew is not
    lost.
    """
    points = np.array(ring, np.float64).reshape(-1, 2)
    width, height = size
    ends = np.stack([np.floor(points.min(0)), np.ceil(points.max(0))])
    (left, top), (right, bottom) = np.clip(ends, 0, size).astype(int).tolist()
    inside = _parity(points, left, top, right - left, bottom - top)
    if inside.any():
        return Covered(int(left), int(top), inside)
    left, top = max(0, left - 1), max(0, top - 1)
    return _outline(points, left, top, min(width, right + 1) - left, min(height, bottom + 1) - top)


def _parity(points: Array, left: int, top: int, width: int, height: int) -> Array:
    """Whether the line from the left to the middle of each pixel crosses the ring an odd number of times."""
    ends = np.roll(points, -1, 0)
    upper, lower = (np.where((points[:, 1] <= ends[:, 1])[:, None], *pair) for pair in ((points, ends), (ends, points)))
    # Rows whose middles lie on an edge, its lower end left out: edges that meet there count once.
    first, last = (np.clip(np.ceil(side[:, 1] - top - 0.5), 0, height).astype(np.int64) for side in (upper, lower))
    counts = last - first
    edge = np.repeat(np.arange(len(points)), counts)
    rows = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    run, rise = (lower - upper)[edge].T
    across = upper[edge, 0] + (rows + top + 0.5 - upper[edge, 1]) * run / rise
    columns = np.clip(np.ceil(across - left - 0.5), 0, width).astype(np.int64)
    crossed = np.zeros((height, width + 1), np.uint8)
    np.bitwise_xor.at(crossed, (rows, columns), 1)
    return np.asarray(np.bitwise_xor.accumulate(crossed, 1)[:, :width].astype(bool))


def _outline(points: Array, left: int, top: int, width: int, height: int) -> Covered:
    canvas = Image.new("1", (width, height))
    ImageDraw.Draw(canvas).polygon((points - (left, top)).ravel().tolist(), fill=1)
    return Covered(left, top, np.array(canvas))
