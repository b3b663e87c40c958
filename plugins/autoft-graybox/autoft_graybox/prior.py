"""What past runs say of a configuration before its first epoch: ridge regression on its encoding and its network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from autoft_graybox.curve import Array
from autoft_graybox.encoding import COLUMNS

TARGETS: Final = ("rank", "top_tenth", "late", "log_seconds")
"""Rank of the final score among the runs of a data set (0 worst, 1 best, minus a half); whether it is in the best
tenth; final rank less the rank after two epochs; log seconds of an epoch, less the data set's median."""
SCALES: Final = np.array([4.0, 8.0, 4.0])
STRENGTH: Final = 20.0
"""Of the ridge. Chosen once by eye, not tuned to the curves."""

_PAIRS: Final = (
    ("lr", "batch_size"),
    ("lr", "clipped"),
    ("lr", "lr^2"),
    ("lr", "freeze"),
    ("lr", "dropout"),
    ("adaptive", "head_only"),
    ("adaptive", "lr^2"),
    ("heavy_ball", "lr^2"),
    ("adaptive", "batch_size"),
    ("lr", "cutmix"),
)


class Prior(NamedTuple):
    """Coefficients for networks that past runs know, and for those that they do not."""

    models: tuple[str, ...]
    known: Array
    """(design + models, targets)"""
    unknown: Array
    """(design, targets)"""

    def predict(self, encoded: Array, models: Sequence[str]) -> Array:
        """(n, targets), in the units of `TARGETS`."""
        own = _design(encoded) @ self.unknown
        seen = np.array([name in self.models for name in models], bool)
        if seen.any():
            full = np.concatenate([_design(encoded), one_hot(models, self.models)], 1) @ self.known
            own[seen] = full[seen]
        return own


def fit(encoded: Array, models: Sequence[str], targets: Array) -> Prior:
    """From runs of many data sets: encodings (n, columns), names of networks, targets (n, targets)."""
    names = tuple(sorted(set(models)))
    plain = _design(encoded)
    full = np.concatenate([plain, one_hot(models, names)], 1)
    return Prior(models=names, known=_ridge(full, targets), unknown=_ridge(plain, targets))


def one_hot(models: Sequence[str], names: Sequence[str]) -> Array:
    return np.array([[2.0 * (model == name) for name in names] for model in models]).reshape(len(models), -1)


def _design(encoded: Array) -> Array:
    pairs = [encoded[:, COLUMNS.index(a)] * encoded[:, COLUMNS.index(b)] for a, b in _PAIRS]
    halfway = np.abs(
        encoded[:, COLUMNS.index("freeze")] - 0.5
    )  # freezing about half is best, so the distance from it counts
    return np.column_stack([np.full(len(encoded), 3.0), encoded, halfway, *pairs])


def _ridge(x: Array, y: Array) -> Array:
    solved: Array = np.linalg.solve(x.T @ x + STRENGTH * np.eye(x.shape[1]), x.T @ y)
    return solved
