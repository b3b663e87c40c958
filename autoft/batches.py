"""In which batches samples are predicted: texts of like lengths come together, so that less is padded. Numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

WINDOW = 4
"""Batches among which texts are sorted by length. More would let time run out unasked."""


def windows(count: int, size: int, lengths: Array | None) -> list[list[Array]]:
    """Batches for predictions, by groups of neighbours: what is told of a group's samples is told in their order.

    Args:
        lengths: of the samples; within a group of `WINDOW` batches the short ones come first. Without them each
            group is one batch.
    """
    if lengths is None:
        return [[batch] for batch in _cut(np.arange(count), size)]
    groups = (lengths[group].argsort(kind="stable") + group[0] for group in _cut(np.arange(count), WINDOW * size))
    return [_cut(group, size) for group in groups]


def _cut(order: Array, size: int) -> list[Array]:
    return [order[first : first + size] for first in range(0, len(order), size)]


def in_order(parts: Sequence[Array], group: Sequence[Array]) -> Array:
    """What was computed for each batch of a group, or of several, in the order of the samples."""
    order, found = np.concatenate(group), parts[0] if len(parts) == 1 else np.concatenate(parts)
    return found if (order[1:] > order[:-1]).all() else found[order.argsort()]
