"""The one costly step of all solutions: scaled features and the main directions in which they spread."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 4096
"""Rows that are held in double precision at a time."""
FLAT = 1e-6
"""A feature whose deviation is smaller than this part of its mean is constant but for rounding."""
FEW = 4
"""Rows for each feature below which projections are held in double precision for left-out scores."""
MANY, MOST = 2048, 1536
"""Rows and features, of both of which there may be so many; else so many directions are found, within what as many
rows, spread over all, span: to find all of many thousand takes minutes."""
SPAN = 1e-9
"""As `RANK`, where directions are found for other rows as well."""
RANK = 1e-12
"""Directions with less than this part of the largest variance are left out."""


class Decomposition:
    """Features (n, d) scaled to mean 0 and mean square 1, in the directions of their largest variance."""

    def __init__(self, features: Array, weights: Array) -> None:
        self.features, self.row_weights = features, weights
        self.n = len(features)
        self.mean = np.zeros(features.shape[1])
        self.inverse = np.ones(features.shape[1])
        """One over the deviation of each feature; 0 for constant ones."""
        self.mean = self._sum(lambda rows, w: w @ rows) / self.n
        deviation = np.sqrt(self._sum(lambda rows, w: w @ rows**2) / self.n)
        varied = deviation > FLAT * np.abs(self.mean)
        self.inverse = np.where(varied, 1 / np.where(varied, deviation, 1), 0)
        find = self._by_feature if features.shape[1] <= self.n else self._by_row
        self.variances, self.directions = self._by_part() if min(features.shape) > MANY else find()
        """(r,), descending or not; and (d, r), orthonormal."""

    def _by_feature(self) -> tuple[Array, Array]:
        covariance = self._sum(lambda rows, w: _square(rows * np.sqrt(w)[:, None])) / self.n
        values, vectors = np.linalg.eigh(covariance)
        kept = values > RANK * max(values.max(), 0)
        return values[kept], vectors[:, kept]

    def _by_row(self) -> tuple[Array, Array]:
        """From the products of rows with each other, where there are fewer rows than features."""
        rows = np.concatenate([part for _, part in self._chunks()]) * np.sqrt(self.row_weights)[:, None]
        values, vectors = np.linalg.eigh(rows @ rows.T / self.n)
        kept = values > RANK * max(values.max(), 0)
        values = values[kept]
        return values, rows.T @ vectors[:, kept] / np.sqrt(self.n * values)

    def _by_part(self) -> tuple[Array, Array]:
        """Within what some rows span."""
        chosen = np.arange(MOST) * self.n // MOST
        rows = (self.features[chosen].astype(np.float64) - self.mean) * self.inverse
        values, vectors = np.linalg.eigh(rows @ rows.T)
        kept = values > SPAN * max(values.max(), 0)
        basis = rows.T @ vectors[:, kept] / np.sqrt(values[kept])
        covariance = self._sum(lambda rows, w: _square(rows @ basis * np.sqrt(w)[:, None])) / self.n
        values, turned = np.linalg.eigh(covariance)
        kept = values > RANK * max(values.max(), 0)
        return values[kept], basis @ turned[:, kept]

    @functools.cached_property
    def projected(self) -> Array:
        """float32 (n, r): the scaled features along the directions."""
        return np.concatenate([(rows @ self.directions).astype(np.float32) for _, rows in self._chunks()])

    @functools.cached_property
    def exact(self) -> Array:
        """As `projected`, but in double precision where rows are few: a small strength fits these nearly without fault,
        and what a row is off by without itself is then a ratio of tiny numbers."""
        if self.n >= FEW * self.features.shape[1]:
            return self.projected
        return np.concatenate([rows @ self.directions for _, rows in self._chunks()])

    def correlate(self, values: Array) -> Array:
        """(r, size): weighted mean products of the directions with `values` (n, size)."""
        products = sum(rows.T @ (self.row_weights[part, None] * values[part]) for part, rows in self._chunks())
        return np.asarray(self.directions.T @ products / self.n)

    def unfold(self, coefficients: Array, bias: Array) -> tuple[Array, Array]:
        """Weights (size, d) and bias (size,) for raw features, from (r, size) along the directions."""
        weights = (self.directions @ coefficients * self.inverse[:, None]).T
        return weights.astype(np.float32), (bias - weights @ self.mean).astype(np.float32)

    def nbytes(self) -> int:
        """Bytes that this holds once `projected` and `exact` are there."""
        few = self.n < FEW * self.features.shape[1]
        return int(self.features.nbytes + self.directions.nbytes + (4 + 8 * few) * self.n * len(self.variances))

    def _chunks(self) -> Iterator[tuple[slice, Array]]:
        """Scaled rows in double precision, some at a time."""
        for first in range(0, self.n, CHUNK):
            part = slice(first, first + CHUNK)
            yield part, (self.features[part].astype(np.float64) - self.mean) * self.inverse

    def _sum(self, term: Any) -> Array:
        return np.asarray(sum(term(rows, self.row_weights[part]) for part, rows in self._chunks()))


def _square(rows: Array) -> Array:
    return np.asarray(rows.T @ rows)
