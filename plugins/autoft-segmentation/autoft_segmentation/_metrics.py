"""The metrics of segmentation, from how many pixels of each class are right, predicted and true.

Counts of all samples are added up first: a class is scored over the set, not within each image.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft.api import Metric

Array = np.ndarray[Any, np.dtype[Any]]

METRICS = (
    Metric(name="miou", percent=True, best=1.0, summary="mean over classes of intersection over union"),
    Metric(name="dice", percent=True, best=1.0, summary="mean over classes of twice the intersection over the sum"),
    Metric(name="pixel_accuracy", percent=True, best=1.0, summary="share of pixels whose class is right"),
    Metric(
        name="class_accuracy",
        percent=True,
        best=1.0,
        alike=True,
        summary="mean over classes of the share that is right",
    ),
)


def tally(predicted: Array, truth: Array, size: int) -> Array:
    """Pixels of each class that are right, predicted, and true: int64 (n, 3, size).

    Args:
        predicted: class indices (n, a, a).
        truth: class indices (n, b, b); those from `size` on belong to no class and count nowhere. Where the sides
            differ, as of a learner that gives maps at another side than its feed's images have, `predicted` is read
            at the nearest place.
    """
    counts = np.zeros((len(truth), 3, size), np.int64)
    for row in range(len(truth)):
        wanted, found = truth[row], _at(predicted[row], truth.shape[1:])
        kept = wanted < size
        wanted, found = wanted[kept].astype(np.int64), found[kept].astype(np.int64)
        parts = (found[found == wanted], found, wanted)
        counts[row] = [np.bincount(part, minlength=size) for part in parts]
    return counts


def _at(values: Array, shape: tuple[int, ...]) -> Array:
    if values.shape == shape:
        return values
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.int64) for new, old in zip(shape, values.shape, strict=True)
    )
    return np.asarray(values[rows[:, None], columns[None]])


def class_iou(counts: Array) -> Array:
    """Intersection over union of each class; NaN for one that is neither true nor predicted anywhere."""
    right, predicted, true = counts.sum(0).astype(np.float64)
    return _ratio(right, predicted + true - right)


def compute(name: str, counts: Array) -> float:
    """One metric of tallies int64 (n, 3, classes); NaN where no pixel has a class."""
    right, predicted, true = counts.sum(0).astype(np.float64)
    if not true.sum():
        return float("nan")
    if name == "miou":
        return float(np.nanmean(class_iou(counts)))
    if name == "dice":
        return float(np.nanmean(_ratio(2 * right, predicted + true)))
    if name == "pixel_accuracy":
        return float(right.sum() / true.sum())
    return float(np.nanmean(_ratio(right, true)))


def _ratio(part: Array, whole: Array) -> Array:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
