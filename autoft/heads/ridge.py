"""Ridge regression for any strength from one decomposition, its leave-one-out scores, and their scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft.heads.decompose import Decomposition
from autoft.heads.encode import Targets, log_softmax, sigmoid

Array = np.ndarray[Any, np.dtype[Any]]

SMALL = {"float32": 1e-6, "float64": 1e-10}
"""The least part of a row's error that its own weight in the solution leaves: less is rounding."""
STEPS = 30
LIMITS = (1e-3, 1e4)
"""Of the factor on the scores."""


class Ridge:
    """All ridge solutions of the same features and targets."""

    def __init__(self, parts: Decomposition, targets: Targets) -> None:
        self.parts, self.targets = parts, targets
        self.mean = np.average(targets.values, axis=0, weights=targets.weights)
        self.along = parts.correlate(targets.values - self.mean)

    def solve(self, strength: float) -> tuple[Array, Array]:
        """Weights (size, d) and bias (size,) for raw features."""
        coefficients = self.along / (self.parts.variances + strength)[:, None]
        if self.targets.loss == "mse":
            return self.parts.unfold(coefficients, self.mean)
        factor, offset = self._scale(strength)
        return self.parts.unfold(coefficients * factor, self.mean * factor + offset)

    def leave_one_out(self, strength: float) -> Array:
        """Raw outputs (n, size) of each row from the solution of all other rows.

        Exact but for the scales of the features and of the scores, which all rows share.
        """
        scores = self._left_out(strength)
        if self.targets.loss == "mse":
            return scores
        factor, offset = self._scale(strength)
        return scores * factor + offset

    def _left_out(self, strength: float, mean: bool = True) -> Array:
        """Scores of each row, left out; without `mean` it still counts in the bias."""
        rows, shrunk = self.parts.exact, 1 / (self.parts.variances + strength)
        values, weights, n = self.targets.values, self.targets.weights, self.parts.n
        fitted = rows @ (self.along * shrunk[:, None]).astype(rows.dtype) + self.mean
        leverage = weights / n * (float(mean) + np.square(rows) @ shrunk.astype(rows.dtype))
        left: Array = values - (values - fitted) / np.maximum(1 - leverage, SMALL[rows.dtype.name])[:, None]
        return left

    def _scale(self, strength: float) -> tuple[Array, Array]:
        """Factor and offset that make probabilities of scores: (1,) and (1,), or (size,) each.

        Each row counts in the bias here: without it, its class is a little rarer, and where the penalty leaves little
        else, the scores would point away from every row's class.
        """
        scores = self._left_out(strength, mean=False)
        if self.targets.loss == "cross_entropy":
            return temperature(scores, self.targets.values, self.targets.weights), np.zeros(1)
        return platt(scores, self.targets.values)


def temperature(scores: Array, values: Array, weights: Array) -> Array:
    """(1,): the factor on scores (n, size) with the smallest cross-entropy, by Newton's method on its logarithm."""
    found = 1.0
    for _ in range(STEPS):
        raw = found * scores
        chances = np.exp(log_softmax(raw))
        mean = (chances * raw).sum(1)
        slope = np.average(values.sum(1) * mean - (values * raw).sum(1), weights=weights)
        bend = np.average((chances * raw**2).sum(1) - mean**2, weights=weights) + abs(slope)
        step = float(np.clip(slope / max(bend, 1e-12), -1, 1))
        found = float(np.clip(found * np.exp(-step), *LIMITS))
        if abs(step) < 1e-4:
            break
    return np.array([found])


def platt(scores: Array, values: Array) -> tuple[Array, Array]:
    """Factor and offset per channel (size,) with the smallest binary cross-entropy, by Newton's method.

    Targets are drawn towards one half as in Platt (1999), so that separable rows have an answer.
    """
    positive = values.sum(0)
    high, low = (positive + 1) / (positive + 2), 1 / (len(values) - positive + 2)
    wanted = values * high + (1 - values) * low
    factor, offset = np.ones(scores.shape[1]), np.zeros(scores.shape[1])
    for _ in range(STEPS):
        chances = sigmoid(scores * factor + offset)
        off, bend = chances - wanted, chances * (1 - chances)
        first, second = (off * scores).mean(0), off.mean(0)
        a, b, c = (bend * scores**2).mean(0) + 1e-9, (bend * scores).mean(0), bend.mean(0) + 1e-9
        determinant = np.maximum(a * c - b * b, 1e-12)
        steps = (c * first - b * second) / determinant, (a * second - b * first) / determinant
        size = np.maximum(1, np.maximum(*np.abs(steps)) / 4)
        factor, offset = np.clip(factor - steps[0] / size, *LIMITS), offset - steps[1] / size
        if max(np.abs(steps[0]).max(), np.abs(steps[1]).max()) < 1e-4:
            break
    return factor, offset
