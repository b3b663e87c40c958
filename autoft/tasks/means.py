"""From what a model of numbers says to the mean that may be expected: what R2 and RMSE ask for.

A model of logarithms says the median. Of a heavy tail the mean lies far above it, so a model that knows nothing is
worse than the mean of the data (R2 -.10 on prices of houses). And a model that explains little on few rows spreads its
guesses too far. Both are mended by a line: its slope is at most 1, and where logarithms were learned it lifts the
guesses to the level of the truth (as Duan's smearing does, 1983, by a factor). It is found on validation, and drawn
towards none where validation is small (docs/adr/0067-few-rows.md).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

PRIOR = 20
"""Validation rows that no line at all counts as much as."""


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
    trust, level = count / (count + PRIOR), float(said.mean())
    spread = said - level
    total = float(np.sum(spread**2))
    slope = float(np.clip(np.sum(spread * truth) / total, 0, 1)) if total else 1.0
    slope = 1 + trust * (slope - 1)
    if not log:
        return Line(slope, level - slope * level)
    middle = level + trust * (float(truth.mean()) - level)
    offset = middle - slope * level
    return Line(slope, offset) if offset >= 0 or level <= 0 else Line(middle / level, 0.0)  # no less than 0, as before
