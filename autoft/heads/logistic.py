"""Logistic regression over classes or per channel, along the directions in which the features spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autoft.heads.decompose import Decomposition
from autoft.heads.encode import Targets, log_softmax, sigmoid
from autoft.heads.lbfgs import minimise

Array = np.ndarray[Any, np.dtype[Any]]

TOLERANCE = 3e-6
"""Of the scaled gradient."""
LOOSE = 1e-4
"""The same for solutions by which a strength is judged alone."""


class Logistic:
    """Solutions of the same features and targets; each begins at the nearest one that is known."""

    def __init__(self, parts: Decomposition, targets: Targets) -> None:
        self.parts, self.targets = parts, targets
        self.known: dict[float, Array] = {}
        """Strength -> (1 + r, size): bias, then coefficients along the directions."""
        self._folds: dict[int, Array] = {}
        """The last solution without the rows of each fold."""

    def solve(self, strength: float) -> tuple[Array, Array]:
        """Weights (size, d) and bias (size,) for raw features."""
        if strength not in self.known:
            self.known[strength] = self._fit(strength, slice(None), self._nearest(strength), TOLERANCE)
        found = self.known[strength]
        return self.parts.unfold(found[1:], found[0])

    def left_out(self, strength: float, folds: Sequence[Array]) -> Array:
        """Raw outputs (n, size) of the rows of each fold, from the solution of all other rows.

        Exact but for the scales of the features, which all rows share, and for a looser end of the search. The folds
        must be the same in every call.
        """
        projected, size = self.parts.projected, self.targets.values.shape[1]
        raw = np.zeros((self.parts.n, size), np.float32)
        for fold, out in enumerate(folds):
            inside = np.setdiff1d(np.arange(self.parts.n), out)
            found = self._fit(strength, inside, self._folds.get(fold, self._nothing()), LOOSE)
            self._folds[fold] = found
            raw[out] = projected[out] @ found[1:].astype(np.float32) + found[0]
        return raw

    def _fit(self, strength: float, rows: Array | slice, start: Array, tolerance: float) -> Array:
        """The solution of these rows."""
        size = self.targets.values.shape[1]
        projected, wanted = self.parts.projected[rows], self.targets.values[rows]
        weights = self.targets.weights[rows]
        # The curvature where all outcomes are equally likely; in units of it, all directions are alike to the solver.
        spread = 1 / size if self.targets.loss == "cross_entropy" else 1 / 4
        pace = 1 / np.sqrt(np.append(spread, spread * self.parts.variances + strength))[:, None]
        penalty = strength * np.append(0.0, np.ones(len(self.parts.variances)))[:, None]

        def function(scaled: Array) -> tuple[float, Array]:
            values = scaled * pace
            loss, pull = self._loss(values, projected, wanted, weights)
            return loss + float((penalty * values**2).sum()) / 2, (pull + penalty * values) * pace

        found: Array = minimise(function, start / pace, tolerance) * pace
        return found

    def _loss(self, values: Array, projected: Array, wanted: Array, weights: Array) -> tuple[float, Array]:
        """Mean loss and its gradient, both without the penalty; the large products in single precision."""
        raw = (projected @ values[1:].astype(np.float32)).astype(np.float64) + values[0]
        share = weights[:, None] / len(weights)
        if self.targets.loss == "cross_entropy":
            logs = log_softmax(raw)
            loss = -float((share * wanted * logs).sum())
            pull = share * (np.exp(logs) * wanted.sum(1, keepdims=True) - wanted)
        else:
            loss = float((share * (np.logaddexp(0, raw) - raw * wanted)).sum())
            pull = share * (sigmoid(raw) - wanted)
        back = projected.T @ pull.astype(np.float32)
        return loss, np.concatenate([pull.sum(0)[None], back])

    def _nearest(self, strength: float) -> Array:
        if not self.known:
            return self._nothing()

        def distance(other: float) -> float:
            return abs(math.log(max(other, 1e-12)) - math.log(max(strength, 1e-12)))

        return self.known[min(self.known, key=distance)]

    def _nothing(self) -> Array:
        return np.zeros((1 + len(self.parts.variances), self.targets.values.shape[1]))
