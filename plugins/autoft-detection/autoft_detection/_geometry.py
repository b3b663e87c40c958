"""Boxes as arrays of corners (n, 4): x1, y1, x2, y2, in whatever unit."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def area(boxes: Array) -> Array:
    """(n,); 0 for a box that is inverted."""
    sides = np.clip(boxes[..., 2:4] - boxes[..., :2], 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def overlap(first: Array, second: Array) -> Array:
    """Intersection over union of each with each: (n, m) for (n, 4) and (m, 4). Two empty boxes have none."""
    return overlaps(first[:, None], second[None])


def overlaps(first: Array, second: Array) -> Array:
    """Intersection over union of each with its partner: (...) for (..., 4) and (..., 4), which may be broadcast."""
    low, high = np.maximum(first[..., :2], second[..., :2]), np.minimum(first[..., 2:4], second[..., 2:4])
    shared = area(np.concatenate([low, high], axis=-1))
    union = area(first) + area(second) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def suppress(boxes: Array, classes: Array, limit: float) -> Array:
    """Greedy non-maximum suppression within each class; `boxes` (n, 4) come best first.

    Returns:
        bool (n,): which boxes stay. One goes if a better one of its class overlaps it by more than `limit`.
    """
    stay = np.ones(len(boxes), bool)
    clash = (overlap(boxes, boxes) > limit) & (classes[:, None] == classes[None])
    for row in range(len(boxes)):
        if stay[row]:
            stay[row + 1 :] &= ~clash[row, row + 1 :]
    return stay
