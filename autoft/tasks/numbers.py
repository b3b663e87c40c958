"""Regression targets: their scale, what a heavy tail asks for, bins for splits, and metrics."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autoft.errors import DataError
from autoft.records import Metric, Sample

Array = np.ndarray[Any, np.dtype[Any]]

METRICS = (
    Metric(
        name="r2", best=1.0, together=True, summary="share of the variance that is explained; 0 is to predict the mean"
    ),
    Metric(
        name="rmse",
        mode="min",
        best=0.0,
        together=True,
        summary="root of the mean squared error, in the target's units",
    ),
    Metric(name="mae", mode="min", best=0.0, together=True, summary="mean absolute error, in the target's units"),
    Metric(name="spearman", best=1.0, summary="correlation of the ranks"),
)
SKEWED = 1.0
"""Skewness from which a right tail counts as heavy."""
FEW = 0.02
"""Share of the values that may be told to be far from all others."""
RULING = 0.5
"""Share of the variance from which on so few values rule it."""
BEYOND = 3.5
"""How far from the middle they lie at least, in lengths of the range that holds half of all values."""
BINS, FEWEST = 10, 20
"""Bins at most, and samples that each should have."""


class Scale(NamedTuple):
    """How targets become numbers of mean 0 and deviation 1."""

    mean: float
    deviation: float
    log: bool = False
    """log1p is taken first."""
    high: float = math.inf
    """Largest scaled value that a prediction may have: beyond it an exponential says nothing."""

    def apply(self, values: Array) -> Array:
        """float32, scaled."""
        bent = np.log1p(values) if self.log else values
        return ((bent - self.mean) / self.deviation).astype(np.float32)

    def undo(self, scaled: Array) -> Array:
        """float64, in the target's units: what `apply` was given. Not cut at `high`: a truth may lie far beyond all
        that was trained on, and a score must feel it."""
        bent = np.asarray(scaled, np.float64) * self.deviation + self.mean
        return np.asarray(np.expm1(bent) if self.log else bent)

    def predicted(self, scaled: Array) -> Array:
        """The same of what a network says, cut at `high`."""
        return self.undo(np.minimum(np.asarray(scaled, np.float64), self.high))


def value(sample: Sample) -> float:
    """The target of a sample.

    Raises:
        DataError: it is no finite number.
    """
    found = sample.fields.get("value")
    try:
        number = float(found) if found is not None else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise DataError(
            f"every sample needs a number, but '{sample.id}' has {'none' if found is None else repr(found)}.",
            "Name the column of numbers with --target.",
        )
    return number


def scale(values: Array, log: bool = False) -> Scale:
    """Mean and deviation, independent of the order of the values."""
    bent = np.sort(np.log1p(values) if log else values)
    mean, deviation = float(bent.mean()), float(bent.std())
    high = float((bent[-1] - mean) / deviation) + 1.0 if log else math.inf
    return Scale(mean, deviation, log, high)


def heavy_tailed(values: Array) -> bool:
    """Whether the values are not negative and have a right tail that log1p shortens."""
    ordered = np.sort(values)
    if ordered[0] < 0 or _skewness(ordered) < SKEWED:
        return False
    return abs(_skewness(np.log1p(ordered))) < _skewness(ordered)


def ruling(values: Array) -> tuple[list[int], float]:
    """Where the fewest values lie that make most of the variance though they are few and far from all others, the
    furthest first, and which share of it they make; nothing where there are none such.

    What r2 and rmse count is then how well these are told.
    """
    low, middle, high = np.percentile(values, (25, 50, 75))
    squares = (values - middle) ** 2
    order = np.argsort(-squares, kind="stable")
    far = np.abs(values - middle) > BEYOND * (high - low)
    for count in range(1, int(FEW * len(values)) + 1):
        share = float(squares[order[:count]].sum() / squares.sum())
        if not far[order[count - 1]] or high == low:
            break
        if share >= RULING:
            every = [int(place) for place in order[: int(FEW * len(values))] if far[place]]
            return every, float(squares[every].sum() / squares.sum())
    return [], 0.0


def _skewness(values: Array) -> float:
    far = values - values.mean()
    spread = float(np.mean(far**2))
    return float(np.mean(far**3)) / spread**1.5 if spread else 0.0


def bins(values: Sequence[float]) -> list[str]:
    """A word for each value: the quantile bin that it is in. Equal values share one."""
    wanted = max(len(values) / BINS, FEWEST)
    place: dict[float, int] = {}
    number = held = 0
    for known, times in sorted(Counter(values).items()):
        place[known] = number
        held += times
        if held >= wanted:
            number, held = number + 1, 0
    if held and held < wanted / 2 and number:  # what is left over is too small for a bin of its own
        place = {known: min(one, number - 1) for known, one in place.items()}
    ends: dict[int, list[float]] = {}
    for known, one in place.items():
        ends.setdefault(one, []).append(known)
    return [f"{ends[place[v]][0]:g} to {ends[place[v]][-1]:g}" for v in values]


def compute(name: str, predicted: Array, truth: Array) -> float:
    """One metric of numbers (n,); NaN where it does not apply: no rows, or for r2 and spearman no variation."""
    if not len(truth):
        return math.nan
    far = predicted - truth
    if name == "rmse":
        return float(np.sqrt(np.mean(far**2)))
    if name == "mae":
        return float(np.mean(np.abs(far)))
    spread = float(np.sum((truth - truth.mean()) ** 2))
    if not spread:
        return math.nan
    if name == "r2":
        return 1.0 - float(np.sum(far**2)) / spread
    if np.ptp(predicted) == 0:
        return math.nan
    from scipy.stats import spearmanr

    return float(spearmanr(predicted, truth).statistic)
