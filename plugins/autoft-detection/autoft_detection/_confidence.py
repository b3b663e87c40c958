"""The score from which on boxes are shown, found on validation: where precision and recall are best together."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft_detection._geometry import overlap

Array = np.ndarray[Any, np.dtype[Any]]

DEFAULT = 0.3
"""Where nothing better is known."""
LOWEST, HIGHEST = 0.05, 0.9
"""A threshold beyond them would come from a handful of boxes."""
MATCH = 0.5
"""Overlap from which on a box counts as found."""


def best(boxes: Array, truth: Array) -> float:
    """The threshold of the highest F1 over all boxes of all images.

    Args:
        boxes: (n, k, 6), best first, -1 in empty rows.
        truth: (n, m, 5), with class codes; those that are not scored neither help nor harm.
    """
    pairs = [_judged(found, real) for found, real in zip(boxes, truth, strict=True)]
    scores = np.concatenate([scores for scores, _ in pairs]) if pairs else np.zeros(0)
    wanted = int((truth[..., 4] >= 0).sum())
    if not len(scores) or not wanted:
        return DEFAULT
    right = np.concatenate([hits for _, hits in pairs])
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    harmonic = 2 * hits / (np.arange(1, len(order) + 1) + wanted)
    if not hits[-1]:
        return DEFAULT
    return round(float(np.clip(scores[order][np.argmax(harmonic)], LOWEST, HIGHEST)), 4)


def _judged(boxes: Array, truth: Array) -> tuple[Array, Array]:
    """Scores of the boxes that count, and whether each is right: each true box is found once, by the best."""
    boxes = boxes[boxes[:, 5] >= 0]
    near = overlap(boxes[:, :4], truth[:, :4])
    same = boxes[:, 5][:, None] == truth[:, 4][None]
    free = truth[:, 4] >= 0
    spared = (near * ((truth[:, 4] < -1) & (truth[:, 2] > truth[:, 0]))[None]).max(1, initial=0.0) >= MATCH
    right = np.zeros(len(boxes), bool)
    for row in range(len(boxes)):
        fits = np.where(free & same[row], near[row], 0.0)
        if fits.max(initial=0.0) >= MATCH:
            free[fits.argmax()] = False
            right[row] = True
    counted = right | ~spared
    return boxes[counted, 4], right[counted]
