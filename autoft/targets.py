"""Targets as losses take them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft.vocab import IGNORED

Array = np.ndarray[Any, np.dtype[Any]]


def target_at(key: str, values: Array, side: int) -> Array:
    """The target `key` of a batch. Masks come at the side that the network sees, int64, -1 where there is no class;
    others as they are."""
    if key != "mask" or values.dtype.name not in IGNORED:
        return values
    signed = np.where(values == IGNORED[values.dtype.name], -1, values.astype(np.int64))
    if values.shape[1] == side:
        return signed
    near = ((np.arange(side) + 0.5) * values.shape[1] / side).astype(np.int64)
    return signed[:, near[:, None], near[None]]
