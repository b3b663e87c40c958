"""From what a model of numbers says to the mean that may be expected: what R2 and RMSE ask for.

A model of logarithms says the median. Of a heavy tail the mean lies far above it, so a model that knows nothing is worse
than the mean of the data (R2 -.10 on prices of houses). Duan's smearing (1983) is one factor for that; here it is
followed by a slope of at most 1 around the mean, since a model that explains little spreads its guesses too far.
Both are found on validation, and drawn towards none where validation is small (docs/adr/0067-few-rows.md).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

PRIOR = 20
"""Rows that none at all counts as."""
MOST = 10.0
"""Factors above this, or below one over it, are taken for a model that says nothing."""


class Line(NamedTuple):
    """Prediction = offset + slope * what the model says."""

    slope: float = 1.0
    offset: float = 0.0

    def apply(self, said: Array) -> Array:
        """float64 (n,)."""
        return np.asarray(self.offset + self.slope * said, np.float64)


NONE = Line()


def line(said: Array, truth: Array, log: bool) -> Line:
    """What these rows tell.

    Args:
        said: (n,), in the target's units.
        truth: (n,), of other rows than those learned from.
        log: whether logarithms were learned.
    """
    count = len(said)
    if not count or not (np.isfinite(said).all() and np.isfinite(truth).all()):
        return NONE
    trust, factor, middle = count / (count + PRIOR), 1.0, float(truth.mean())
    if log and said.mean() > 0 and 1 / MOST <= middle / said.mean() <= MOST:
        factor = 1 + trust * (middle / float(said.mean()) - 1)
    spread = factor * said - factor * said.mean()
    total = float(np.sum(spread**2))
    slope = float(np.clip(np.sum(spread * (truth - middle)) / total, 0, 1)) if total else 1.0
    slope = 1 + trust * (slope - 1)
    level = factor * float(said.mean())
    level += trust * (middle - level)
    return Line(slope * factor, level - slope * factor * float(said.mean()))
