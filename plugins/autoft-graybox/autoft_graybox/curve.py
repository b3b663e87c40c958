"""`Curve`: what is known of one configuration so far, and how scores of any metric are brought to [0, 1]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

ROOM = 0.05
"""Share of the unit interval kept free above the best score of a metric without known bounds."""


class Curve(NamedTuple):
    """One configuration's epochs so far."""

    scores: Sequence[float]
    """Validation score of each epoch; a failed epoch is NaN."""
    seconds: Sequence[float] = ()
    """Duration of each epoch. May be empty: then epochs count as equally long."""
    planned: int = 0
    """Epochs that this configuration can have at all, where it is fewer than the search allows; 0: as many."""
    ended: bool = False
    """It failed or came to its end: it gets no further epochs."""


def to_unit(scores: Iterable[Array], mode: str) -> list[Array]:
    """Each curve's scores in [0, 1], more is better; all finite scores of a search are looked at together.

    A score to maximise that lies in [0, 1] stays as it is. A loss (to minimise, never negative) becomes exp(-loss),
    which for cross-entropy is the mean probability of the truth. Anything else is stretched over the interval
    between the worst and the best score seen. NaN becomes 0.
    """
    curves = [np.asarray(values, np.float64) for values in scores]
    seen = np.concatenate([np.empty(0), *(values[np.isfinite(values)] for values in curves)])
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
    if mode == "min" and low >= 0:
        scaled = [np.exp(-values) for values in curves]
    elif mode == "max" and low >= 0 and high <= 1:
        scaled = curves
    else:
        width = max(high - low, 1e-12)
        signed = [(values - low if mode == "max" else high - values) / width for values in curves]
        scaled = [values * (1 - ROOM) for values in signed]
    return [np.where(np.isfinite(values), values, 0.0) for values in scaled]
