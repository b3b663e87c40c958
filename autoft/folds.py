"""What a model is worth on validation, or the models of several folds together.

The rows of folds are disjoint. Where a metric says so (`Metric.together`), they are scored as one set: the mean of R2
over folds of a few rows each is mostly noise (docs/adr/0067-few-rows.md). What a `Calibrated` task sets is found on all
rows then, but each fold is scored by what the others say; of one fold alone each half by the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from autoft import scoring
from autoft.contracts import Calibrated, Task
from autoft.counted import names
from autoft.metric import Metric
from autoft.records import Schema, TrialSpec
from autoft.scoring import Answers

FEWEST: Final = 10
"""Rows of a lone validation part from which on it is halved."""


class Found(NamedTuple):
    """What predictions for all validation parts are worth."""

    metrics: dict[str, float]
    """The metric of a trial, and what may stand in for it or count beside it."""
    schema: Schema
    """With what the task has set by them, where it sets anything."""
    resample_seconds: float = 0.0
    """What a resample of all these rows takes, where it was asked for."""


def judged(
    task: Task,
    answers: Iterable[Answers],
    spec: TrialSpec,
    schema: Schema | None = None,
    *,
    more: Answers | None = None,
    timed: bool = False,
) -> Found:
    """
    Args:
        answers: of each fold in turn, asked for one by one.
        schema: what a `Calibrated` task has set by other rows; without it, it is set by these.
        more: of training rows, each said without it. By them, too, something is set where there is one fold alone;
            with several, the rows of each train others.
        timed: whether to tell what a resample takes.
    """
    if not _together(spec.metric):
        return _apart(task, answers, spec, schema, timed)
    parts = list(answers)
    beside = [more] if more is not None and len(parts) == 1 else []
    if len(parts) == 1 and not beside and schema is None and isinstance(task, Calibrated):
        parts = _halves(parts[0])
    whole = _joined(parts)
    if whole is None:
        return _apart(task, parts, spec, schema, timed)
    kept = schema or _set(task, [*parts, *beside], spec.schema)
    settled = []
    for number, part in enumerate(parts):
        others = [] if schema else [*parts[:number], *parts[number + 1 :], *beside]
        settled.append(_settled(task, part, _set(task, others, spec.schema) if others else kept))
    told = Answers(scoring.joined([part.decoded for part in settled]), whole.truth)
    metrics = task.score(told.decoded, told.truth, kept, names(spec.metric))
    return Found(metrics, kept, scoring.resample_seconds(task, *told, spec) if timed else 0.0)


def _apart(task: Task, answers: Iterable[Answers], spec: TrialSpec, schema: Schema | None, timed: bool) -> Found:
    """The mean over folds, all by what is set on the first one, whose model is the one that is kept."""
    metrics, seconds = list[dict[str, float]](), 0.0
    for part in answers:
        found = scoring.worth(task, *part, spec, schema)
        schema = found.schema
        metrics.append(found.metrics)
        seconds += scoring.resample_seconds(task, found.settled, part.truth, spec) if timed else 0.0
    return Found(scoring.mean(metrics), schema or spec.schema, seconds)


def _together(metric: Metric) -> bool:
    return metric.together and (metric.stand_in is None or metric.stand_in.together)


def _joined(parts: Sequence[Answers]) -> Answers | None:
    """The rows of all folds; None where their arrays differ in more than rows."""
    for arrays in zip(*((*part.decoded.values(), *part.truth.values()) for part in parts), strict=True):
        if len({np.shape(array)[1:] for array in arrays}) > 1:
            return None
    if len(parts) == 1:
        return parts[0]
    return Answers(scoring.joined([part.decoded for part in parts]), scoring.joined([part.truth for part in parts]))


def _halves(part: Answers) -> list[Answers]:
    """Every second row, and the others: each is scored by what the other says."""
    if len(next(iter(part.decoded.values()))) < FEWEST:
        return [part]
    return [Answers(*({key: array[own::2] for key, array in some.items()} for some in part)) for own in (0, 1)]


def _set(task: Task, parts: Sequence[Answers], schema: Schema) -> Schema:
    """The schema as these rows have it."""
    if not isinstance(task, Calibrated) or (rows := _joined(parts)) is None:
        return schema
    return task.calibrate(rows.decoded, rows.truth, schema)


def _settled(task: Task, part: Answers, schema: Schema) -> Answers:
    if not isinstance(task, Calibrated):
        return part
    return Answers(dict(task.settled(part.decoded, schema)), part.truth)
