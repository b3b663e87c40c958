"""What a learner answers where it was asked nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft.records import Output
from autoft.vocab import index_type

Array = np.ndarray[Any, np.dtype[Any]]


def no_answers(output: Output, *, maps: int = 0, indices: int = 0) -> Array:
    """Predictions for no samples, in their shape.

    Args:
        maps: side of dense maps as the network gives them.
        indices: side of those maps that became indices of classes.
    """
    if output.head == "boxes":
        return np.zeros((0, output.most, 6), np.float32)
    side = indices if output.post == "argmax" else maps
    place = {"dense": (side, side), "sequence": (1,)}.get(output.head, ())
    if output.post == "argmax":
        return np.zeros((0, *place), index_type(output.size))
    return np.zeros((0, *place, output.size), np.float32)
