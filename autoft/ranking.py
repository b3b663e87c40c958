"""Which of several trials is the better one: by its score, or by what that is worth where a model is chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from autoft.counted import selection_score
from autoft.records import Metric, TrialResult


def scored(result: TrialResult) -> bool:
    return result.score is not None and math.isfinite(result.score)


def better(one: TrialResult, other: TrialResult, metric: Metric) -> bool:
    """Whether `one` is the better choice; of equal ones the earlier trial is."""
    first, second = _worth([one, other], metric)
    return first < second


def by_worth(results: Sequence[TrialResult], metric: Metric) -> list[TrialResult]:
    """The best choice first: by what scores count (`selection_score`); trials without a score last."""
    return [
        result for _, result in sorted(zip(_worth(results, metric), results, strict=True), key=lambda pair: pair[0])
    ]


def rank(results: Sequence[TrialResult], metric: Metric) -> list[TrialResult]:
    """Best score first; trials without one last."""
    return sorted(results, key=lambda result: sort_key(result, metric))


def sort_key(result: TrialResult, metric: Metric) -> tuple[float, int]:
    if result.score is None or not math.isfinite(result.score):
        return math.inf, result.number
    return -metric.sign * result.score, result.number


def _worth(results: Sequence[TrialResult], metric: Metric) -> list[tuple[float, int]]:
    """Keys to sort by. What counts beside scores must be known of all: of a trial that was cut off it is not."""
    known = all(result.finer is not None for result in results if result.score is not None)
    return [_key(result, metric, result.finer if known else None) for result in results]


def _key(result: TrialResult, metric: Metric, finer: float | None) -> tuple[float, int]:
    if result.score is None:
        return sort_key(result, metric)
    counted = selection_score(result.score, result.combined, metric.mode, finer)
    return sort_key(msgspec.structs.replace(result, score=counted), metric)
