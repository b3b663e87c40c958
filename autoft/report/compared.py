"""A trial's score in words: the metric, and what stood in for it."""

from __future__ import annotations

from collections.abc import Mapping

from autoft.counted import shown
from autoft.records import Metric
from autoft.report.words import score


def compared(metric: Metric, value: float | None, metrics: Mapping[str, float]) -> str:
    """A trial's metric; where another one stands in for it, that as well: `103.1% (cer 39.5%)`."""
    own = score(shown(metric, value, metrics), metric.percent)
    other = metric.stand_in
    if other is None or value is None or value == metrics.get(metric.name, value):
        return own
    return f"{own} ({other.name} {score(metrics.get(other.name), other.percent)})"
