"""The batches of an epoch of training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autoft.api import by_length

Array = np.ndarray[Any, np.dtype[Any]]


def shuffled(count: int, size: int, rng: np.random.Generator, lengths: Array | None = None) -> list[Array]:
    """Batches of nearly equal size, at most `size`, so that no small remainder upsets batch statistics. With the
    samples' `lengths` those of about the same length come together (`by_length`), and the batches in any order."""
    order = rng.permutation(count)
    if lengths is None:
        return _split(order, size)
    batches = _split(by_length(order, size, lengths, rng), size)
    return [batches[place] for place in rng.permutation(len(batches))]


def _split(order: Array, size: int) -> list[Array]:
    return list(np.array_split(order, math.ceil(len(order) / size))) if len(order) else []
