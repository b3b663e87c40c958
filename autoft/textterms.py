"""Texts as sparse rows of numbers, and the products that a linear solution on them needs."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from autoft.contracts import Array
else:
    Array = Any


class Terms:
    """Texts as sparse rows over those columns that occur in enough of them. Each number counts once, until it is
    `count`ed otherwise."""

    def __init__(self, numbers: Sequence[Array], least: int = 1) -> None:
        """
        Args:
            numbers: int (k,) for each text.
            least: texts that must have a number for it to be a column; the others count in the lengths of texts alone.
        """
        self.n = len(numbers)
        self.rest, self.rows_of_rest = np.zeros(0, np.int64), np.zeros(0, np.int64)
        if least > 1:
            numbers = self._part(numbers, least)
        lengths = np.array([max(1, len(row)) for row in numbers])
        self.starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        self.lengths = lengths
        none = np.zeros(1, np.int64)  # an empty text has number 0, which counts 0: every row must have one
        flat = np.concatenate([row if len(row) else none for row in numbers])
        there = np.zeros(int(flat.max()) + 1, bool)
        there[flat] = True
        self.columns = np.flatnonzero(there)
        self.index = (np.cumsum(there, dtype=np.int32) - 1)[flat]
        values = np.ones(len(flat))
        self.matrix = _matrix(values, self.index, np.append(self.starts, len(flat)), len(self.columns))
        self.values = values if self.matrix is None else self.matrix.data

    def _part(self, numbers: Sequence[Array], least: int) -> list[Array]:
        """The numbers that enough texts have; the others are the rest."""
        having = np.bincount(np.concatenate([*numbers, np.zeros(0, np.int64)]))
        left = [row[having[row] < least] for row in numbers]
        self.rest = np.concatenate(left)
        self.rows_of_rest = np.repeat(np.arange(self.n), [len(row) for row in left])
        return [row[having[row] >= least] for row in numbers]

    def count(self, weights: Array, *, level: bool = False, rest: Array | None = None) -> None:
        """Let each number count so much (columns,), brought to length 1 in each text where `level` says so.

        Args:
            rest: what each number of the `rest` counts; nothing by default.
        """
        self.values[:] = np.where(self.columns > 0, weights, 0.0)[self.index]
        if level:
            beside = 0.0 if rest is None else np.bincount(self.rows_of_rest, rest**2, self.n)
            norms = np.sqrt(np.add.reduceat(self.values**2, self.starts) + beside)
            self.values /= np.repeat(np.maximum(norms, 1e-6), self.lengths)

    def times(self, vectors: Array) -> Array:
        """(columns, size) to (n, size)."""
        if self.matrix is not None:
            return np.asarray(self.matrix @ vectors)
        return np.stack([np.add.reduceat(self.values * v[self.index], self.starts) for v in vectors.T], 1)

    def back(self, pull: Array) -> Array:
        """(n, size) to (columns, size)."""
        if self.matrix is not None:
            return np.asarray(self.matrix.T @ pull)
        count = len(self.columns)
        rows = [np.bincount(self.index, self.values * np.repeat(p, self.lengths), count) for p in pull.T]
        return np.stack(rows, 1)

    def squares(self) -> Array:
        """(columns,): mean squared weight."""
        return np.bincount(self.index, self.values**2, len(self.columns)) / self.n


def _matrix(values: Array, index: Array, ends: Array, columns: int) -> Any:
    """The same as a sparse matrix (n, columns), whose products take a third of the time; None without scipy."""
    if importlib.util.find_spec("scipy") is None:
        return None
    csr_array = importlib.import_module("scipy.sparse").csr_array
    return csr_array((values, index, ends.astype(np.int32)), shape=(len(ends) - 1, columns))


def enough(numbers: Sequence[Array], most: int) -> tuple[int, int, int]:
    """In how many texts a number must stand for no more than `most` to be left, how many are left, and how many there
    were."""
    having = np.bincount(np.concatenate([*numbers, np.zeros(1, np.int64)]))
    having[0] = 0  # it only pads
    having = having[having > 0]
    texts = np.sort(having)[::-1]
    least = 1 if len(having) <= most else int(texts[most]) + 1
    return least, int((having >= least).sum()), len(having)
