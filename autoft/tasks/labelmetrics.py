"""The metrics of several labels per sample, over probabilities, choices and truth, all (n, labels).

In numpy, so that no worker waits for an import after every epoch; the tests compare with scikit-learn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft.records import Metric

Array = np.ndarray[Any, np.dtype[Any]]

METRICS = (
    Metric(name="map", best=1.0, summary="mean over labels of the average precision of their ranking"),
    Metric(name="micro_f1", best=1.0, together=True, summary="harmonic mean of precision and recall over all choices"),
    Metric(
        name="macro_f1",
        best=1.0,
        together=True,
        summary="mean over labels of the harmonic mean of precision and recall",
    ),
)


def average_precision(probability: Array, truth: Array) -> Array:
    """float64 (labels,): the mean over the samples that have the label of the precision at their rank, samples of the
    same probability at the last rank of them all (scikit-learn's `average_precision_score`); NaN for labels that no
    sample has."""
    count, size = probability.shape
    if not count:
        return np.full(size, np.nan)
    order = np.argsort(-probability, axis=0, kind="stable")
    ranked = np.take_along_axis(probability, order, 0)
    real = np.take_along_axis(truth > 0.5, order, 0)
    hits = np.cumsum(real, axis=0)
    ends = np.ones((count, size), bool)
    ends[:-1] = ranked[1:] != ranked[:-1]
    places = np.where(ends, np.arange(count)[:, None], count)
    last = np.minimum.accumulate(places[::-1], axis=0)[::-1]
    precision = np.take_along_axis(hits, last, 0) / (last + 1)
    total = real.sum(0)
    found: Array = np.where(total > 0, (precision * real).sum(0) / np.maximum(total, 1), np.nan)
    return found


def f1(chosen: Array, truth: Array) -> Array:
    """float64 (labels,): twice what is chosen rightly, divided by what is chosen and what is there; NaN for labels that
    are neither."""
    real = truth > 0.5
    right, both = (chosen & real).sum(0), chosen.sum(0) + real.sum(0)
    found: Array = np.where(both > 0, 2 * right / np.maximum(both, 1), np.nan)
    return found


def compute(name: str, probability: Array, chosen: Array, truth: Array) -> float:
    """One metric; NaN where it does not apply. Labels that no sample has are left out of the mean average precision,
    and those that are neither there nor chosen of the mean F1."""
    if name == "micro_f1":
        return float(f1(chosen.reshape(-1, 1), truth.reshape(-1, 1))[0])
    values = average_precision(probability, truth) if name == "map" else f1(chosen, truth)
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
