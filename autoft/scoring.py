"""From a learner's outputs to what a task scores, in parts where outputs are maps: those of a whole set need not fit
into memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol, runtime_checkable

import numpy as np

from autoft.abilities import Enlarging, Joining, in_batches
from autoft.contracts import Array, Arrays, Calibrated, Feed, Learner, Tallying, Task
from autoft.counted import names
from autoft.records import Problem, Schema, TrialSpec

ROWS: Final = 64
"""The most samples whose maps are held at a time."""


LONG_ROWS: Final = 8
"""Samples whose parts are held at a time: each may last for hours."""


class TruthFeed(Feed, Protocol):
    """A feed that also knows what predictions are compared with."""

    def truth(self, index: Array) -> dict[str, Array]: ...


@runtime_checkable
class LongFeed(Feed, Protocol):
    """A feed of samples that may be longer than what a network sees at once."""

    def further(self, index: Array) -> tuple[dict[str, Array], Array]: ...


class Answers(NamedTuple):
    """What `Task.score` takes, row by row."""

    decoded: dict[str, Array]
    """Decoded predictions, or the tallies of a task that tallies."""
    truth: dict[str, Array]
    """Encoded targets; none where there are tallies."""


class Judged(NamedTuple):
    """What predictions for a validation part are worth."""

    metrics: dict[str, float]
    """The metric of a trial, and what may stand in for it or count beside it."""
    schema: Schema
    """With what the task has set by them, where it sets anything."""
    settled: Arrays
    """What was scored."""


def worth(task: Task, decoded: Arrays, targets: Arrays, spec: TrialSpec, schema: Schema | None = None) -> Judged:
    """What decoded predictions, or the tallies of a task that tallies, are worth for the trial.

    Args:
        schema: what a `Calibrated` task has set by other rows; without it, it is set by these.
    """
    if isinstance(task, Calibrated):
        schema = schema or task.calibrate(decoded, targets, spec.schema)
        decoded = task.settled(decoded, schema)
    metrics = task.score(decoded, targets, spec.schema, names(spec.metric))
    return Judged(metrics, schema or spec.schema, decoded)


def resample_seconds(task: Task, settled: Arrays, targets: Arrays, spec: TrialSpec) -> float:
    """What a resample of scored rows takes, which may be less than the first score: a task may remember rows."""
    count = len(next(iter(settled.values())))
    drawn = np.random.default_rng(spec.seed).integers(0, max(1, count), count)
    some, others = ({key: np.asarray(values)[drawn] for key, values in part.items()} for part in (settled, targets))
    began = time.monotonic()
    task.score(some, others, spec.schema, [spec.metric.name])
    return time.monotonic() - began


def mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The metrics of several folds as one."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


class _Part:
    """Some rows of another feed."""

    def __init__(self, feed: Feed, index: Array) -> None:
        self.feed, self.index = feed, index

    def __len__(self) -> int:
        return len(self.index)

    def batch(self, index: Array) -> dict[str, Array]:
        return self.feed.batch(self.index[index])


def is_pooled(problem: Problem) -> bool:
    """Whether all outputs are for the whole sample."""
    return all(output.head == "pooled" for output in problem.outputs)


def is_dense(problem: Problem) -> bool:
    return any(output.head == "dense" for output in problem.outputs)


def is_indexed(problem: Problem) -> bool:
    """Whether all that is predicted are maps of indices."""
    return all(output.head == "dense" and output.post == "argmax" for output in problem.outputs)


class _Held:
    """Arrays in memory as a feed."""

    def __init__(self, arrays: dict[str, Array], count: int) -> None:
        self.arrays, self.count = arrays, count

    def __len__(self) -> int:
        return self.count

    def batch(self, index: Array) -> dict[str, Array]:
        return {key: values[index] for key, values in self.arrays.items()}


def whole(learner: Learner, feed: Feed, problem: Problem) -> dict[str, Array]:
    """What the learner predicts; of samples that are longer than what it sees at once, the mean over their parts."""
    outputs = learner.predict(feed)
    averaged = is_pooled(problem) and all(output.post != "argmax" for output in problem.outputs)
    if not averaged or not isinstance(feed, LongFeed):
        return outputs
    sums = {name: values.astype(np.float64) for name, values in outputs.items()}
    counts = np.ones(len(feed))
    for first in range(0, len(feed), ROWS):
        index = np.arange(first, min(first + ROWS, len(feed)))
        arrays, owners = feed.further(index)
        if not len(owners):
            continue
        np.add.at(counts, index[owners], 1)
        for name, values in learner.predict(_Held(arrays, len(owners))).items():
            np.add.at(sums[name], index[owners], values)
    return {name: (values / counts[:, None]).astype(outputs[name].dtype) for name, values in sums.items()}


def _answers(task: Task, learner: Learner, feed: Feed, schema: Schema, problem: Problem) -> dict[str, Array]:
    """Decoded predictions for the samples, those that are longer than what the learner sees at once seen to their end
    where the task can join what it says of parts."""
    found = dict(task.decode(whole(learner, feed, problem), schema, problem))
    if is_pooled(problem) or not isinstance(task, Joining) or not isinstance(feed, LongFeed):
        return found
    for first in range(0, len(feed), LONG_ROWS):
        arrays, owners = feed.further(np.arange(first, min(first + LONG_ROWS, len(feed))))
        if len(owners):
            parts = task.decode(learner.predict(_Held(arrays, len(owners))), schema, problem)
            found = dict(task.joined(found, parts, first + owners, schema))
    return found


def decoded(
    task: Task, learner: Learner, feed: Feed, schema: Schema, problem: Problem, side: int = 0
) -> dict[str, Array]:
    """`Task.decode` of the predictions for all rows. Maps of indices have this `side` where the learner can give it;
    with 0, that of the feed's images."""
    if not is_dense(problem):
        return _answers(task, learner, feed, schema, problem)
    return joined([dict(part) for _, part in _parts(task, learner, feed, schema, problem, side)])


def compared(
    task: Task, learner: Learner, feed: TruthFeed, schema: Schema, problem: Problem
) -> tuple[dict[str, Array], dict[str, Array]]:
    """What `Task.score` takes, row by row: decoded predictions and their targets; for a task that tallies, its tallies
    and no targets."""
    if not is_dense(problem):
        everything = np.arange(len(feed))
        return _answers(task, learner, feed, schema, problem), feed.truth(everything)
    found, truths = [], []
    for index, part in _parts(task, learner, feed, schema, problem):
        truth = feed.truth(index)
        if isinstance(task, Tallying):
            found.append(dict(task.tally(part, truth, schema)))
        else:
            found.append(dict(part))
            truths.append(truth)
    return joined(found), joined(truths)


def _parts(
    task: Task, learner: Learner, feed: Feed, schema: Schema, problem: Problem, side: int = 0
) -> Iterator[tuple[Array, Arrays]]:
    rows = in_batches(learner, ROWS, ROWS)
    for first in range(0, max(1, len(feed)), rows):
        index = np.arange(first, min(first + rows, len(feed)))
        part = _Part(feed, index)
        outputs = learner.predict_at(part, side) if side and isinstance(learner, Enlarging) else learner.predict(part)
        yield index, task.decode(outputs, schema, problem)


def joined(parts: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """The rows of all parts, one after the other."""
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} if parts else {}
