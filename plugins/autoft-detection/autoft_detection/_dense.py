"""Boxes as dense maps, on which any backbone can be trained, and back.

The form is that of CenterNet (Zhou et al., 2019): a map per class that is 1 where the centre of a thing lies, and a
second one that tells the sides of its box. As in TTFNet (Liu et al., 2020) the peaks are as wide and high as their
boxes demand, and the sides are learned in the whole middle part of a box, which needs fewer epochs than the one cell of
the centre. As in FCOS (Tian et al., 2019) the sides are distances to the left, top, right and bottom.

Boxes are rows x1, y1, x2, y2 in fractions of the image's sides and a class code: the class's index, `ignored(index)`
for one that is not to be learned nor scored, -1 in rows that hold no box.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autoft.api import Problem
from autoft.vocab import UNTAUGHT
from autoft_detection import _geometry

Array = np.ndarray[Any, np.dtype[Any]]

MIDDLE = 0.54
"""Share of a box's sides in which its peak lies and its sides are learned (TTFNet's alpha)."""
NEAR = 0.15
"""Height of the peak from which on sides are learned."""
SIGMAS = 6.0
"""Standard deviations of a peak that fit into that share."""
UNIT = 16
"""Sides are learned as logarithms of fractions of 1/16 of the image: near 0 for things of usual size."""
FLOOR = 0.01
"""Scores below it are no boxes."""
REACH = 2
"""Cells around a peak that have a say in its box, on each side, as they have learned the same one."""
SAY = 0.5
"""What such a cell must have at least: this share of the peak's height, and this overlap with its box."""


def ignored(classes: Any) -> Any:
    """The code of boxes that are not to be learned nor scored, of these classes; its own inverse."""
    return UNTAUGHT - classes


def encode(targets: Mapping[str, Array], height: int, width: int, problem: Problem) -> dict[str, Array]:
    """Maps for a batch of boxes; NaN where nothing is to be learned.

    Args:
        targets: `boxes` float32 (n, m, 5).
        height, width: of the maps.

    Returns:
        `heat` float32 (n, height, width, classes), 1 at centres, falling towards 0 around them, and `sides`
        float32 (n, height, width, 4), logarithms of the distances from the middle of the cell.
    """
    boxes = np.asarray(targets["boxes"], np.float64)
    size = next(output.size for output in problem.outputs if output.target == "heat")
    heat = np.zeros((len(boxes), height, width, size), np.float32)
    sides = np.full((len(boxes), height, width, 4), np.nan, np.float32)
    for row, rows in enumerate(boxes):
        real = rows[(rows[:, 2] > rows[:, 0]) & (rows[:, 3] > rows[:, 1])]
        _blank(heat[row], real[real[:, 4] < 0])
        # Large ones first: a small box before a large one keeps its cells.
        learned = real[real[:, 4] >= 0]
        for box in learned[np.argsort(-np.prod(learned[:, 2:4] - learned[:, :2], axis=1), kind="stable")]:
            _paint(heat[row], sides[row], box)
    return {"heat": heat, "sides": sides}


def _blank(heat: Array, boxes: Array) -> None:
    """Nothing is learned inside crowds and difficult boxes: neither that something is there nor that nothing is."""
    height, width, _ = heat.shape
    for x1, y1, x2, y2, _ in boxes:
        rows = slice(int(np.floor(y1 * height)), int(np.ceil(y2 * height)))
        heat[rows, int(np.floor(x1 * width)) : int(np.ceil(x2 * width))] = np.nan


def _paint(heat: Array, sides: Array, box: Array) -> None:
    """One box into both maps."""
    height, width, _ = heat.shape
    scale = np.array([width, height])
    low, high = box[:2], box[2:4]
    centre = np.minimum((low + high) / 2 * scale, scale - 1e-3)
    cell = np.maximum(np.floor(centre), 0).astype(int)
    reach = (high - low) * scale * MIDDLE / 2
    first = np.maximum(np.floor(cell - reach + 0.5), 0).astype(int)
    last = np.minimum(np.floor(cell + reach + 0.5), scale - 1).astype(int)
    across, down = np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1)
    sigma = np.maximum(reach * 2 / SIGMAS, 1e-3)
    peak = (
        np.exp(-(((across - cell[0]) / sigma[0]) ** 2) / 2)[None]
        * np.exp(-(((down - cell[1]) / sigma[1]) ** 2) / 2)[:, None]
    )
    here = (slice(first[1], last[1] + 1), slice(first[0], last[0] + 1))
    channel = heat[(*here, int(box[4]))]
    np.fmax(channel, peak, out=channel)
    x, y = np.meshgrid((across + 0.5) / width, (down + 0.5) / height)
    distances = np.stack([x - low[0], y - low[1], high[0] - x, high[1] - y], axis=-1)
    near = peak >= NEAR
    sides[here][near] = np.log(np.maximum(distances[near], 0.25 / scale.max()) * UNIT)


def decode(heat: Array, sides: Array, most: int = 200) -> Array:
    """Boxes float32 (n, most, 6), best first: x1, y1, x2, y2 in fractions, score, class index; -1 in empty rows."""
    found = np.full((len(heat), most, 6), -1, np.float32)
    for row in range(len(heat)):
        boxes = _peaks(np.asarray(heat[row], np.float32), np.asarray(sides[row], np.float32), most)
        found[row, : len(boxes)] = boxes
    return found


def _peaks(heat: Array, sides: Array, most: int) -> Array:
    """Boxes (k, 6) at the cells that are not smaller than any of their eight neighbours in their class: at most `most`,
    best first."""
    padded = np.pad(heat, ((1, 1), (1, 1), (0, 0)), constant_values=-1.0)
    across = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    highest = np.maximum(np.maximum(across[:-2], across[1:-1]), across[2:])
    y, x, kind = np.nonzero((heat >= highest) & (heat >= FLOOR))
    scores = heat[y, x, kind]
    best = np.argsort(-scores, kind="stable")[:most]
    y, x, kind, scores = y[best], x[best], kind[best], scores[best]
    boxes = _voted(heat, sides, y, x, kind)
    return np.concatenate([np.clip(boxes, 0, 1), scores[:, None], kind[:, None]], axis=1)


def _voted(heat: Array, sides: Array, y: Array, x: Array, kind: Array) -> Array:
    """Boxes (k, 4) of peaks: means over the cells around them that mean the same box, weighted by their height in the
    peak's class (voting of boxes, Gidaris & Komodakis, 2015)."""
    height, width, _ = heat.shape
    own, peak = _box(sides, y, x), heat[y, x, kind]
    total, votes = np.zeros_like(own), np.zeros(len(y))
    for down, across in np.ndindex(2 * REACH + 1, 2 * REACH + 1):
        row, column = y + down - REACH, x + across - REACH
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
        there, say = _box(sides, row, column), heat[row, column, kind]
        same = inside & (say >= SAY * peak) & (_geometry.overlaps(own, there) >= SAY)
        say = np.where(same, say, 0.0)
        total += say[:, None] * there
        votes += say
    return total / votes[:, None]


def _box(sides: Array, y: Array, x: Array) -> Array:
    """What cells say of their boxes (k, 4), in fractions, not clipped."""
    height, width, _ = sides.shape
    middle = np.stack([(x + 0.5) / width, (y + 0.5) / height], axis=1)
    distances = np.exp(np.clip(sides[y, x], -20, 10)) / UNIT
    return np.concatenate([middle - distances[:, :2], middle + distances[:, 2:]], axis=1)
