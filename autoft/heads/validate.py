"""How well each strength does on rows that it was not solved on, for choosing one from training rows alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autoft.heads.encode import loss
from autoft.heads.solvers import leave_one_out, path, solve
from autoft.records import Output

Array = np.ndarray[Any, np.dtype[Any]]
Score = Callable[[Array, Array], float]
"""From raw outputs (n, size) and targets to a number, the higher the better."""

FOLDS = 5


def cross_validate(
    kind: str,
    strengths: Sequence[float],
    features: Array,
    targets: Array,
    output: Output,
    folds: int | Sequence[Array] = 0,
    score: Score | None = None,
) -> list[float]:
    """The score of each strength on left-out rows, the mean over folds.

    Args:
        folds: number of folds, classes spread evenly; or int64 rows to leave out, fold by fold. 0 leaves one row out
            at a time with ridge, which costs no more than one solution, and a fifth with logistic.
        score: minus the loss where none is given.

    Raises:
        ValueError: as `solve`; or a fold leaves no row to solve on.
    """
    judge = score or (lambda raw, truth: -loss(output, raw, truth))
    if isinstance(folds, int) and not folds and kind == "ridge":
        return [judge(raw, targets) for raw in leave_one_out(strengths, features, targets, output)]
    parts = spread(targets, folds or FOLDS) if isinstance(folds, int) else folds
    found = []
    for out in parts:
        inside = np.setdiff1d(np.arange(len(features)), out)
        heads = path(kind, strengths, features[inside], targets[inside], output)
        found.append([judge(head.raw(features[out]), targets[out]) for head in heads])
    return [float(value) for value in np.mean(found, axis=0)]


def left_out(kind: str, strength: float, features: Array, targets: Array, output: Output) -> Array:
    """Raw outputs (n, size) of every row, from heads that were solved without it: one row at a time with ridge, which
    costs no more than one solution, a fifth of the rows with logistic.

    Raises:
        ValueError: as `solve`.
    """
    if kind == "ridge":
        return leave_one_out([strength], features, targets, output)[0]
    raw = np.zeros((len(features), output.size), np.float32)
    for out in spread(targets, FOLDS):
        inside = np.setdiff1d(np.arange(len(features)), out)
        raw[out] = solve(kind, strength, features[inside], targets[inside], output).raw(features[out])
    return raw


def spread(targets: Array, folds: int) -> list[Array]:
    """Rows to leave out by fold, the same for every call; classes dealt out in turn."""
    order = np.random.default_rng(0).permutation(len(targets))
    if targets.ndim == 1:
        order = order[np.argsort(targets[order], kind="stable")]
    return [np.sort(order[fold::folds]) for fold in range(min(folds, len(targets)))]
