"""What a strength gives for rows that its head was not solved on, for judging it by training rows alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft.heads.solvers import cross_validated
from autoft.records import Output

Array = np.ndarray[Any, np.dtype[Any]]

FOLDS = 5


def left_out(kind: str, strength: float, features: Array, targets: Array, output: Output) -> Array:
    """Raw outputs (n, size) of every row, from heads that were solved without it: one row at a time with ridge, which
    costs no more than one solution, a fifth of the rows with logistic.

    Raises:
        ValueError: as `solve`.
    """
    return cross_validated(kind, strength, features, targets, output, spread(targets, FOLDS))


def spread(targets: Array, folds: int) -> list[Array]:
    """Rows to leave out by fold, the same for every call; classes dealt out in turn."""
    order = np.random.default_rng(0).permutation(len(targets))
    if targets.ndim == 1:
        order = order[np.argsort(targets[order], kind="stable")]
    return [np.sort(order[fold::folds]) for fold in range(min(folds, len(targets)))]
