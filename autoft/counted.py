"""What a score counts as where models are compared.

On few samples a share of right ones is a coarse number: of 50 images, many trials have the same, and the best of them
owes much to chance. How sure a model is of the right class (`Metric.finer`) then counts beside it
(docs/adr/0077-how-sure-of-the-truth.md).

Near the value of a model that has learned nothing, some metrics tell models apart by nothing: a network that is silent
has a word error rate of 1, and so has one with a wrong letter in each word. There another metric of the task decides
(`Metric.stand_in`). Its values are laid between the end of that range and the blank value, in their own order, so that
what counts stays one number, and any value outside of the range is better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import msgspec

from autoft.records import Metric, Mode

CHANCE: Final = 0.05
"""Part of the way from the score of a model without knowledge to the best one that may be chance: a network for speech
that is still silent says a right letter now and then (measured: error rates of .985 to 1)."""
FINER: Final = 2.0
"""What `Metric.finer` weighs, where the metric itself weighs 1."""
FEW: Final = 1000
"""Validation samples from which on a metric says enough alone, also of which of some solved heads is best: to
cross-validate them takes several solutions for each."""


def on(metric: Metric, rows: int) -> Metric:
    """The metric of a search in which so many samples validate."""
    return metric if rows < FEW else msgspec.structs.replace(metric, finer=None)


def names(metric: Metric) -> list[str]:
    """The metrics that must be known to compare models by this one."""
    return [metric.name, *(other.name for other in (metric.stand_in, metric.finer) if other)]


def counted(metric: Metric, values: Mapping[str, float]) -> float:
    """One number by which models are compared: the metric itself, or near blank what stands in for it."""
    value = values[metric.name]
    if metric.stand_in is None or not near_blank(metric, value):
        return value
    way = CHANCE * _way(metric.stand_in, values.get(metric.stand_in.name, math.nan))
    return _value(metric, way) if math.isfinite(way) else value


def finer(metric: Metric, values: Mapping[str, float]) -> float | None:
    """What counts beside the metric, where it is known."""
    value = values.get(metric.finer.name, math.nan) if metric.finer else math.nan
    return value if math.isfinite(value) else None


def told(metric: Metric, values: Mapping[str, float]) -> dict[str, float]:
    """What a report tells of them: numbers, without `Metric.finer`, which has a place of its own there."""
    beside = metric.finer.name if metric.finer else ""
    return {name: value for name, value in values.items() if math.isfinite(value) and name != beside}


def near_blank(metric: Metric, value: float) -> bool:
    """Whether this value says nothing, or is even worse than that of a model without knowledge."""
    return _way(metric, value) <= CHANCE


def chance(metric: Metric) -> float:
    """Part of the way from blank to perfect within which what counts is chance."""
    return CHANCE if metric.stand_in is None else CHANCE**2


def shown(metric: Metric, score: float | None, values: Mapping[str, float]) -> float | None:
    """The metric itself, of a trial or an epoch with this score."""
    return score if score is None else values.get(metric.name, score)


def selection_score(score: float, combined: float | None, mode: Mode, finer: float | None = None) -> float:
    """What a score counts as where trials are compared: no more than the mean with cross-validation, where there is
    one. The head that is best of many on few validation rows is so by chance in part.

    Never more than the score itself: in cross-validation samples of one group, such as a speaker's, may judge each
    other. `finer`, where it is known, counts `FINER` times beside that.
    """
    worst = min if mode == "max" else max
    value = score if combined is None else worst(score, combined)
    return value if finer is None else (value + FINER * finer) / (1 + FINER)


def _way(metric: Metric, value: float) -> float:
    """Part of the way from blank to perfect, below 0 for what is worse than blank; 1 where the ends are not known."""
    if metric.blank is None or metric.best is None:
        return 1.0
    return (value - metric.blank) / (metric.best - metric.blank)


def _value(metric: Metric, way: float) -> float:
    if metric.blank is None or metric.best is None:
        return math.nan
    return metric.blank + way * (metric.best - metric.blank)
