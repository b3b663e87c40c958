"""A gray-box strategy that knows nothing of past runs, as a baseline of `benchmarks/curves.py`.

After DyHPO (Wistuba et al., NeurIPS 2022): a Gaussian process over the configuration, the epoch and the curve so far
says what each configuration would score after one more epoch, and the one with the largest expected improvement over
the best known score at that epoch gets it. DyHPO learns its kernel with a network; here it is a product of squared
exponentials whose length scales are chosen from a grid by the marginal likelihood, which needs no framework.
"""

from __future__ import annotations

import itertools
import math
from typing import Final

import numpy as np

from autoft_graybox.curve import Array
from benchmarks.curve_strategies import MOST, Draw, Trace, asynchronous

LATEST: Final = 1
"""Observations of each configuration that the process keeps beside the first one; more were slower and no better."""
REFIT: Final = 50
"""Decisions after which the length scales are chosen anew."""
SCALES: Final = tuple(itertools.product((0.5, 1.0, 2.0), (0.25, 0.5, 1.0), (0.03, 0.1)))
"""Of the configuration and of the curve so far, in standard deviations; noise, as a part of the variance."""


class _Process:
    """Everything known of one draw, as rows of a Gaussian process."""

    def __init__(self, draw: Draw) -> None:
        encoded = draw.table.encoded[draw.chosen]
        names = np.array(draw.table.models)[draw.chosen]
        hot = (names[:, None] == np.unique(names)[None]).astype(float)
        whole = np.concatenate([encoded, hot], 1)
        spread = whole.std(0)
        whole = ((whole - whole.mean(0)) / np.where(spread > 0, spread, 1.0))[:, spread > 0]
        self.configurations = whole / math.sqrt(whole.shape[1])
        self.scores = draw.table.scores[draw.chosen]
        self.used = np.zeros(len(draw.chosen), int)
        self.scales = SCALES[len(SCALES) // 2]
        self.decisions = 0

    def best(self, free: Array) -> int:
        """The configuration with the largest expected improvement in its next epoch."""
        places = np.repeat(np.arange(len(self.used)), self.used)
        epochs = np.concatenate([np.arange(n) for n in self.used])
        latest = (epochs == 0) | (epochs >= self.used[places] - LATEST)
        places, epochs = places[latest], epochs[latest]
        y = self.scores[places, epochs]
        centre, spread = y.mean(), max(float(y.std()), 1e-3)
        x = self._rows(places, epochs)
        if self.decisions % REFIT == 0:
            self.scales = max(SCALES, key=lambda scales: _likelihood(x, (y - centre) / spread, scales))
        self.decisions += 1
        wanted = np.flatnonzero(free)
        mean, deviation = _predict(x, (y - centre) / spread, self._rows(wanted, self.used[wanted]), self.scales)
        mean, deviation = mean * spread + centre, deviation * spread
        top = np.maximum.accumulate(self.scores, 1)
        rivals = np.array([self._incumbent(top, int(self.used[n])) for n in wanted])
        z = (mean - rivals) / deviation
        cdf = np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in z])
        gain = deviation * (z * cdf + np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))
        return int(wanted[gain.argmax()])

    def _incumbent(self, top: Array, done: int) -> float:
        """Best score after `done + 1` epochs among those that have come so far; else the best of all."""
        there = np.flatnonzero(self.used > done)
        if len(there):
            return float(top[there, done].max())
        return max(float(top[n, used - 1]) for n, used in enumerate(self.used) if used)

    def _rows(self, places: Array, epochs: Array) -> tuple[Array, Array]:
        """Configurations; and epoch, whether there is a curve, its last score and its last rise."""
        last = np.where(epochs > 0, self.scores[places, np.maximum(epochs - 1, 0)], 0.0)
        before = np.where(epochs > 1, self.scores[places, np.maximum(epochs - 2, 0)], last)
        curve = np.stack([np.log1p(epochs) / 2, (epochs > 0) * 1.0, 4 * last, 4 * (last - before)], 1)
        return self.configurations[places], curve


def _kernel(a: tuple[Array, Array], b: tuple[Array, Array], scales: tuple[float, float, float]) -> Array:
    product: Array = np.exp(-_squared(a[0], b[0]) / (2 * scales[0] ** 2) - _squared(a[1], b[1]) / (2 * scales[1] ** 2))
    return product


def _squared(a: Array, b: Array) -> Array:
    square: Array = np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0)
    return square


def _likelihood(x: tuple[Array, Array], y: Array, scales: tuple[float, float, float]) -> float:
    root = np.linalg.cholesky(_kernel(x, x, scales) + scales[2] * np.eye(len(y)))
    return float(-0.5 * (np.linalg.solve(root, y) ** 2).sum() - np.log(np.diag(root)).sum())


def _predict(
    x: tuple[Array, Array], y: Array, at: tuple[Array, Array], scales: tuple[float, float, float]
) -> tuple[Array, Array]:
    root = np.linalg.cholesky(_kernel(x, x, scales) + scales[2] * np.eye(len(y)))
    left = np.linalg.solve(root, _kernel(x, at, scales))
    mean: Array = left.T @ np.linalg.solve(root, y)
    return mean, np.sqrt(np.maximum(1 - (left**2).sum(0), 1e-6))


def run(draw: Draw, workers: int) -> Trace:
    """The first configuration in line runs an epoch; from then on the process decides."""
    process = _Process(draw)
    left = [MOST]

    def ask(running: set[int]) -> tuple[int, int] | None:
        free = process.used < draw.length
        free[list(running)] = False
        left[0] -= 1
        if not free.any() or left[0] < 0:
            return None
        place = process.best(free) if process.used.any() else int(np.flatnonzero(free)[0])
        return place, int(process.used[place]) + 1

    def tell(place: int, used: int) -> int:
        process.used[place] = used
        return used

    return asynchronous(draw, workers, ask, tell)
