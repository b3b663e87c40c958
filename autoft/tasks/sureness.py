"""How sure a model is of the right classes: less a matter of chance on few samples than how many it gets right.

The mean probability of the right class, once probabilities are neither too bold nor too shy: their logarithms are
divided by the temperature at which these samples surprise least (Guo et al., 2017), of a grid of half octaves.
Else a network that was trained longer, or under label smoothing, would seem surer, or less sure, than it is right.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SHARPNESS: Final = 2.0 ** (np.arange(-12, 13) / 2)
"""One over the temperatures that may be. Heads that are held back much say little more than 1 / classes; those that are
hardly held back say 0 and 1, and must not pass for sure of what they get right."""
LEAST: Final = 1e-7
"""Probability below which all are alike."""


def sureness(probability: Array, truth: Array) -> Array:
    """Probability of the right class of each sample (n,), float64, for probabilities (n, classes) and true class
    indices (n,). The temperature is set by all of these samples."""
    logits = np.log(np.clip(probability.astype(np.float64), LEAST, None))
    right = np.arange(len(truth)), truth

    @cache
    def tried(step: int) -> Array:
        return _log_chances(SHARPNESS[step] * logits)[right]

    low, high = 0, len(SHARPNESS) - 1
    while low < high:  # the mean is concave in sharpness
        middle = (low + high) // 2
        better = tried(middle).mean() >= tried(middle + 1).mean()
        low, high = (low, middle) if better else (middle + 1, high)
    found: Array = np.exp(tried(low))
    return found


def _log_chances(logits: Array) -> Array:
    logits = logits - logits.max(1, keepdims=True)
    found: Array = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return found
