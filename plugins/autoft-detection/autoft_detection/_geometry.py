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
    first, second = _abreast(boxes)
    same = classes[first] == classes[second]
    first, second = first[same], second[same]
    clash = overlaps(boxes[first], boxes[second]) > limit
    better, worse = np.minimum(first, second)[clash], np.maximum(first, second)[clash]
    for one, other in zip(*(side[np.lexsort((worse, better))].tolist() for side in (better, worse)), strict=True):
        if stay[one]:
            stay[other] = False
    return stay


def _abreast(boxes: Array) -> tuple[Array, Array]:
    """Each pair of boxes that have a column in common, as two arrays of rows: of thousands of small boxes, a few in a
    hundred of all pairs."""
    order = np.argsort(boxes[:, 0], kind="stable")
    place = np.arange(len(order))
    counts = np.maximum(np.searchsorted(boxes[order, 0], boxes[order, 2]) - place - 1, 0)
    first = np.repeat(place, counts)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[first], order[second]
