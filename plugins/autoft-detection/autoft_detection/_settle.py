"""From all the boxes that a network gives to those that are kept: doubles are suppressed, and the best are enough.

How much two boxes of a class may overlap is set on validation, as is the confidence (`_confidence`): networks differ in
how they double, and data in how things overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft_detection import _metrics, _most
from autoft_detection._geometry import suppress

Array = np.ndarray[Any, np.dtype[Any]]

NMS = 0.6
"""Where nothing better is known: a box that overlaps a better one of its class by more than this goes."""
LIMITS = (0.4, 0.5, NMS, 0.7)
CLEAR = 0.002
"""Gain in mAP that another limit than `NMS` must bring: below it, chance chooses."""


def settle(boxes: Array, limit: float = NMS, most: int = _most.LEAST) -> Array:
    """At most `most` boxes of each image, float32 (n, most, 6), best first, -1 in empty rows.

    Args:
        boxes: (n, k, 6), best first: x1, y1, x2, y2, score, class index; -1 in empty rows.
    """
    kept = np.full((len(boxes), most, 6), -1, np.float32)
    for row, one in enumerate(boxes):
        real = one[one[:, 5] >= 0]
        real = real[suppress(real[:, :4], real[:, 5], limit)][:most]
        kept[row, : len(real)] = real
    return kept


def best(boxes: Array, truth: Array, classes: int, most: int = _most.LEAST) -> float:
    """The limit with the best mAP; `NMS` where no other is clearly better.

    Args:
        boxes, most: as `settle` takes them.
        truth: (n, m, 5), with class codes.
    """
    found = {limit: _metrics.compute(["map"], settle(boxes, limit, most), truth, classes)["map"] for limit in LIMITS}
    usual = found[NMS]
    if not np.isfinite(usual):
        return NMS
    winner = max(LIMITS, key=lambda limit: (found[limit], -abs(limit - NMS)))
    return winner if found[winner] > usual + CLEAR else NMS
